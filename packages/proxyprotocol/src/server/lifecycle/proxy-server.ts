// A server whose handler is awaited: its promise is held as long as its connection, its error surfaces once, and
// closing waits for it.

import type { AddressInfo, Socket } from 'node:net'
import type { SecureContextOptions } from 'node:tls'
import { inspect } from 'node:util'
import type { ProxyProtocolError } from '../../codec/index.ts'
import { Admission } from '../admission/index.ts'
import { TlsAcceptor } from '../tls/index.ts'
import { AcceptedConnection } from './accepted-connection.ts'
import type { ConnectionOwner } from './connection-owner.ts'
import type { ServerStats } from './connection-tally.ts'
import type { Connection, Handler } from './connection.ts'
import { type CloseOptions, type CloseResult, Drain, type Drainable, type HandOverOptions } from './drain.ts'
import { type IntakeServer, type Rejectable, Roster, takerFor } from './held/index.ts'
import { type ListenArguments, Listener } from './listener.ts'
import { report } from './report.ts'
import { limitCodes, type ServerOptions, serverSettings, type ServerSettings } from './server-options.ts'

/** `draining` from the first `close()` or `handOver()`, `closed` when that has resolved. */
export type ServerState = 'idle' | 'listening' | 'draining' | 'closed'

/** The server that `createServer` makes. */
export class ProxyServer implements AsyncDisposable {
  readonly #settings: ServerSettings
  readonly #handler: Handler
  readonly #listener: Listener
  readonly #admission: Admission
  readonly #roster: Roster
  readonly #tls: TlsAcceptor | undefined
  readonly #owner: ConnectionOwner
  readonly #signal: AbortSignal | undefined
  #listened = false
  #drain: Drain | undefined

