// One accepted connection from accept to the end: it holds the socket, settles once on why it ended, and carries that
// to the handler's signal.

import { randomUUID } from 'node:crypto'
import type { Socket } from 'node:net'
import { ProxyProtocolError, type ProxyHeader } from '../codec/index.ts'
import { reasonOf, type CloseReason } from './close-reason.ts'
import { applyHeader, type ConnectionInfo } from './connection-info.ts'
import { distinguishResets, isRelease } from './distinguish-resets.ts'
import type { Peer } from './trust.ts'

/** Where a connection is in its life; it only moves forward. */
export type ConnectionState = 'header' | 'open' | 'closing' | 'closed'

/** An accepted connection, as its handler sees it. */
export interface Connection {
  /** A UUID of this connection's own. */
  readonly id: string
  /**
   * Its address properties are the client's. Half-open: the peer's FIN does not end your side, but `for await` does at
   * its end, unless it reads `socket.iterator({ destroyOnReturn: false })`. `destroy(error)`, as pipeline() does it when
   * another stream fails, resets the connection and counts as an error of the handler.
   */
  readonly socket: Socket
  readonly info: ConnectionInfo
  /**
   * Aborts when the connection is over for any reason but your return; its reason is a ProxyProtocolError. To throw that
   * reason, or an AbortError caused by it, is no error.
   */
  readonly signal: AbortSignal
  readonly state: ConnectionState
  /** The server is closing: finish what you are at. Nothing is aborted yet. */
  readonly draining: boolean
  /** Milliseconds since it was accepted. */
  readonly age: number
  /** Why it ends, as soon as that is known; undefined while all is well and after an ordinary end. */
  readonly reason: CloseReason | undefined
  /**
   * Resets the connection and aborts `signal`, with an error of your own or one made from a reason; what the handler
   * throws from then on is no error. Default `'aborted'`.
   */
  abort(reason?: CloseReason | ProxyProtocolError): void
  /**
   * Hands the socket out: it survives the handler's return or throw and is yours to close. Listen to its `'error'`.
   *
   * @throws Error unless the connection is open: before its header, and after the handler's return, it is not yours.
   */
  detach(): Socket
}

/** What a connection needs of its server. */
export interface ConnectionOwner {
  /** Milliseconds to wait for the peer's FIN after the handler's return. */
  readonly halfCloseTimeout: number
  isDraining(): boolean
  transport(): Peer['transport']
  /** Called once at most for each connection, with what its handler threw. */
  report(error: unknown, connection: Connection): void
}

/** How the network ends a connection, in the words of the operating systems. */
const networkErrors = [
  ...['ECONNRESET', 'EPIPE', 'ECONNABORTED', 'ENOTCONN', 'ETIMEDOUT'],
  ...['EHOSTUNREACH', 'EHOSTDOWN', 'ENETUNREACH', 'ENETDOWN', 'ENETRESET'],
]

export class AcceptedConnection implements Connection {
  readonly id: string = randomUUID()
  readonly socket: Socket
  readonly #owner: ConnectionOwner
  readonly #acceptedAt = performance.now()
  readonly #closed: Promise<void>
  #info: ConnectionInfo
  #state: ConnectionState = 'header'
  #reason: CloseReason | undefined
  #over: ProxyProtocolError | undefined
  #controller: AbortController | undefined
  #detached = false

