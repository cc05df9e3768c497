// Sockets that read no more than they are asked to. The option `onread` of sockets that one connects gives them a buffer to
// read into, and its size is the most that the kernel hands over at once. Accepted sockets have the same fields, undocumented
// and alike in Node 20 to 26; they are looked for before they are used.

import { Socket } from 'node:net'
import { Duplex } from 'node:stream'

/** What takes the first bytes of a socket. */
export interface Reader {
  /** False to stop reading after the last byte that the reader takes. */
  readonly goesOn: boolean
  /**
   * Called when bytes have been read into the start of a buffer, which is the one that the reader gave last.
   *
   * @returns the buffer for the next bytes, its own or the shared one; undefined if the reader takes no more.
   */
  onBytes(length: number, buffer: Uint8Array): Uint8Array | undefined
}

interface Handle {
  readonly reading?: boolean
  useUserBuffer(buffer: Uint8Array): unknown
}

/** A socket as `canReadInto` has found it. */
interface ReadSocket {
  readonly _handle: Handle
  readonly _readableState: { reading: boolean }
  [field: symbol]: unknown
}

/** As large as what Node reads at once. All sockets share it, because what was read is copied before anything else is read. */
export const sharedBuffer: Uint8Array = Buffer.allocUnsafeSlow(64 * 1024)
/** Node asks for the next buffer right after each read, and does not say for which socket. */
let next = sharedBuffer

const [kBuffer, kBufferCb, kBufferGen] = ['kBuffer', 'kBufferCb', 'kBufferGen'].map(name =>
  Object.getOwnPropertySymbols(new Socket()).find(({ description }) => description === name),
) as [symbol, symbol, symbol] // or undefined, which canReadInto() asks

/** Whether `readInto` works for a socket. Deno has all that it asks for, and TLS then misses what follows the header. */
export function canReadInto(socket: Socket): boolean {
  const { _handle: handle } = socket as { _handle?: Partial<Handle> | null }
  return (
    process.versions['deno'] === undefined &&
    typeof handle?.useUserBuffer === 'function' &&
    [kBuffer, kBufferCb, kBufferGen].every(key => key in socket)
  )
}

/** Lets a reader take what a socket reads. */
export function readInto(socket: Socket, reader: Reader, first: Uint8Array): void {
  const fields = socket as unknown as ReadSocket // canReadInto() has said so
  fields[kBuffer] = first
  fields[kBufferGen] = nextBuffer
  fields[kBufferCb] = (length: number, buffer: Uint8Array): boolean => {
    const room = reader.onBytes(length, buffer)
    if (room) next = room
    return room !== undefined || reader.goesOn
  }
  fields._handle.useUserBuffer(first)
}

/** The socket emits what it reads from now on, as ever. One that does not read on is as a socket that was never read. */
export function letGo(socket: Socket, readsOn: boolean): void {
  const fields = socket as unknown as ReadSocket // canReadInto() has said so
  fields[kBufferCb] = pushRead
  if (!readsOn) fields._readableState.reading = false
}

export function isReading(socket: Socket): boolean {
  return (socket as unknown as ReadSocket)._handle.reading !== false // canReadInto() has said so
}

function nextBuffer(): Uint8Array {
  const buffer = next
  next = sharedBuffer
  return buffer
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
