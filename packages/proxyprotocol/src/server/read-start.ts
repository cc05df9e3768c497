// What reading the start of a connection is made of, however its bytes come: one absolute deadline, every way in which the
// socket may end, and the verdict on the bytes so far. It settles once.

import type { Socket } from 'node:net'
import {
  decodeHeader,
  HeaderDecoder,
  ProxyProtocolError,
  type DecodeOptions,
  type ProxyHeader,
} from '../codec/index.ts'

/** How a connection may start; checked before. */
export interface StartRules {
  readonly decode: DecodeOptions
  /** Milliseconds. */
  readonly timeout: number
  /** Whether the header may be missing: the first bytes are payload then, and silence until the deadline is none. */
  readonly optional: boolean
}

/** Waits for the start of a connection: one of the two is called, once, perhaps before the reading has returned. */
export interface StartWaiter {
  /**
   * @param header undefined where none came.
   * @param rest what was read behind it and has yet to be put back; without a header all that has come.
   */
  onStart(header: ProxyHeader | undefined, rest: Uint8Array): void
  onFault(error: ProxyProtocolError): void
}

export abstract class StartReader {
  protected readonly socket: Socket
  readonly #rules: StartRules
  readonly #waiter: StartWaiter
  /** All that has come, where it is payload if there is no header. */
  readonly #kept: Uint8Array[] | undefined
  /** Undefined until the header is seen not to come in one piece, as most do. */
  #decoder: HeaderDecoder | undefined
  #timer: NodeJS.Timeout | undefined
  #received = 0

  /** @throws TypeError for a socket that gives text. */
  constructor(socket: Socket, rules: StartRules, waiter: StartWaiter) {
    if (socket.readableEncoding !== null) {
      throw new TypeError(`socket must give bytes, but it has the encoding ${socket.readableEncoding}`)
    }
    this.socket = socket
    this.#rules = rules
    this.#waiter = waiter
    this.#kept = rules.optional ? [] : undefined
  }

  start(): void {
    const { socket } = this
    if (socket.errored) this.#onError(socket.errored)
    else if (socket.destroyed) this.#onClose()
    else if (socket.readableEnded) this.onEnd()
    else {
      this.#timer = setTimeout(onDeadline, this.#rules.timeout, this).unref()
      socket.on('error', this.#onError).on('close', this.#onClose)
      this.open()
    }
  }

  /** Lets the bytes come. */
  protected abstract open(): void
  /** Lets no more come. */
  protected abstract shut(): void
  /** Puts back what was read behind the header, or gives what is left of it to the waiter. */
  protected abstract putBack(rest: Uint8Array): Uint8Array

  /** Takes the next bytes; true once the matter is settled. */
  protected take(chunk: Uint8Array): boolean {
    const { decode } = this.#rules
    this.#received += chunk.length
    this.#kept?.push(chunk)
    if (this.#decoder === undefined) {
      const result = decodeHeader(chunk, decode)
      if (result.status === 'header') return this.#succeed(result.header, chunk.subarray(result.byteLength))
      this.#decoder = new HeaderDecoder(decode)
    }
    const result = this.#decoder.push(chunk)
    if (result.status === 'partial') return false
    if (result.status === 'header') return this.#succeed(result.header, this.#decoder.rest)
    if (result.status === 'absent' && this.#kept) return this.#succeed(undefined, Buffer.concat(this.#kept))
    return this.#fail(this.#decoder.fault())
  }

  protected readonly onEnd = (): void => {
    this.#fail(this.#decoder === undefined ? new ProxyProtocolError('probe') : this.#decoder.fault())
  }

  onDeadline(): void {
    if (this.#kept?.length === 0) return void this.#succeed(undefined, new Uint8Array())
    const detail = timeoutDetail(this.#rules.timeout, this.#received)
    this.#fail(new ProxyProtocolError('header_timeout', { detail }))
  }

  readonly #onError = (cause: Error): void => {
    this.#fail(new ProxyProtocolError(this.#received === 0 ? 'probe' : 'client_reset', { cause }))
  }

  /** Neither FIN nor error came first: it was closed on this side. */
  readonly #onClose = (): void => {
    this.#fail(new ProxyProtocolError('aborted'))
  }

  #succeed(header: ProxyHeader | undefined, rest: Uint8Array): true {
    this.#stop()
    // A tick later Node has settled whether it goes on reading: what is done to the socket before, it may undo.
    process.nextTick(tell, this.#waiter, header, this.putBack(rest))
    return true
  }

  #fail(error: ProxyProtocolError): true {
    this.#stop()
    this.#waiter.onFault(error)
    return true
  }

  #stop(): void {
    clearTimeout(this.#timer)
    this.socket.off('error', this.#onError).off('close', this.#onClose)
    this.shut()
  }
}

function tell(waiter: StartWaiter, header: ProxyHeader | undefined, rest: Uint8Array): void {
  waiter.onStart(header, rest)
}

function onDeadline(reader: StartReader): void {
  reader.onDeadline()
}

function timeoutDetail(timeout: number, received: number): string {
  if (received > 0) return `${received} bytes had come after ${timeout} ms`
  return (
    `nothing came within ${timeout} ms; if the client waits for the server to speak first, note that ` +
    'AWS NLB sends the header only with the first payload unless it is set to on_first_ack'
  )
}