  constructor(socket: Socket, owner: ConnectionOwner) {
    this.socket = socket
    this.#owner = owner
    this.#info = applyHeader(socket, undefined)
    if (owner.transport() === 'tcp') distinguishResets(socket)
    this.#closed = new Promise(resolve => {
      socket.on('error', this.#onError).once('close', () => {
        this.#onClose()
        resolve()
      })
    })
  }

  get info(): ConnectionInfo {
    return this.#info
  }

  get state(): ConnectionState {
    return this.#state
  }

  get draining(): boolean {
    return this.#owner.isDraining()
  }

  get age(): number {
    return performance.now() - this.#acceptedAt
  }

  get reason(): CloseReason | undefined {
    return this.#reason
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController()
      if (this.#over) this.#controller.abort(this.#over)
    }
    return this.#controller.signal
  }

  abort(reason: CloseReason | ProxyProtocolError = 'aborted'): void {
    const error = reason instanceof ProxyProtocolError ? reason : new ProxyProtocolError(reason)
    if (this.#settle(error)) this.#reset()
  }

  detach(): Socket {
    if (this.#state !== 'open')
      throw new Error(`detach() needs an open connection, this one is ${this.#state}`)
    this.#detached = true
    return this.socket.off('error', this.#onError)
  }

  /** Closes it before its handler could start; false where it was over already. */
  reject(error: ProxyProtocolError): boolean {
    const settled = this.#settle(error)
    this.socket.destroy()
    return settled
  }

  /** Runs the handler, unless the connection is over already, and resolves when it has settled. */
  async serve(header: ProxyHeader | undefined, handler: (connection: Connection) => unknown): Promise<void> {
    if (this.#reason !== undefined) return
    this.#state = 'open'
    try {
      if (header !== undefined) this.#info = applyHeader(this.socket, header)
      await handler(this)
      if (!this.#detached && !this.socket.destroyed) this.#finish()
    } catch (error) {
      this.#fail(error)
    }
  }

  /** Resolves when the socket is closed, or at once where it was handed out. */
  async closed(): Promise<void> {
    if (!this.#detached) await this.#closed
    this.#state = 'closed'
  }

  /** Ends our side and discards what still comes until the peer has ended its own. */
  #finish(): void {
    this.#state = 'closing'
    const { socket } = this
    const timer = setTimeout(() => {
      this.#settle(new ProxyProtocolError('half_close_timeout'))
      if (socket.writableFinished) socket.destroy()
      else this.#reset() // what the peer has not taken is lost, and it must notice
    }, this.#owner.halfCloseTimeout).unref()
    socket.once('close', () => {
      clearTimeout(timer)
    })
    socket.end()
    socket.resume()
  }

  /** A throw is the handler's fault unless the connection had been taken from under it. */
  #fail(error: unknown): void {
    if (this.#tellsTheEnd(error)) return
    if (!this.#settle(new ProxyProtocolError('handler_error', { cause: error }))) return
    this.#reset()
    this.#owner.report(error, this)
  }

  /** Whether it only passes on what the signal said, as everything in Node that takes a signal does. */
  #tellsTheEnd(error: unknown): boolean {
    if (this.#over === undefined) return false
    return error === this.#over || (error instanceof Error && error.cause === this.#over)
  }

  readonly #onError = (error: NodeJS.ErrnoException): void => {
    if (this.#state === 'header' || isRelease(error)) return // read-header.ts makes the reason of the former
    if (!networkErrors.includes(error.code ?? ''))
      this.#fail(error) // somebody destroyed the socket with it
    else this.#settle(new ProxyProtocolError('client_reset', { cause: error }))
  }

  /** The signal comes a tick later: who listens to 'close' as well sees the ordinary end that it is. */
  #onClose(): void {
    if (this.#state !== 'open') return
    process.nextTick(() => {
      this.#end(new ProxyProtocolError('done'))
    })
  }

  /** The first reason counts; true where this was it. */
  #settle(error: ProxyProtocolError): boolean {
    if (this.#reason !== undefined || this.#state === 'closed') return false
    this.#reason = reasonOf(error)
    this.#state = 'closing'
    this.#end(error)
    return true
  }

  #end(error: ProxyProtocolError): void {
    this.#over ??= error
    this.#controller?.abort(this.#over)
  }

  #reset(): void {
    if (this.#detached) return
    // A pipe knows no RST, and Node throws when asked to send one.
    if (this.#owner.transport() === 'unix') this.socket.destroy()
    else this.socket.resetAndDestroy()
  }
}
