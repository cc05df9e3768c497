// Accepted sockets have the fields of `onread`, too; both are checked. Otherwise callers listen to 'readable'
// or 'data'.

import { Socket } from 'node:net'
import { Duplex } from 'node:stream'
import { handleOf } from './handle.ts'

export interface Reader<B extends Uint8Array = Uint8Array> {
  /** The first bytes are new; false stops until `read(0)` or `resume()`. */
  onBytes(length: number, buffer: B): boolean
}

/** One function finds the reader here: a closure costs each connection more. */
const readerKey = Symbol('proxyprotocol.reader')

const [kBuffer, kBufferCb, kBufferGen] = ['kBuffer', 'kBufferCb', 'kBufferGen'].map(name =>
  Object.getOwnPropertySymbols(new Socket()).find(({ description }) => description === name),
) as [symbol, symbol, symbol] // or undefined, which canReadInto() checks

/** As large as Node's reads. Shared: bytes are copied before the next read. */
export const plainBuffer: Uint8Array = new Uint8Array(64 * 1024)
let next = plainBuffer

/** Node asks for a buffer after each read or new socket, without saying which. */
export function readNextInto(buffer: Uint8Array): void {
  next = buffer
}

export function nextBuffer(): Uint8Array {
  const buffer = next
  next = plainBuffer
  return buffer
}

/** TLS of Deno misses bytes. Windows writes into a buffer long after it was given. */
export function canShareBuffers(platform: string = process.platform): boolean {
  return process.versions['deno'] === undefined && platform !== 'win32'
}

export function canReadInto(socket: Socket): boolean {
  return (
    canShareBuffers() &&
    typeof handleOf(socket)?.useUserBuffer === 'function' &&
    [kBuffer, kBufferCb, kBufferGen].every(key => key in socket)
  )
}

/**
 * Reads into a reader's buffers, without 'data'. TLS goes on filling its buffer after a stop, and takes
 * another per record. False, without a change, if impossible.
 */
export function readInto<B extends Uint8Array>(
  socket: Socket,
  reader: Reader<B>,
  nextBuffer: () => B,
): boolean {
  if (!canReadInto(socket)) return false
  const buffer = nextBuffer()
  const fields = socket as unknown as Record<symbol, unknown> // Node's three have been there from the start
  fields[readerKey] = reader
  fields[kBuffer] = buffer
  fields[kBufferCb] = onRead
  fields[kBufferGen] = nextBuffer
  handleOf(socket)?.useUserBuffer?.(buffer)
  return true
}

/** The handle has no way back. */
export function stopReadingInto(socket: Socket, readsOn: boolean): void {
  const fields = socket as unknown as Record<symbol, unknown> // likewise
  fields[kBufferCb] = pushRead
  fields[kBufferGen] = nextBuffer
  if (!readsOn) forgetReading(socket)
}

/** Lets the next read start a stopped stream. */
export function forgetReading(socket: Socket): void {
  const { _readableState: state } = socket as unknown as { readonly _readableState: { reading: boolean } } // in every line
  state.reading = false
}

function onRead(this: { readonly [readerKey]: Reader }, length: number, into: Uint8Array): boolean {
  return this[readerKey].onBytes(length, into)
}

function pushRead(this: Socket, length: number, buffer: Uint8Array): boolean {
  const goesOn = this.push(Buffer.from(buffer.subarray(0, length)))
  if (!goesOn) this.read = readBelowMark
  return goesOn
}

/** With a buffer, each read() of Node goes to the kernel. */
export function readBelowMark(this: Socket, size?: number): unknown {
  const { readableLength, readableHighWaterMark } = this
  const holdsEnough = readableLength > 0 && readableLength >= readableHighWaterMark
  const { read } = holdsEnough ? Duplex.prototype : Socket.prototype // eslint-disable-line no-restricted-syntax, @typescript-eslint/unbound-method -- to call it
  return read.call(this, size)
}
