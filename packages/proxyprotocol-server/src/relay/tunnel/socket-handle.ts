// What Node's sockets can do and Node's documentation leaves out, all of it in this file, and each asked for before it is used:
// whoever calls gets a "no" where a runtime has it not, and goes the documented way.

import { Socket } from 'node:net'

/** What reads bytes where they are to be. */
export interface Reader {
  /** The first bytes of the buffer are new; false stops reading until the next `read(0)` or `resume()`. */
  onBytes(length: number, buffer: Buffer): boolean
}

/** A function that all sockets share finds the reader here: one of its own costs each connection more. */
const readerKey = Symbol('proxyprotocol.reader')

interface Handle {
  useUserBuffer?(buffer: Buffer): unknown
}

type BufferKey = 'kBuffer' | 'kBufferCb' | 'kBufferGen'

/** Where a socket keeps what the option `onread` says; undefined where they have other names. */
const keys = bufferKeys(new Socket())

/**
 * Gives a socket that exists what the option `onread` gives to those that are made with it: from now on it reads into
 * buffers of the reader's, and emits no 'data'. The option itself is for the sockets that one connects, and not for those
 * that a server accepts.
 *
 * TLS goes on filling the buffer that it has after it was told to stop, and takes another one for each record.
 *
 * @param nextBuffer gives the buffer for the next bytes; asked when reading starts, and after each call of `onBytes`.
 * @returns false, and nothing has changed, where that cannot be done.
 */
export function readInto(socket: Socket, reader: Reader, nextBuffer: () => Buffer): boolean {
  const handle = handleOf(socket)
  if (keys === undefined || typeof handle?.useUserBuffer !== 'function') return false
  const buffer = nextBuffer()
  const fields = socket as unknown as Record<symbol, unknown> // of which Node's three have been there from the start
  fields[readerKey] = reader
  fields[keys.kBuffer] = buffer
  fields[keys.kBufferCb] = onRead
  fields[keys.kBufferGen] = nextBuffer
  handle.useUserBuffer(buffer)
  return true
}

function onRead(this: { readonly [readerKey]: Reader }, length: number, into: Buffer): boolean {
  return this[readerKey].onBytes(length, into)
}

export function isTls(socket: Socket): boolean {
  return 'encrypted' in socket
}

function handleOf(socket: Socket): Handle | null | undefined {
  return (socket as { _handle?: Handle | null })._handle
}

function bufferKeys(socket: Socket): Readonly<Record<BufferKey, symbol>> | undefined {
  const symbols = Object.getOwnPropertySymbols(socket)
  const [kBuffer, kBufferCb, kBufferGen] = (['kBuffer', 'kBufferCb', 'kBufferGen'] as const).map(name =>
    symbols.find(({ description }) => description === name),
  )
  return kBuffer && kBufferCb && kBufferGen && { kBuffer, kBufferCb, kBufferGen }
}
