// One of the two directions of a tunnel: what one socket reads, the other one writes, and no faster.
//
// Bytes are read into buffers that are used again (read-buffers.ts). The one rule that keeps them whole: the large buffer of
// a direction is read into again only when the socket has written all that was in it, which a write tells that leaves nothing
// waiting, or else its callback.

import type { Socket } from 'node:net'
import { giveBuffer, sharedBuffer, takeBuffer } from './read-buffers.ts'
import { readInto, type Reader } from './socket-handle.ts'

/** After so many reads in a row that the shared buffer would have held, the large one goes back. */
const SMALL_READS = 8

/**
 * Node asks for the next buffer right after each read, of nobody in particular; so the read says here what it will be. The
 * shared one whenever no read is being dealt with.
 */
let next: Buffer = sharedBuffer

export class Direction implements Reader {
  readonly #from: Socket
  readonly #to: Socket
  readonly #count: (bytes: number) => void
  #own: Buffer | undefined
  #smallReads = 0
  /** For the other side to take what it has been given. */
  #waits = false

  constructor(from: Socket, to: Socket, count: (bytes: number) => void) {
    this.#from = from
    this.#to = to
    this.#count = count
  }

  start(): void {
    const from = this.#from
    this.#to.on('drain', this.#onTaken)
    const early = from.read() as Buffer | null // without an encoding it gives bytes
    if (early) this.#onChunk(early)
    if (!readInto(from, this)) from.on('data', this.#onChunk)
    if (this.#to.writableNeedDrain) this.#wait()
    if (!this.#waits) from.read(0)
  }

  /** Nothing is read any more. */
  end(): void {
    if (this.#own) giveBuffer(this.#own, this.#to.writableLength === 0)
    this.#own = undefined
  }

  nextBuffer(): Buffer {
    const buffer = next
    next = sharedBuffer
    return buffer
  }

  onBytes(length: number, buffer: Buffer): boolean {
    this.#count(length)
    if (buffer !== sharedBuffer) return this.#relayOwn(length, buffer)
    const copy = Buffer.allocUnsafe(length)
    buffer.copy(copy, 0, 0, length)
    if (length < buffer.length) {
      if (!this.#to.write(copy)) this.#wait()
      return true
    }
    this.#own = takeBuffer()
    next = this.#own ?? sharedBuffer
    this.#write(copy)
    return true
  }

  #relayOwn(length: number, buffer: Buffer): boolean {
    next = buffer
    const full = length === buffer.length
    this.#write(full ? buffer : buffer.subarray(0, length))
    if (this.#waits) return true
    if (full) return takeTurns(this.#from)
    this.#smallReads = length < sharedBuffer.length ? this.#smallReads + 1 : 0
    if (this.#smallReads < SMALL_READS) return true
    this.#smallReads = 0
    next = sharedBuffer
    this.end()
    return true
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

  readonly #onChunk = (chunk: Buffer): void => {
    this.#count(chunk.length)
    if (!this.#to.write(chunk)) this.#wait()
  }
}

const yielded: Socket[] = []

/**
 * Lets everybody else have a turn before a socket reads on: libuv reads up to 32 times from one socket while there is
 * something to read, and with large buffers all others would wait for megabytes.
 *
 * @returns false, to stop reading until then.
 */
function takeTurns(socket: Socket): false {
  if (yielded.push(socket) === 1) setImmediate(readOn)
  return false
}

function readOn(): void {
  for (const socket of yielded.splice(0)) if (!socket.isPaused()) socket.read(0)
}
