// The start of a connection, read to the header's last byte and no further. What follows stays in the kernel, and the server
// reads it there as it would without a header. Bytes that are put back into a socket reach TLS and HTTP/2 by one call from
// JavaScript, and Node then runs no ticks between their events: a client could end the process with two frames.

import { Socket } from 'node:net'
import { decodeHeader, type DecodeResult, HeaderDecoder, type ProxyProtocolError } from '../../codec/index.ts'
import { canReadInto, isReading, type Reader, readInto, stopReadingInto } from '../../node-internals/index.ts'
import { leastMissing } from './least-missing.ts'
import { pullStart } from './read-header.ts'
import { StartReader, type StartRules, type StartWaiter } from './read-start.ts'

const NOTHING = new Uint8Array()
/** Enough for every header of version 1, and for those of version 2 with few TLVs. */
const USUAL_BYTES = 128

/** As large as what Node reads at once. All sockets share it, because what was read is copied before anything else is read. */
const sharedBuffer: Uint8Array = Buffer.allocUnsafeSlow(64 * 1024)
/** Node asks for the next buffer right after each read, and does not say for which socket. */
let next = sharedBuffer

function nextBuffer(): Uint8Array {
  const buffer = next
  next = sharedBuffer
  return buffer
}

/** The same as `pullStart` for a socket that was just accepted. It reads the public way if sockets take no buffer. */
export function takeStart(socket: Socket, rules: StartRules, waiter: StartWaiter): void {
  if (isUntouched(socket) && canReadInto(socket)) new ExactReader(socket, rules, waiter).start()
  else pullStart(socket, rules, waiter)
}

function isUntouched(socket: Socket): boolean {
  return socket instanceof Socket && socket.readableLength === 0 && !socket.readableEnded
}

class ExactReader extends StartReader implements Reader {
  #buffer: Uint8Array = new Uint8Array(USUAL_BYTES)
  /** False for a socket that was paused: what follows the header is for whoever resumes it, perhaps in another process. */
  #goesOn = true

  onBytes(length: number, buffer: Uint8Array): boolean {
    if (buffer === sharedBuffer) this.#append(buffer.subarray(0, length))
    this.received += length
    const bytes = this.all()
    const result = decodeHeader(bytes, this.rules.decode)
    if (result.status === 'partial') {
      next = this.#room(leastMissing(bytes, result.missing))
      return true
    }
    if (result.status === 'header') this.#keep(bytes.subarray(result.byteLength))
    this.judge(result, NOTHING)
    return this.#goesOn
  }

  protected open(): void {
    const { socket, rules } = this
    const { missing } = decodeHeader(NOTHING, rules.decode) as Extract<DecodeResult, { missing: number }> // of no bytes
    socket.on('end', this.onEnd)
    this.#goesOn = isReading(socket) !== false
    next = this.#room(missing)
    readInto(socket, this, nextBuffer)
    if (!this.#goesOn) socket.read(0)
  }

  protected shut(): void {
    stopReadingInto(this.socket, this.#goesOn)
    this.socket.off('end', this.onEnd)
  }

  protected all(): Uint8Array {
    return this.#buffer.subarray(0, this.received)
  }

  protected fault(): ProxyProtocolError {
    const decoder = new HeaderDecoder(this.rules.decode)
    decoder.push(this.all())
    return decoder.fault()
  }

  /** The rest gets into the stream before any later chunk does. */
  #keep(rest: Uint8Array): void {
    if (rest.length > 0) this.#goesOn = this.socket.push(rest)
  }

  /** Where so many bytes can be read behind those that have come. */
  #room(missing: number): Uint8Array {
    if (this.rules.readsOn && this.#goesOn) return sharedBuffer
    const end = this.received + missing
    this.#reserve(end)
    return this.#buffer.subarray(this.received, end)
  }

  #append(bytes: Uint8Array): void {
    this.#reserve(this.received + bytes.length)
    this.#buffer.set(bytes, this.received)
  }

  #reserve(length: number): void {
    if (length <= this.#buffer.length) return
    const larger = Buffer.allocUnsafe(length)
    larger.set(this.all())
    this.#buffer = larger
  }
}
