// A client's connection on handles, as its server knows it. One object does it all, because each costs memory while the
// connection is idle.

import { randomUUID } from 'node:crypto'
import type { Socket } from 'node:net'
import { ProxyProtocolError } from 'proxyprotocol'
import type { HandleServer } from 'proxyprotocol/internal/node'
import type { CloseReason, Connection, ConnectionInfo, ConnectionState } from 'proxyprotocol/server'
import type { Traffic } from '../direction.ts'
import { Dial, type Target } from './dial.ts'
import type { TcpHandle } from './node-tcp.ts'
import { Pair, type PairTimes } from './pair.ts'

/** Relays the connections of one service. */
export interface HandleService<T extends Traffic> {
  readonly times: PairTimes
  /** It was admitted; its client is read from now on. */
  opened(connection: HandleConnection<T>): T
  /** Called once for each that was opened. */
  closed(connection: HandleConnection<T>, traffic: T, error: ProxyProtocolError | undefined): void
}

export interface HandleConnectionInit<T extends Traffic> {
  readonly handle: TcpHandle
  readonly info: ConnectionInfo
  readonly server: HandleServer<HandleConnection<T>>
  readonly service: HandleService<T>
}

/** Shared, as for sockets. */
const done = new ProxyProtocolError('done')
const probe = new ProxyProtocolError('probe')

export class HandleConnection<T extends Traffic> extends Pair implements Connection {
  readonly info: ConnectionInfo
  readonly tls = undefined
  readonly stuck = false
  /** Its server's, both of them. */
  hasSlot = false
  served = false
  readonly #server: HandleServer<HandleConnection<T>>
  readonly #service: HandleService<T>
  readonly #acceptedAt: number = performance.now()
  #id: string | undefined = undefined
  #traffic: T | undefined = undefined
  #state: ConnectionState = 'accepted'
  #error: ProxyProtocolError | undefined = undefined
  #controller: AbortController | undefined = undefined
  #dial: Dial | undefined = undefined
  readonly #onClose: (() => void)[] = []

  constructor({ handle, info, server, service }: HandleConnectionInit<T>) {
    super(handle, service.times)
    this.info = info
    this.#server = server
    this.#service = service
  }

  get id(): string {
    return (this.#id ??= randomUUID())
  }

  get socket(): Socket {
    throw new Error('a connection on handles has no socket; set dataPlane to "sockets"')
  }

  get traffic(): T {
    return this.#traffic as T // bytes move after open()
  }

  get destroyed(): boolean {
    return this.isOver
  }

  /** True while bytes wait for the upstream. */
  get isPending(): boolean {
    return this.up.isPending
  }

  get state(): ConnectionState {
    return this.#state
  }

  get draining(): boolean {
    return this.#server.isDraining()
  }

  get age(): number {
    return performance.now() - this.#acceptedAt
  }

  get reason(): CloseReason | undefined {
    return this.#error?.code as CloseReason | undefined // abort() and fault() take no others
  }

  get activity(): number | undefined {
    return this.#state === 'open' ? this.moved : undefined
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController()
      if (this.isOver) this.#controller.abort(this.#error ?? done)
    }
    return this.#controller.signal
  }

  abort(reason: CloseReason | ProxyProtocolError = 'aborted'): void {
    if (this.isOver) return
    const error = reason instanceof ProxyProtocolError ? reason : new ProxyProtocolError(reason)
    const hasAll = error.code === 'half_close_timeout' && this.down.isShut
    this.#end(error, { resetNear: !hasAll, resetFar: true })
  }

  setIdleTimeout(timeout: number): void {
    this.#server.setIdleTimeout(this, timeout)
  }

  detach(): never {
    return this.socket as never // it throws
  }

  /** False if it was over already. */
  reject(error: ProxyProtocolError, byReset: boolean): boolean {
    if (this.isOver) return false
    this.#end(error, { resetNear: byReset, resetFar: false })
    return true
  }

  open(): void {
    this.#state = 'open'
    this.#traffic = this.#service.opened(this)
    if (!this.isOver) this.listen()
  }

  /** Calls back when it is closed, or now if it is. */
  on(_event: 'close', listener: () => void): this {
    if (this.isOver) listener()
    else this.#onClose.push(listener)
    return this
  }

  once(event: 'close', listener: () => void): this {
    return this.on(event, listener)
  }

  off(_event: 'close', listener: () => void): this {
    const at = this.#onClose.indexOf(listener)
    if (at >= 0) this.#onClose.splice(at, 1)
    return this
  }

  /** Connects the upstream; it gets its first bytes with `begin()`. */
  dial(target: Target): Promise<this> {
    return new Promise((resolve, reject) => {
      if (this.isOver) return reject(this.#aborted())
      const onConnected = (far: TcpHandle): void => {
        this.#dial = undefined
        this.far = far
        resolve(this)
      }
      this.#dial = new Dial(target, onConnected, reject)
    })
  }

  /** The address of the upstream. */
  get upstreamEnd(): { readonly address: string; readonly port: number } | undefined {
    const end: { address?: string; port?: number } = {}
    this.far?.getpeername(end)
    const { address, port } = end
    return address === undefined || port === undefined ? undefined : { address, port }
  }

  begin(head: Uint8Array | undefined): void {
    if (this.far && !this.isOver) this.join(this.far, head)
  }

  /** A fault of the relay itself. */
  fail(cause: unknown): void {
    if (this.isOver) return
    if (cause instanceof ProxyProtocolError) return this.abort(cause)
    this.abort(new ProxyProtocolError('handler_error', { cause }))
    this.#server.report(cause, this)
  }

  protected done(): void {
    this.#end(this.#isProbe() ? probe : undefined, { resetNear: false, resetFar: false })
  }

  protected fault(side: 'client' | 'upstream', cause: NodeJS.ErrnoException): void {
    this.#end(this.#faultOf(side, cause), { resetNear: true, resetFar: true })
  }

  protected silence(detail: string): void {
    this.abort(new ProxyProtocolError('half_close_timeout', { detail }))
  }

  #end(
    error: ProxyProtocolError | undefined,
    { resetNear, resetFar }: { readonly resetNear: boolean; readonly resetFar: boolean },
  ): void {
    this.#error = error
    this.#state = 'closed'
    this.close(resetNear, resetFar)
    this.#dial?.cancel(this.#aborted())
    this.#controller?.abort(error ?? done)
    for (const listener of [...this.#onClose]) listener() // one may take itself off
    if (this.#traffic) this.#tellService(this.#traffic, error)
    this.#server.closed(this)
  }

  #tellService(traffic: T, error: ProxyProtocolError | undefined): void {
    try {
      this.#service.closed(this, traffic, error)
    } catch (fault) {
      this.#server.report(fault, this)
    }
  }

  #faultOf(side: 'client' | 'upstream', cause: NodeJS.ErrnoException): ProxyProtocolError {
    const { message: detail } = cause
    if (side === 'upstream') return new ProxyProtocolError('upstream_reset', { detail, cause })
    return this.#isProbe() ? probe : new ProxyProtocolError('client_reset', { cause })
  }

  /** A client that leaves before any byte of either side. */
  #isProbe(): boolean {
    const { bytesDown, upstreamEnded } = this.traffic
    return this.near.bytesRead === 0 && bytesDown === 0 && upstreamEnded !== true
  }

  #aborted(): ProxyProtocolError {
    return new ProxyProtocolError('aborted', { cause: this.#error })
  }
}
