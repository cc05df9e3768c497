// What both ways of reading a header share: one absolute deadline, every end of the socket, and the outcome so far. It
// settles once.

import type { Socket } from 'node:net'
import {
  type DecodeOptions,
  type DecodeResult,
  type ProxyHeader,
  ProxyProtocolError,
} from '../../codec/index.ts'

import type { Deadlines, Waiting } from './deadlines.ts'

const NOTHING = new Uint8Array()

/** How a connection may start; checked before. */
export interface StartRules {
  readonly decode: DecodeOptions
  /** Milliseconds. */
  readonly timeout: number
  /** Of all connections that start so. */
  readonly deadlines: Deadlines
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

export abstract class StartReader implements Waiting {
  readonly deadline: number
  protected readonly socket: Socket
  protected readonly rules: StartRules
  /** How many bytes have come. */
  protected received = 0
  readonly #waiter: StartWaiter

  /** @throws TypeError for a socket that gives text. */
  constructor(socket: Socket, rules: StartRules, waiter: StartWaiter) {
    if (socket.readableEncoding !== null) {
      throw new TypeError(`socket must give bytes, but it has the encoding ${socket.readableEncoding}`)
    }
    this.socket = socket
    this.rules = rules
    this.deadline = performance.now() + rules.timeout
    this.#waiter = waiter
  }

  start(): void {
    const { socket } = this
    if (socket.errored) this.onError(socket.errored)
    else if (socket.destroyed) this.onClose()
    else if (socket.readableEnded) this.onEnd()
    else {
      this.rules.deadlines.add(this)
      this.open()
    }
  }

  /** Hears of the end of a socket that Node has made. */
  protected listen(): void {
    const onEnd = (): void => this.onEnd()
    const onError = (cause: Error): void => this.onError(cause)
    const onClose = (): void => this.onClose()
    this.socket.on('end', onEnd).on('error', onError).on('close', onClose)
    this.unlisten = () => this.socket.off('end', onEnd).off('error', onError).off('close', onClose)
  }

  protected unlisten: () => unknown = doNothing

  /** Lets the bytes come. */
  protected abstract open(): void
  /** Lets no more come. */
  protected abstract shut(): void
  /** All bytes that have come. */
  protected abstract all(): Uint8Array
  /** What is wrong with the bytes that have come, if no more come. */
  protected abstract fault(): ProxyProtocolError

  /** Takes the verdict on the bytes so far, and what was read behind the header; true once the matter is settled. */
  protected judge(result: DecodeResult, rest: Uint8Array): boolean {
    if (result.status === 'partial') return false
    if (result.status === 'header') return this.#succeed(result.header, rest)
    if (result.status === 'absent' && this.rules.optional) return this.#succeed(undefined, this.all())
    return this.#fail(this.fault())
  }

  onEnd(): void {
    this.#fail(this.received === 0 ? new ProxyProtocolError('probe') : this.fault())
  }

  onDeadline(): void {
    const { received, rules } = this
    if (rules.optional && received === 0) return void this.#succeed(undefined, NOTHING)
    const detail = timeoutDetail(rules.timeout, received)
    this.#fail(new ProxyProtocolError('header_timeout', { detail }))
  }

  onError(cause: Error): void {
    this.#fail(new ProxyProtocolError(this.received === 0 ? 'probe' : 'client_reset', { cause }))
  }

  /** Neither FIN nor error came first: it was closed on this side. */
  onClose(): void {
    this.#fail(new ProxyProtocolError('aborted'))
  }

  #succeed(header: ProxyHeader | undefined, rest: Uint8Array): true {
    this.#stop()
    // A tick later Node has settled whether it goes on reading: what is done to the socket before, it may undo.
    process.nextTick(tell, this.#waiter, header, rest)
    return true
  }

  #fail(error: ProxyProtocolError): true {
    this.#stop()
    this.#waiter.onFault(error)
    return true
  }

  #stop(): void {
    this.rules.deadlines.delete(this)
    this.shut()
  }
}

function doNothing(): void {
  // as long as nothing listens
}

function tell(waiter: StartWaiter, header: ProxyHeader | undefined, rest: Uint8Array): void {
  waiter.onStart(header, rest)
}

function timeoutDetail(timeout: number, received: number): string {
  if (received > 0) return `${received} bytes had come after ${timeout} ms`
  return (
    `nothing came within ${timeout} ms; if the client waits for the server to speak first, note that ` +
    'AWS NLB sends the header only with the first payload unless it is set to on_first_ack'
  )
}
