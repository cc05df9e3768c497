// Connects a handle. The deadline is absolute.

import { ProxyProtocolError, type ErrorCode } from 'proxyprotocol'
import { isIPv6 } from 'node:net'
import { nodeTcp, type Request, type TcpHandle } from './node-tcp.ts'
import { systemError } from './system-error.ts'

export interface Target {
  /** No name. */
  readonly address: string
  readonly port: number
  readonly source: string | undefined
  /** Milliseconds. */
  readonly timeout: number
}

interface ConnectRequest extends Request {
  dial: Dial
}

const CODES: ReadonlyMap<string | undefined, ErrorCode> = new Map([
  ['ECONNREFUSED', 'connect_refused'],
  ['ETIMEDOUT', 'connect_timeout'],
])

/** Node's constant for a socket that does not listen. */
const SOCKET = 0

export class Dial {
  readonly #handle: TcpHandle = new (nodeTcp().Handle)(SOCKET)
  readonly #target: Target
  readonly #resolve: (handle: TcpHandle) => void
  readonly #reject: (error: ProxyProtocolError) => void
  readonly #timer: NodeJS.Timeout
  #isOver = false

  constructor(
    target: Target,
    resolve: (handle: TcpHandle) => void,
    reject: (error: ProxyProtocolError) => void,
  ) {
    this.#target = target
    this.#resolve = resolve
    this.#reject = reject
    this.#timer = setTimeout(Dial.#expire, target.timeout, this)
    this.#start()
  }

  /** Ends the attempt, if it is not over. */
  cancel(error: ProxyProtocolError): void {
    if (this.#isOver) return
    this.#end()
    this.#handle.close()
    this.#reject(error)
  }

  static #expire(dial: Dial): void {
    dial.cancel(new ProxyProtocolError('connect_timeout', { detail: `${String(dial.#target.timeout)} ms` }))
  }

  static #onComplete(this: ConnectRequest, status: number): void {
    this.dial.#completed(status)
  }

  #start(): void {
    const { address, port, source } = this.#target
    const handle = this.#handle
    const isV6 = isIPv6(address)
    const bound = source === undefined ? 0 : isV6 ? handle.bind6(source, 0, 0) : handle.bind(source, 0)
    if (bound !== 0) return this.#fail(bound, 'bind', String(source))
    const request = new (nodeTcp().ConnectRequest)() as ConnectRequest // its field is set here
    request.dial = this
    request.oncomplete = Dial.#onComplete
    const status = isV6 ? handle.connect6(request, address, port) : handle.connect(request, address, port)
    if (status !== 0) this.#fail(status, 'connect', `${address}:${String(port)}`)
  }

  #completed(status: number): void {
    if (this.#isOver) return
    const { address, port } = this.#target
    if (status < 0) return this.#fail(status, 'connect', `${address}:${String(port)}`)
    this.#end()
    this.#resolve(this.#handle)
  }

  #fail(status: number, syscall: string, where: string): void {
    const cause = systemError(status, syscall, ` ${where}`)
    const code = CODES.get(cause.code) ?? 'connect_error'
    this.cancel(new ProxyProtocolError(code, { detail: cause.message, cause }))
  }

  #end(): void {
    this.#isOver = true
    clearTimeout(this.#timer)
  }
}
