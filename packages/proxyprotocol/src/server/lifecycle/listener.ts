// One net.Server, bound once, whose accept errors are told apart from its end.

import { once } from 'node:events'
import { createServer, type AddressInfo, type ListenOptions, type Server, type Socket } from 'node:net'
import { acceptAs } from '../../node-internals/index.ts'
import type { Peer } from '../../trust/index.ts'
import { acceptedSocket, claim } from '../socket/index.ts'

/** Where to listen: what `net.Server.listen` takes, without its callback. */
export type ListenArguments =
  | readonly [options: ListenOptions]
  | readonly [port: number, host?: string, backlog?: number]
  | readonly [path: string, backlog?: number]
  | readonly [handle: { readonly fd: number }, backlog?: number]

/**
 * With Node's default of 511 the kernel reset 611 of 3,000 connections at once; with this value, none. The kernel may
 * lower it (Linux: `net.core.somaxconn`).
 */
export const DEFAULT_BACKLOG = 65_535

export interface ListenerEvents {
  readonly firstRoom: Uint8Array | undefined
  onConnection(socket: Socket): void
  onShortage(): void
  onError(error: Error): void
  onClose(): void
}

const shortages: readonly (string | undefined)[] = ['EMFILE', 'ENFILE', 'ENOBUFS', 'ENOMEM']

export class Listener {
  #net: Server
  readonly #events: ListenerEvents
  #binding: AbortController | undefined
  #transport: Peer['transport'] = 'tcp'

  constructor(events: ListenerEvents) {
    this.#events = events
    this.#net = createServer({ allowHalfOpen: true, noDelay: true })
    claim(this.#net)
    this.#watch()
  }

  get binding(): boolean {
    return this.#binding !== undefined
  }

  get address(): AddressInfo | string | null {
    return this.#net.listening ? (this.#net.address() ?? '') : null
  }

  get transport(): Peer['transport'] {
    return this.#transport
  }

  async listen(args: ListenArguments): Promise<void> {
    this.#binding = new AbortController()
    try {
      this.#net.listen(...(withBacklog(args) as [ListenOptions])) // Node tells its overloads apart at run time
      await Promise.race(['listening', 'close'].map(event => once(this.#net, event, this.#binding)))
      this.#makeSockets()
      if (typeof this.address === 'string') this.#transport = 'unix'
    } finally {
      this.#binding.abort()
      this.#binding = undefined
    }
  }

  /** In one turn: clients that connect meanwhile wait in the kernel for the other listener. */
  moveTo(other: Listener): void {
    for (const each of [this, other]) each.#unwatch()
    const net = this.#net
    this.#net = other.#net
    other.#net = net
    other.#transport = this.#transport
    for (const each of [this, other]) each.#watch()
    other.#makeSockets()
  }

  close(): void {
    this.#net.close()
  }

  #makeSockets(): void {
    acceptAs(this.#net, settings => acceptedSocket(settings, this.#events.firstRoom))
  }

  #watch(): void {
    this.#net.on('connection', this.#onConnection).on('close', this.#onClose).on('error', this.#onError)
  }

  #unwatch(): void {
    this.#net.off('connection', this.#onConnection).off('close', this.#onClose).off('error', this.#onError)
  }

  readonly #onConnection = (socket: Socket): void => this.#events.onConnection(socket)

  readonly #onClose = (): void => this.#events.onClose()

  readonly #onError = (error: NodeJS.ErrnoException): void => {
    if (this.#binding) return // listen() rejects with it
    if (error.syscall === 'accept' && shortages.includes(error.code)) this.#events.onShortage()
    else this.#events.onError(error)
  }
}

/** For a descriptor Node ignores `backlog` among the options, and takes it as the last argument. */
function withBacklog([where, ...more]: ListenArguments): readonly unknown[] {
  if (more.some(each => typeof each === 'number')) return [where, ...more]
  const { backlog = DEFAULT_BACKLOG } = Object(where) as ListenOptions // numbers and strings have none
  return [where, ...more.filter(each => each !== undefined), backlog]
}
