// Reads to the header's last byte and no further; the rest stays in the kernel. After unshift() Node runs no ticks
// between the events of TLS and HTTP/2, and two frames of a client could end the process.

import type { Socket } from 'node:net'
import {
  decodeHeader,
  type DecodeOptions,
  type DecodeResult,
  HeaderDecoder,
  type ProxyProtocolError,
} from '../../codec/index.ts'
import {
  forgetReading,
  isReading,
  nextBuffer,
  plainBuffer,
  type Reader,
  readInto,
  readNextInto,
  stopReadingInto,
} from '../../node-internals/index.ts'
import { isAccepted, setTaker, type StartTaker } from '../socket/index.ts'
import { leastMissing } from './least-missing.ts'
import { StartReader, type StartRules, type StartWaiter } from './start-reader.ts'

const NOTHING = new Uint8Array()
/** Enough for version 1, and for version 2 with few TLVs. */
const USUAL_BYTES = 128
/**
 * The shortest headers with IPv4 addresses. At most 17 bytes of payload come along with a shorter one (LOCAL, UNKNOWN).
 * A ClientHello is longer. Servers of HTTP/2 ask for nothing to come along.
 */
const SHORT_V1 = 32
const SHORT_V2 = 28

/** What may be read behind a header: everything, a few harmless bytes, or nothing. */
export type ReadAhead = 'all' | 'some' | 'none'

export interface ExactRules extends StartRules {
  readonly ahead: ReadAhead
  readonly firstRoom: Uint8Array
}

export function firstRoom(decode: DecodeOptions, ahead: ReadAhead): Uint8Array {
  if (ahead === 'all') return plainBuffer
  if (ahead === 'some') return roomOf(decode.versions?.includes(2) === false ? SHORT_V1 : SHORT_V2)
  return roomOf(missingOf(decodeHeader(NOTHING, decode)))
}

function missingOf(result: DecodeResult): number {
  return (result as Extract<DecodeResult, { missing: number }>).missing // the caller has looked
}

export class ExactReader extends StartReader implements Reader, StartTaker {
  #buffer: Uint8Array = NOTHING
  /** False for a paused socket: its rest is for the code that resumes it, perhaps in another process. */
  #goesOn = true
  readonly #rules: ExactRules

  constructor(socket: Socket, rules: ExactRules, waiter: StartWaiter) {
    super(socket, rules, waiter)
    this.#rules = rules
  }

  onBytes(length: number, buffer: Uint8Array): boolean {
    const before = this.received
    this.received += length
    const chunk = length === buffer.length ? buffer : buffer.subarray(0, length)
    const bytes = before === 0 ? chunk : this.#gather(before, chunk)
    const result = decodeHeader(bytes, this.rules.decode)
    if (result.status === 'header') this.#keep(bytes.subarray(result.byteLength))
    else if (before === 0) this.#gather(0, bytes)
    if (this.judge(result, NOTHING)) return this.#goesOn
    readNextInto(this.#nextRoom(missingOf(result)))
    return true
  }

  onDestroy(error: Error | null): void {
    if (error) this.onError(error)
    else this.onClose()
  }

  protected open(): void {
    const { socket } = this
    this.#goesOn = isReading(socket) !== false
    if (isAccepted(socket)) setTaker(socket, this)
    else {
      this.listen()
      readNextInto(this.#rules.firstRoom)
      readInto(socket, this, nextBuffer)
    }
    if (!this.#goesOn) socket.read(0)
  }

  protected shut(): void {
    const { socket } = this
    if (isAccepted(socket)) {
      setTaker(socket, undefined)
      if (!this.#goesOn) forgetReading(socket)
    } else {
      stopReadingInto(socket, this.#goesOn)
      this.unlisten()
    }
  }

  protected all(): Uint8Array {
    return this.#buffer.subarray(0, this.received)
  }

  protected fault(): ProxyProtocolError {
    const decoder = new HeaderDecoder(this.rules.decode)
    decoder.push(this.all())
    return decoder.fault()
  }

  /** The rest must be pushed before any later chunk. */
  #keep(rest: Uint8Array): void {
    if (rest.length > 0) this.#goesOn = this.socket.push(Buffer.from(rest))
  }

  #gather(before: number, bytes: Uint8Array): Uint8Array {
    const end = before + bytes.length
    if (end > this.#buffer.length) {
      const larger = Buffer.allocUnsafe(Math.max(USUAL_BYTES, 2 * end))
      larger.set(this.#buffer.subarray(0, before))
      this.#buffer = larger
    }
    this.#buffer.set(bytes, before)
    return this.all()
  }

  /**
   * Nothing is read beyond a client's header: Node throws uncaught if a session of HTTP/2 is destroyed at once and bytes
   * were put back.
   */
  #nextRoom(missing: number): Uint8Array {
    if (this.#rules.ahead === 'all' && this.#goesOn) return plainBuffer
    return roomOf(leastMissing(this.all(), missing))
  }
}

function roomOf(length: number): Uint8Array {
  return plainBuffer.subarray(0, length)
}
