// Reads a header from a socket that the program holds.

import type { Socket } from 'node:net'
import { decodeOptions, type DecodeOptions, type ProxyHeader } from '../../codec/index.ts'
import { milliseconds } from '../../checks/index.ts'
import { Deadlines } from './deadlines.ts'
import { PullingReader } from './pulling-reader.ts'

/** Longer than one TCP retransmission (spec 2 asks for at least 3 s), short enough against idle floods. */
export const DEFAULT_HEADER_TIMEOUT = 5_000

const deadlines = new Deadlines()

export interface ReadHeaderOptions extends DecodeOptions {
  /** Milliseconds from this call to the last byte of the header. Default 5000. */
  readonly timeout?: number | undefined
}

/** A header and what came with it. */
export interface ReadHeaderResult {
  readonly header: ProxyHeader
  /** The first bytes of the payload, often empty. */
  readonly rest: Uint8Array
}

/**
 * Reads the header from a socket that you hold, before other code reads from it. `socket.unshift(rest)` puts the
 * first payload back.
 *
 * In front of `http2.createServer()`, begin each `'stream'` listener with `if (stream.destroyed) return`: a client may have
 * reset the stream, and Node's `respond()` throws then.
 *
 * @throws ProxyProtocolError `header_missing`, `header_timeout`, `probe`, `client_reset`, `aborted` (destroyed on
 * this side), or the fault in its bytes; you then destroy the socket. TypeError or RangeError for wrong options, and
 * for a socket with an encoding.
 *
 * @example
 * ```ts run
 * import { createServer } from 'node:net'
 * import { readHeader } from 'proxyprotocol/server'
 *
 * const server = createServer(socket => {
 *   socket.on('error', () => socket.destroy())
 *   readHeader(socket, { timeout: 5_000 }).then(
 *     ({ header, rest }) => {
 *       socket.unshift(rest)
 *       socket.end(`${header.command}\n`)
 *     },
 *     () => socket.destroy(),
 *   )
 * })
 * server.close()
 * ```
 */
export async function readHeader(socket: Socket, options: ReadHeaderOptions = {}): Promise<ReadHeaderResult> {
  const { timeout = DEFAULT_HEADER_TIMEOUT, ...strictness } = options
  const decode = decodeOptions(strictness)
  const rules = { decode, timeout: milliseconds(timeout, 'timeout'), deadlines, optional: false }
  return new Promise((resolve, reject) => {
    const onStart = (header: ProxyHeader | undefined, rest: Uint8Array): void => {
      resolve({ header: header as ProxyHeader, rest }) // it is not optional
    }
    new PullingReader(socket, rules, { onStart, onFault: reject }).start()
  })
}
