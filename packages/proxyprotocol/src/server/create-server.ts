// A server whose connection handler is awaited: its promise is held for the whole life of its connection, its error
// surfaces exactly once, and closing the server waits for it.

import { once } from 'node:events'
import {
  createServer as createNetServer,
  type AddressInfo,
  type ListenOptions,
  type Server,
  type Socket,
} from 'node:net'
import { ProxyProtocolError, type ProxyHeader } from '../codec/index.ts'
import { emptyCounters, type CloseReason } from './close-reason.ts'
import { AcceptedConnection, type Connection, type ConnectionOwner } from './connection.ts'
import { closedChannel, rejectedChannel, type ClosedMessage, type RejectedMessage } from './diagnostics.ts'
import { Drain, type CloseOptions, type CloseResult, type Drainable } from './drain.ts'
import { serverSettings, type ServerOptions, type ServerSettings } from './options.ts'
import { receiveHeader } from './receive-header.ts'
import { report } from './report.ts'
import type { Peer } from './trust.ts'

/** Serves one connection; the connection lives as long as the returned promise. */
export type Handler = (connection: Connection) => void | Promise<void>

/** `draining` from the first call of `close()`, `closed` once it has resolved. */
export type ServerState = 'idle' | 'listening' | 'draining' | 'closed'

/** Counters since the start. `accepted` is always `active` and all of `closed` together. */
export interface ServerStats {
  readonly accepted: number
  readonly active: number
  readonly closed: Readonly<Record<CloseReason, number>>
}

/** Where to listen: what `net.Server.listen` takes, without its callback. */
export type ListenArguments =
  | readonly [options: ListenOptions]
  | readonly [port: number, host?: string, backlog?: number]
  | readonly [path: string, backlog?: number]
  | readonly [handle: { readonly fd: number }, backlog?: number]

/** What accept() fails with for want of descriptors or memory. */
const shortages: readonly (string | undefined)[] = ['EMFILE', 'ENFILE', 'ENOBUFS', 'ENOMEM']

/**
 * Makes a server that reads the header of each connection and then awaits `handler` for as long as the connection lasts.
 *
 * When the handler returns, the connection is ended gracefully; when it throws, that one connection is reset and
 * `onError` hears of it, once; a connection without a valid header never reaches it.
 *
 * @throws TypeError or RangeError naming the option that is wrong.
 *
 * @example
 * ```ts
 * import { pipeline } from 'node:stream/promises'
 * import { createServer } from 'proxyprotocol/server'
 *
 * const server = createServer({ trust: ['127.0.0.1'] }, async ({ socket, signal }) => {
 *   await pipeline(socket, socket, { signal }) // echo
 * })
 * await server.listen(0, '127.0.0.1')
 * await server.close()
 * ```
 */
export function createServer(options: ServerOptions, handler: Handler): ProxyServer {
  return new ProxyServer(options, handler)
}

/** The server that `createServer` makes. */
export class ProxyServer implements AsyncDisposable {
  readonly #settings: ServerSettings
  readonly #handler: Handler
  readonly #net: Server
  readonly #owner: ConnectionOwner
  readonly #held = new Set<AcceptedConnection>()
  readonly #closed = emptyCounters()
  readonly #signal: AbortSignal | undefined
  #accepted = 0
  #state: ServerState = 'idle'
  #binding: AbortController | undefined
  #transport: Peer['transport'] = 'tcp'
  #drain: Drain | undefined