  constructor(options: ServerOptions, handler: Handler) {
    this.#settings = serverSettings(options)
    this.#handler = handler
    const { tls, handshakeTimeout } = this.#settings
    this.#tls = tls && new TlsAcceptor(tls, handshakeTimeout)
    this.#admission = new Admission(this.#settings)
    this.#roster = new Roster(this.#settings, {
      server: this,
      busiestSource: () => this.#admission.busiestSource,
      onEmpty: () => this.#drain?.emptied(),
    })
    this.#owner = this.#ownership()
    this.#listener = this.#listening(options)
    this.#signal = options.signal
    this.#signal?.addEventListener('abort', this.#onSignal)
    if (this.#signal?.aborted) this.#onSignal()
  }

  /** The state of the server; it only moves forward. */
  get state(): ServerState {
    if (this.#drain) return this.#drain.over ? 'closed' : 'draining'
    return this.#listened ? 'listening' : 'idle'
  }

  /** The bound address, or the path of a UNIX socket (empty for a descriptor); null while not listening. */
  get address(): AddressInfo | string | null {
    return this.#listener.address
  }

  /** Every connection from accept until its socket is closed and its handler has settled. */
  get connections(): ReadonlySet<Connection> {
    return this.#roster.held
  }

  /** A snapshot of the counters. */
  stats(): ServerStats {
    return this.#roster.tally.stats()
  }

  /**
   * Starts listening.
   *
   * @returns the bound address.
   * @throws the system's error when the address cannot be bound; the server may try again then.
   */
  async listen(...args: ListenArguments): Promise<AddressInfo | string> {
    this.#mustBeNew('listen() needs a new server, this one')
    await this.#listener.listen(args)
    if (this.#drain) throw new Error('the server was closed before it could listen')
    this.#listened = true
    return this.address as AddressInfo | string // it is listening
  }

  /**
   * Uses other certificates for new TLS connections.
   *
   * @throws Error if the server does not speak TLS; what `tls.createSecureContext` throws for a wrong certificate.
   */
  setSecureContext(options: SecureContextOptions): void {
    if (this.#tls === undefined) throw new Error('setSecureContext() needs a server with the option tls')
    this.#tls.setSecureContext(options)
  }

  /** Changes the limit on connections at a time; open connections stay. @throws RangeError for a wrong limit. */
  setConnectionLimit(connections: number): void {
    this.#roster.slots.limit = connections
  }

  /**
   * Stops listening and waits for the handlers. At the deadline the rest is aborted and reset. Later calls join the
   * first. It does not reject because of a client.
   *
   * @throws TypeError or RangeError naming the option that is wrong.
   */
  async close(options: CloseOptions = {}): Promise<CloseResult> {
    this.#drain?.close(options)
    this.#drain ??= Drain.closing(this.#drainable(), options)
    return this.#drain.result
  }

  /**
   * Gives the listening socket to a server that has not listened yet, at once: no connection is refused or lost. This
   * server is `draining` and keeps its connections, pending ones too; `close()` ends them sooner.
   *
   * @returns the result of its connections, when the last is gone or `drain` has passed. Never rejects.
   * @throws Error, at once, if this server does not listen or the successor has; RangeError naming a wrong option.
   * Nothing has changed then.
   */
  handOver(successor: ProxyServer, options: HandOverOptions = {}): Promise<CloseResult> {
    if (!(successor instanceof ProxyServer)) {
      throw new TypeError(`successor must be a ProxyServer, got ${inspect(successor, { depth: 0 })}`)
    }
    if (this.address === null || this.#drain) {
      throw new Error('handOver() needs a server that listens and is not draining')
    }
    successor.#mustBeNew('handOver() needs a successor that has not listened, this one')
    this.#drain = Drain.handedOver(this.#drainable(), options)
    this.#listener.moveTo(successor.#listener)
    successor.#listened = true
    return this.#drain.result
  }

  /** Closes at once, also during a `close()`; `reason` becomes the cause of the signals' reason. */
  async abort(reason?: unknown): Promise<CloseResult> {
    const result = this.close()
    this.#drain?.abort(reason)
    return result
  }

  /** The same as `close()`, for `await using`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  #mustBeNew(need: string): void {
    if (this.state === 'idle' && !this.#listener.binding) return
    throw new Error(`${need} is ${this.#listener.binding ? 'binding' : this.state} already`)
  }

  #drainable(): Drainable {
    return {
      held: this.#roster.held,
      abortTimeout: this.#settings.abortTimeout,
      listener: this.#listener,
      onOver: () => this.#signal?.removeEventListener('abort', this.#onSignal),
    }
  }

  readonly #onSignal = (): void => {
    void this.abort(this.#signal?.reason) // callers await close(), which joins
  }

  async #serve(socket: Socket): Promise<void> {
    const connection = new AcceptedConnection(socket, this.#owner)
    const atOnce = this.#roster.hold(connection)
    const hasSlot = atOnce || (await this.#waitForSlot(connection))
    let served = false
    try {
      if (!hasSlot) throw this.#roster.full()
      await this.#admit(connection, atOnce ? 0 : Math.round(connection.age))
      if (this.#tls) connection.secure(await this.#tls.handshake(socket))
      served = connection.open()
    } catch (error) {
      this.#reject(connection, error as ProxyProtocolError) // #admit() and handshake() reject with nothing else
    }
    if (served) {
      this.#roster.tally.opened(connection)
      try {
        await connection.run(this.#handler)
        connection.finish()
      } catch (error) {
        connection.fail(error)
      }
    }
    await connection.closed()
    connection.markClosed()
    this.#roster.release(connection, { hasSlot, served })
  }

  async #waitForSlot(connection: AcceptedConnection): Promise<boolean> {
    const { overLimit, waiting, headerTimeout } = this.#settings
    if (overLimit !== 'pause' || this.#roster.slots.waiting >= waiting) return false
    return this.#roster.slots.wait(headerTimeout, connection.signal)
  }

  #admit(connection: AcceptedConnection, waited: number): Promise<void> {
    connection.awaitHeader()
    const { socket } = connection
    const onFault = (cause: unknown): void => void report(this.#settings.onError, cause, connection)
    const onMissing = (): void => this.#roster.tally.missing(connection)
    const { transport } = this.#listener
    return this.#admission.admitted({ socket, transport, waited, onFault, onMissing })
  }

  #reject(connection: Rejectable, error: ProxyProtocolError): void {
    const reset = this.#settings.overLimit === 'reset' && limitCodes.includes(error.code)
    if (!connection.reject(error, reset) || error.code === 'probe') return
    this.#settings.refusals.report(error, connection.info, this.#roster.tally.rejected(connection, error))
  }

  #listening(options: ServerOptions): Listener {
    const [owner, admission, roster] = [this.#owner, this.#admission, this.#roster]
    const reject: IntakeServer['reject'] = (...rejected) => this.#reject(...rejected)
    return new Listener({
      onHandle: takerFor(options, { owner, admission, roster, reject }),
      firstRoom: this.#admission.firstRoom,
      onConnection: socket => void this.#serve(socket), // held by #held, and never rejects
      onShortage: () => this.#roster.tally.shortage(),
      onError: error => {
        void report(this.#settings.onError, error, undefined)
        void this.close()
      },
      onClose: () => void this.close(),
    })
  }

  #ownership(): ConnectionOwner {
    const { halfCloseTimeout, abortTimeout, onError } = this.#settings
    return {
      halfCloseTimeout,
      abortTimeout,
      setIdleTimeout: (connection, timeout) => this.#roster.idle.set(connection, timeout),
      isDraining: () => this.#drain !== undefined,
      transport: () => this.#listener.transport,
      report: (error, connection) => void report(onError, error, connection),
      stuck: (error, connection) => this.#roster.tally.stuck(connection, error),
    }
  }
}
