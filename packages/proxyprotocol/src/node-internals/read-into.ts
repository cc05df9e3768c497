// Sockets that read into the buffers of others. The public option `onread` gives that to sockets that one connects. Accepted
// sockets have the same fields, and their handle takes a buffer; both are looked for before they are used. Without them
// callers listen to 'readable' or 'data'.

import { Socket } from 'node:net'
import { Duplex } from 'node:stream'
import { handleOf } from './handle.ts'

/** Takes what a socket reads. */
export interface Reader<B extends Uint8Array = Uint8Array> {
  /** The first bytes of the buffer are new; false stops reading until the next `read(0)` or `resume()`. */
  onBytes(length: number, buffer: B): boolean
}

/** A function that all sockets share finds the reader here: one of its own costs each connection more. */
const readerKey = Symbol('proxyprotocol.reader')

const [kBuffer, kBufferCb, kBufferGen] = ['kBuffer', 'kBufferCb', 'kBufferGen'].map(name =>
  Object.getOwnPropertySymbols(new Socket()).find(({ description }) => description === name),
) as [symbol, symbol, symbol] // or undefined, which canReadInto() asks

/** As large as what Node reads at once. All sockets share it, because what was read is copied before anything else is read. */
export const plainBuffer: Uint8Array = new Uint8Array(64 * 1024)
let next = plainBuffer

/** Says where the next bytes go. Node asks right after a socket is made or has read, and does not say for which one. */
export function readNextInto(buffer: Uint8Array): void {
  next = buffer
}

/** The buffer for the next bytes, as `readNextInto` said. */
export function nextBuffer(): Uint8Array {
  const buffer = next
  next = plainBuffer
  return buffer
}

/**
 * Whether sockets may share a buffer. Deno has all that is asked for, but its TLS then misses bytes. On Windows the kernel writes into
 * a buffer long after it was given.
 */
export function canShareBuffers(platform: string = process.platform): boolean {
  return process.versions['deno'] === undefined && platform !== 'win32'
}

/** Whether `readInto` works for a socket. */
export function canReadInto(socket: Socket): boolean {
  return (
    canShareBuffers() &&
    typeof handleOf(socket)?.useUserBuffer === 'function' &&
    [kBuffer, kBufferCb, kBufferGen].every(key => key in socket)
  )
}

/**
 * Makes a socket read into the buffers of a reader. It emits no 'data' meanwhile. TLS goes on filling the buffer that it has
 * after it was told to stop, and takes another one for each record.
 *
 * @param nextBuffer gives the buffer for the next bytes. It is asked now, and after each call of `onBytes`.
 * @returns false, and nothing has changed, where that cannot be done.
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

/**
 * Makes a socket emit what it reads again. It has to go on with a buffer, because the handle has no way back. One that does not
 * read on is as a socket that was never read.
 */
export function stopReadingInto(socket: Socket, readsOn: boolean): void {
  const fields = socket as unknown as Record<symbol, unknown> // likewise
  fields[kBufferCb] = pushRead
  fields[kBufferGen] = nextBuffer
  if (!readsOn) forgetReading(socket)
}

/** Makes a stream that has stopped reading start again with its next read. */
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

/** Node starts to read from the kernel at each read() of a socket with a buffer, even if the stream holds enough. */
function readBelowMark(this: Socket, size?: number): unknown {
  const { readableLength, readableHighWaterMark } = this
  const holdsEnough = readableLength > 0 && readableLength >= readableHighWaterMark
  const { read } = holdsEnough ? Duplex.prototype : Socket.prototype // eslint-disable-line no-restricted-syntax, @typescript-eslint/unbound-method -- to call it
  return read.call(this, size)
}
