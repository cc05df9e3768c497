// Shared by both readers: one absolute deadline, every end of the socket, one outcome.

import type { Socket } from 'node:net'
import {
  type DecodeOptions,
  type DecodeResult,
  type ProxyHeader,
  ProxyProtocolError,
} from '../../codec/index.ts'
import { checkGivesBytes } from '../socket/index.ts'
import type { Deadlines, Waiting } from './deadlines.ts'

const NOTHING = new Uint8Array()

export interface StartRules {
  readonly decode: DecodeOptions
  readonly timeout: number
  readonly deadlines: Deadlines
  /** If the header may be missing, the first bytes are payload then, and silence means no header. */
  readonly optional: boolean
}

/** One of the two is called once, perhaps before the reading has returned. */
export interface StartWaiter {
  /** `rest` was read behind the header and must be put back; without a header it is everything. */
  onStart(header: ProxyHeader | undefined, rest: Uint8Array): void
  onFault(error: ProxyProtocolError): void
}

export abstract class StartReader implements Waiting {
  readonly deadline: number
  protected readonly socket: Socket
  protected readonly rules: StartRules
  protected received = 0
  readonly #waiter: StartWaiter

  constructor(socket: Socket, rules: StartRules, waiter: StartWaiter) {
    checkGivesBytes(socket)
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

  protected listen(): void {
    const onEnd = (): void => this.onEnd()
    const onError = (cause: Error): void => this.onError(cause)
    const onClose = (): void => this.onClose()
    this.socket.on('end', onEnd).on('error', onError).on('close', onClose)
    this.unlisten = () => this.socket.off('end', onEnd).off('error', onError).off('close', onClose)
  }

  protected unlisten: () => unknown = doNothing

  protected abstract open(): void
  protected abstract shut(): void
  protected abstract all(): Uint8Array
  protected abstract fault(): ProxyProtocolError

  /** True once the outcome is decided. */
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

  onClose(): void {
    this.#fail(new ProxyProtocolError('aborted'))
  }

  #succeed(header: ProxyHeader | undefined, rest: Uint8Array): true {
    this.#stop()
    // A tick later Node has decided whether it reads on; until then it may undo changes to the socket.
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
