// One or more net.Servers at one address, bound once, whose accept errors are told apart from their end.

import { once } from 'node:events'
import { createServer, type AddressInfo, type ListenOptions, type Server, type Socket } from 'node:net'
import { setImmediate as turn } from 'node:timers/promises'
import { acceptAs, type AcceptedHandle, type HandleTaker, listenersKey } from '../../node-internals/index.ts'
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
  /** Takes a connection without a socket. */
  readonly onHandle: HandleTaker | undefined
  onConnection(socket: Socket): void
  onShortage(): void
  onError(error: Error): void
  onClose(): void
}

/** Linux's own `net.core.somaxconn`. */
const LONGEST_QUEUE = 4_096

const shortages: readonly (string | undefined)[] = ['EMFILE', 'ENFILE', 'ENOBUFS', 'ENOMEM']

export class Listener {
  /** The first one has the address. */
  #nets: [Server, ...Server[]]
  #accepted = 0
  #emptiesQueues = false
  readonly #events: ListenerEvents
  #binding: AbortController | undefined
  #transport: Peer['transport'] = 'tcp'

  constructor(events: ListenerEvents) {
    this.#events = events
    this.#nets = [newNet()]
    this.#watch(this.#nets[0])
  }

  get binding(): boolean {
    return this.#binding !== undefined
  }

  get address(): AddressInfo | string | null {
    const [first] = this.#nets
    return first.listening ? (first.address() ?? '') : null
  }

  get transport(): Peer['transport'] {
    return this.#transport
  }

  async listen(args: ListenArguments): Promise<void> {
    this.#binding = new AbortController()
    try {
      await this.#bind(this.#nets[0], args)
      const { [listenersKey]: count = 0 } = Object(args[0]) as { readonly [listenersKey]?: number }
      this.#emptiesQueues = count > 0
      if (typeof this.address === 'string') this.#transport = 'unix'
      else await this.#bindMore(args, count)
    } finally {
      this.#binding.abort()
      this.#binding = undefined
    }
  }

  /** In one turn: clients that connect meanwhile wait in the kernel for the other listener. */
  moveTo(other: Listener): void {
    const nets = this.#nets
    nets.forEach(net => this.#unwatch(net))
    other.#nets.forEach(net => other.#unwatch(net))
    this.#nets = other.#nets
    other.#nets = nets
    other.#transport = this.#transport
    other.#emptiesQueues = this.#emptiesQueues
    this.#nets.forEach(net => this.#watch(net))
    nets.forEach(net => {
      other.#watch(net)
      other.#makeSockets(net)
    })
  }

  close(): void {
    for (const net of this.#nets) net.close()
  }

  get emptiesQueues(): boolean {
    return this.#emptiesQueues
  }

  /**
   * Closing resets what waits in the kernel. A whole turn without a client shows that nothing does. If clients keep coming,
   * those that waited are the first.
   */
  async emptyQueues(goesOn: () => boolean): Promise<void> {
    const most = this.#accepted + LONGEST_QUEUE * this.#nets.length
    await turn() // the rest of a turn shows nothing
    for (let before = -1; goesOn() && before !== this.#accepted && before < most;) {
      before = this.#accepted
      await turn()
    }
  }

  async #bind(net: Server, args: ListenArguments): Promise<void> {
    net.listen(...(withBacklog(args) as [ListenOptions])) // Node tells its overloads apart at run time
    await Promise.race(['listening', 'close'].map(event => once(net, event, this.#binding)))
    this.#makeSockets(net)
  }

  /** Where `reusePort` is unknown, as on Node 20, the address is in use, and one listener does. */
  async #bindMore([options]: ListenArguments, count: number): Promise<void> {
    while (this.#nets.length < count && this.address !== null) {
      const { address: host, port } = this.address as AddressInfo // of TCP
      const net = newNet()
      try {
        await this.#bind(net, [{ ...Object(options), host, port }])
      } catch {
        return
      }
      this.#nets.push(net)
      this.#watch(net)
    }
    if (this.address === null) for (const net of this.#nets) net.close() // closed meanwhile
  }

  #makeSockets(net: Server): void {
    const takeHandle = this.#events.onHandle && this.#takeHandle
    acceptAs(net, settings => acceptedSocket(settings, this.#events.firstRoom), takeHandle)
  }

  #watch(net: Server): void {
    net.on('connection', this.#onConnection).on('close', this.#onClose).on('error', this.#onError)
  }

  #unwatch(net: Server): void {
    net.off('connection', this.#onConnection).off('close', this.#onClose).off('error', this.#onError)
  }

  readonly #takeHandle = (handle: AcceptedHandle): boolean => {
    const isTaken = this.#events.onHandle?.(handle) === true
    if (isTaken) this.#accepted++
    return isTaken
  }

  readonly #onConnection = (socket: Socket): void => {
    this.#accepted++
    this.#events.onConnection(socket)
  }

  readonly #onClose = (): void => this.#events.onClose()

  readonly #onError = (error: NodeJS.ErrnoException): void => {
    if (this.#binding) return // listen() rejects with it
    if (error.syscall === 'accept' && shortages.includes(error.code)) this.#events.onShortage()
    else this.#events.onError(error)
  }
}

function newNet(): Server {
  const net = createServer({ allowHalfOpen: true, noDelay: true })
  claim(net)
  return net
}

/** For a descriptor Node ignores `backlog` among the options, and takes it as the last argument. */
function withBacklog([where, ...more]: ListenArguments): readonly unknown[] {
  if (more.some(each => typeof each === 'number')) return [where, ...more]
  const { backlog = DEFAULT_BACKLOG } = Object(where) as ListenOptions // numbers and strings have none
  return [where, ...more.filter(each => each !== undefined), backlog]
}