  constructor(options: ServerOptions, handler: Handler) {
    if (typeof handler !== 'function')
      throw new TypeError(`handler must be a function, got ${typeof handler}`)
    this.#settings = serverSettings(options)
    this.#handler = handler
    this.#owner = this.#ownership()
    this.#net = createNetServer({ allowHalfOpen: true, noDelay: true })
    this.#net.on('connection', this.#onConnection).on('error', this.#onListenerError)
    this.#net.on('close', () => void this.close()) // also where the signal of ListenOptions ended it
    this.#signal = options.signal
    this.#signal?.addEventListener('abort', this.#onSignal, { once: true })
    if (this.#signal?.aborted) this.#onSignal()
  }

  get state(): ServerState {
    return this.#state
  }

  /**
   * The bound address: `{ address, family, port }`, a path for a UNIX socket (empty where it came as a descriptor), null
   * while not listening.
   */
  get address(): AddressInfo | string | null {
    return this.#net.listening ? (this.#net.address() ?? '') : null
  }

  /** Every connection from its accept until its socket is closed and its handler has settled. */
  get connections(): ReadonlySet<Connection> {
    return this.#held
  }

  stats(): ServerStats {
    return { accepted: this.#accepted, active: this.#held.size, closed: { ...this.#closed } }
  }

  /**
   * Starts listening.
   *
   * @returns the bound address.
   * @throws the system's error when the address cannot be bound; the server may try again then.
   */
  async listen(...args: ListenArguments): Promise<AddressInfo | string> {
    if (this.#state !== 'idle' || this.#binding) {
      throw new Error(
        `listen() needs a new server, this one is ${this.#binding ? 'binding' : this.#state} already`,
      )
    }
    this.#binding = new AbortController()
    try {
      this.#net.listen(...(args as [ListenOptions])) // Node tells its overloads apart at run time
      await Promise.race(['listening', 'close'].map(event => once(this.#net, event, this.#binding)))
    } finally {
      this.#binding.abort()
      this.#binding = undefined
    }
    if (this.#drain) throw new Error('the server was closed before it could listen')
    this.#state = 'listening'
    const address = this.address as AddressInfo | string // it is listening, so there is one
    if (typeof address === 'string') this.#transport = 'unix'
    return address
  }

  /**
   * Stops listening and waits for the handlers; those that are left at the deadline are aborted and their connections
   * reset. Calls after the first join it. Never rejects for a client's sake.
   *
   * @throws RangeError naming the option that is wrong.
   */
  async close(options: CloseOptions = {}): Promise<CloseResult> {
    if (this.#drain === undefined) {
      this.#drain = new Drain(this.#drainable(), options)
      this.#state = 'draining'
    }
    const result = await this.#drain.result
    this.#state = 'closed'
    this.#signal?.removeEventListener('abort', this.#onSignal)
    return result
  }

  /** Closes without patience, also when `close()` is waiting already; the signals' reason has `reason` as its cause. */
  async abort(reason?: unknown): Promise<CloseResult> {
    const result = this.close({ drain: 0 })
    this.#drain?.abort(reason)
    return result
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  readonly #onSignal = (): void => {
    void this.abort(this.#signal?.reason) // whoever needs its end awaits close(), which joins
  }

  readonly #onConnection = (socket: Socket): void => {
    this.#accepted++
    void this.#serve(new AcceptedConnection(socket, this.#owner)) // held by #held, and never rejects
  }

  readonly #onListenerError = (error: NodeJS.ErrnoException): void => {
    if (this.#binding) return // listen() rejects with it
    if (error.syscall === 'accept' && shortages.includes(error.code)) {
      // Out of descriptors or memory: the client was turned away, and the next accept may go well again.
      this.#accepted++
      this.#closed.limit_fds++
      return
    }
    void report(this.#settings.onError, error, undefined)
    void this.close()
  }

  async #serve(connection: AcceptedConnection): Promise<void> {
    this.#held.add(connection)
    const admitted = await this.#admit(connection)
    if (admitted) await connection.serve(admitted.header, this.#handler)
    await connection.closed()
    this.#held.delete(connection)
    const { reason = 'done' } = connection
    this.#closed[reason]++
    if (closedChannel.hasSubscribers) closedChannel.publish({ connection, reason } satisfies ClosedMessage)
    if (this.#held.size === 0) this.#drain?.emptied()
  }

  async #admit(connection: AcceptedConnection): Promise<{ header: ProxyHeader | undefined } | undefined> {
    try {
      return { header: await receiveHeader(connection.socket, this.#transport, this.#settings) }
    } catch (error) {
      const refusal = error instanceof ProxyProtocolError ? error : this.#failClosed(error, connection)
      const first = connection.reject(refusal)
      if (first && refusal.code !== 'probe' && rejectedChannel.hasSubscribers) {
        rejectedChannel.publish({ connection, error: refusal } satisfies RejectedMessage)
      }
      return undefined
    }
  }

  /** A predicate that throws has not said yes. */
  #failClosed(cause: unknown, connection: Connection): ProxyProtocolError {
    void report(this.#settings.onError, cause, connection)
    return new ProxyProtocolError('untrusted_peer', { detail: 'the trust predicate threw', cause })
  }

  #ownership(): ConnectionOwner {
    const { halfCloseTimeout, onError } = this.#settings
    return {
      halfCloseTimeout,
      isDraining: () => this.#drain !== undefined,
      transport: () => this.#transport,
      report: (error, connection) => void report(onError, error, connection),
    }
  }

  #drainable(): Drainable {
    return {
      held: this.#held,
      abortTimeout: this.#settings.abortTimeout,
      stopListening: () => void this.#net.close(),
    }
  }
}
