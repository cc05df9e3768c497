// One accepted connection: holds the socket, decides once why it ends, and reports that to the handler's signal.

import { randomUUID } from 'node:crypto'
import type { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { isNativeError } from 'node:util/types'
import { milliseconds } from '../../checks/index.ts'
import { ProxyProtocolError } from '../../codec/index.ts'
import {
  adoptInfo,
  applyHeader,
  clientFault,
  closeOrReset,
  type ConnectionInfo,
  distinguishResets,
  endStream,
  isForeign,
  isRelease,
  knownInfo,
  limitHalfClose,
  reset,
} from '../socket/index.ts'
import { type CloseReason, reasonOf } from './close-reason.ts'
import type { ConnectionOwner } from './connection-owner.ts'
import type { Connection, ConnectionState } from './connection.ts'
import { explained } from './handler-return.ts'
import { movedOn, type Watched } from './idle-watch.ts'

/** Shared: an error for each connection that ends well would cost more than its end. */
const done = new ProxyProtocolError('done')

export class AcceptedConnection implements Connection, Watched {
  #id: string | undefined
  readonly #raw: Socket
  readonly #owner: ConnectionOwner
  readonly #acceptedAt = performance.now()
  #tls: TLSSocket | undefined
  #closed: Promise<unknown>
  #state: ConnectionState = 'accepted'
  #reason: CloseReason | undefined
  #over: ProxyProtocolError | undefined
  #controller: AbortController | undefined
  #detached = false
  #running = false
  #stuck = false
  #timer: NodeJS.Timeout | undefined

  constructor(socket: Socket, owner: ConnectionOwner) {
    this.#raw = socket
    this.#owner = owner
    applyHeader(socket, undefined)
    if (owner.transport() === 'tcp') distinguishResets(socket)
    this.#closed = this.#watch(socket)
  }

  get id(): string {
    return (this.#id ??= randomUUID())
  }

  get socket(): Socket {
    return this.#tls ?? this.#raw
  }

  get tls(): TLSSocket | undefined {
    return this.#tls
  }

  get info(): ConnectionInfo {
    return knownInfo(this.#raw)
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

  get stuck(): boolean {
    return this.#stuck
  }

  get activity(): number | undefined {
    const idles = this.#state === 'open' && !this.#detached && !this.#raw.destroyed
    return idles ? movedOn(this.#raw) : undefined
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
    if (!this.#settle(error) || this.#detached) return
    if (error.code === 'half_close_timeout') closeOrReset(this.socket)
    else reset(this.socket)
  }

  setIdleTimeout(timeout: number): void {
    this.#owner.setIdleTimeout(this, timeout === Infinity ? timeout : milliseconds(timeout, 'timeout'))
  }

  detach(): Socket {
    if (this.#state !== 'open')
      throw new Error(`detach() needs an open connection, this one is ${this.#state}`)
    this.#detached = true
    return this.socket.off('error', this.#onError)
  }

  awaitHeader(): void {
    if (this.#state === 'accepted') this.#state = 'header'
  }

  secure(socket: TLSSocket): void {
    adoptInfo(socket)
    distinguishResets(socket, this.#raw)
    this.#tls = socket
    this.#closed = Promise.all([this.#closed, this.#watch(socket)])
  }

  /** False if it was over already. */
  reject(error: ProxyProtocolError, byReset: boolean): boolean {
    const settled = this.#settle(error)
    if (byReset) this.#reset()
    else this.#raw.destroy()
    return settled
  }

  open(): boolean {
    if (this.#reason !== undefined) return false
    this.#state = 'open'
    return true
  }

  /** The handler's promise is returned, not wrapped: one promise less for each connection. */
  run(handler: (connection: Connection) => unknown): unknown {
    this.#running = true
    return handler(this)
  }

  /** The handler has returned: sends FIN and discards what comes until the peer's FIN. */
  finish(): void {
    this.#settled()
    const { socket } = this
    if (this.#detached || socket.destroyed) return
    this.#state = 'closing'
    endStream(socket.resume())
    limitHalfClose(socket, this.#owner.halfCloseTimeout, () => this.abort('half_close_timeout'))
  }

  fail(error: unknown): void {
    this.#settled()
    this.#fail(error)
  }

  /** Resolves when the socket is closed or was detached. */
  closed(): Promise<unknown> {
    return this.#detached ? Promise.resolve() : this.#closed
  }

  markClosed(): void {
    this.#state = 'closed'
  }

  #watch(socket: Socket): Promise<void> {
    return new Promise(resolve => {
      socket.on('error', this.#onError).on('close', () => this.#onClose(resolve))
    })
  }

  #settled(): void {
    this.#running = this.#stuck = false
    clearTimeout(this.#timer)
  }

  /** A throw after the end of the connection is not a handler error. */
  #fail(error: unknown): void {
    if (this.#tellsTheEnd(error)) return
    if (!this.#settle(new ProxyProtocolError('handler_error', { cause: error }))) return
    this.#reset()
    this.#owner.report(error, this)
  }

  /** True if the error is the signal's reason, as every API of Node that takes a signal throws it. */
  #tellsTheEnd(error: unknown): boolean {
    if (this.#over === undefined) return false
    return error === this.#over || (isNativeError(error) && error.cause === this.#over)
  }

  readonly #onError = (error: NodeJS.ErrnoException): void => {
    const early = this.#state === 'accepted' || this.#state === 'header'
    if (early || this.#detached || isRelease(error)) return // their owners handle it
    const code = clientFault(error)
    // A client that breaks TLS leaves its TCP connection open.
    const isOurs = code === undefined || (isForeign(error) && !(this.#tls && code === 'tls_client_error'))
    if (isOurs) return this.#fail(this.#running ? error : explained(error)) // the program's own error
    const options = code === 'client_reset' ? { cause: error } : { detail: error.message, cause: error }
    this.#settle(new ProxyProtocolError(code, options))
    this.#reset() // Node leaves a TLS socket open whose peer broke TLS
  }

  /** One tick later, so that an ordinary end aborts no listener of 'close'. */
  #onClose(resolve: () => void): void {
    if (this.#state === 'accepted') this.#settle(new ProxyProtocolError('probe')) // it waited for a slot
    if (this.#state === 'open') process.nextTick(() => this.#end(done))
    resolve()
  }

  /** The first reason counts; true if this was it. */
  #settle(error: ProxyProtocolError): boolean {
    if (this.#reason !== undefined || this.#state === 'closed') return false
    this.#reason = reasonOf(error)
    this.#state = 'closing'
    this.#end(error)
    return true
  }

  #end(error: ProxyProtocolError): void {
    this.#over ??= error
    if (this.#running) this.#watchHandler(this.#over)
    this.#controller?.abort(this.#over)
  }

  /** A handler that ignores the abort stays tracked, and is reported. */
  #watchHandler(error: ProxyProtocolError): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => {
      this.#stuck = true
      this.#owner.stuck(error, this)
    }, this.#owner.abortTimeout).unref()
  }

  #reset(): void {
    if (!this.#detached) reset(this.socket)
  }
}
