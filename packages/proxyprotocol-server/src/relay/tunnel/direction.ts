// A part of the large buffer is free only after its bytes were written. TLS decrypts on after it was told to stop, so
// it reads into the shared buffer, and the large one gathers its records.

import type { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import { type Reader, readInto } from 'proxyprotocol/internal/node'

import { readBuffered } from './read-buffered.ts'
import { giveBuffer, sharedBuffer, takeBuffer } from './read-buffers.ts'

/** Bytes relayed, payload only. */
export interface Traffic {
  bytesUp: number
  bytesDown: number
  /** By the clock of `performance.now()`. */
  firstByteAt?: number | undefined
  /** True if the upstream ended before the client. */
  upstreamEnded?: boolean | undefined
}

export function countUp(traffic: Traffic, bytes: number): void {
  traffic.bytesUp += bytes
}

export function countDown(traffic: Traffic, bytes: number): void {
  traffic.firstByteAt ??= performance.now()
  traffic.bytesDown += bytes
}

export interface DirectionOptions {
  readonly from: Socket
  readonly to: Socket
  readonly traffic: Traffic
  readonly count: (traffic: Traffic, bytes: number) => void
}

/** So many small reads in a row give the large buffer back. */
const SMALL_READS = 8

/** Node asks for the next buffer right after each read, so the read decides here. */
let next: Buffer = sharedBuffer

function nextBuffer(): Buffer {
  const buffer = next
  next = sharedBuffer
  return buffer
}

export class Direction implements Reader<Buffer> {
  readonly #from: Socket
  readonly #to: Socket
  readonly #traffic: Traffic
  readonly #count: (traffic: Traffic, bytes: number) => void
  #own: Buffer | undefined
  #smallReads = 0
  #gathered = 0
  #given = 0
  #flushes = false
  #waits = false

  constructor({ from, to, traffic, count }: DirectionOptions) {
    this.#from = from
    this.#to = to
    this.#traffic = traffic
    this.#count = count
  }

  start(): void {
    const from = this.#from
    this.#to.on('drain', this.#onTaken)
    const early = readBuffered(from)
    if (early) this.#relayChunk(early)
    if (!readInto(from, this, nextBuffer)) from.on('data', chunk => this.#relayChunk(chunk))
    if (this.#to.writableNeedDrain) this.#wait()
    if (!this.#waits) from.read(0)
  }

  end(): void {
    if (this.#own) giveBuffer(this.#own, this.#to.writableLength === 0)
    this.#own = undefined
    this.#smallReads = this.#gathered = this.#given = 0
  }

  flush(): void {
    const start = this.#given
    if (this.#own === undefined || start === this.#gathered) return
    this.#given = this.#gathered
    this.#write(this.#own.subarray(start, this.#gathered))
  }

  onBytes(length: number, buffer: Buffer): boolean {
    this.#count(this.#traffic, length)
    if (buffer !== sharedBuffer) return this.#relayOwn(length, buffer)
    if (this.#own && this.#given === this.#gathered && this.#to.writableLength === 0) this.#startOver()
    if (this.#own) return this.#gather(length, this.#own)
    this.#relayShared(length)
    return true
  }

  #relayShared(length: number): void {
    const copy = copyOfShared(length)
    if (length < sharedBuffer.length) {
      if (!this.#to.write(copy)) this.#wait()
      return
    }
    this.#own = takeBuffer()
    if (!(this.#from instanceof TLSSocket)) next = this.#own ?? sharedBuffer
    this.#write(copy)
  }

  #relayOwn(length: number, buffer: Buffer): boolean {
    next = buffer
    const full = length === buffer.length
    this.#write(full ? buffer : buffer.subarray(0, length))
    if (this.#waits) return true
    if (full) return takeTurns(this.#from)
    this.#noteSize(length)
    if (this.#smallReads < SMALL_READS) return true
    next = sharedBuffer
    this.end()
    return true
  }

  #startOver(): void {
    this.#given = this.#gathered = 0
    if (this.#smallReads >= SMALL_READS) this.end()
  }

  /** More records are likely to follow at once. */
  #gather(length: number, own: Buffer): boolean {
    const end = this.#gathered + length
    if (end > own.length) {
      this.flush()
      this.#write(copyOfShared(length))
      return true
    }
    sharedBuffer.copy(own, this.#gathered, 0, length)
    this.#gathered = end
    this.#noteSize(length)
    const full = length === sharedBuffer.length
    if (full && end + length <= own.length) {
      this.#flushLater()
      return true
    }
    this.flush()
    return !full || this.#waits || takeTurns(this.#from)
  }

  #flushLater(): void {
    if (!this.#flushes) setImmediate(Direction.#flushNow, this)
    this.#flushes = true
  }

  static #flushNow(direction: Direction): void {
    direction.#flushes = false
    direction.flush()
  }

  #noteSize(length: number): void {
    this.#smallReads = length < sharedBuffer.length ? this.#smallReads + 1 : 0
  }

  #write(bytes: Buffer): void {
    this.#to.write(bytes, this.#onTaken)
    if (this.#to.writableLength > 0) this.#wait()
  }

  #wait(): void {
    this.#waits = true
    this.#from.pause()
  }

  readonly #onTaken = (): void => {
    if (!this.#waits || this.#to.writableLength > 0) return
    this.#waits = false
    this.#from.resume()
  }

  #relayChunk(chunk: Buffer): void {
    this.#count(this.#traffic, chunk.length)
    if (!this.#to.write(chunk)) this.#wait()
  }
}

function copyOfShared(length: number): Buffer {
  const copy = Buffer.allocUnsafe(length)
  sharedBuffer.copy(copy, 0, 0, length)
  return copy
}

const yielded: Socket[] = []

/** Otherwise libuv reads up to 32 times from one socket, and the others would wait for megabytes. */
function takeTurns(socket: Socket): false {
  if (yielded.push(socket) === 1) setImmediate(readOn)
  return false
}

function readOn(): void {
  const socket = yielded.shift()
  if (socket?.isPaused() === false) socket.read(0)
  if (yielded.length > 0) setImmediate(readOn)
}
