// The first byte of a connection, looked at and left in place: TLS starts with 0x16, and text protocols with a letter.

import type { Socket } from 'node:net'
import { checkNames, milliseconds } from '../../checks/index.ts'
import { checkGivesBytes, readBuffered } from '../socket/index.ts'

const DEFAULT_TIMEOUT = 5_000

/** How long to wait for a byte. */
export interface PeekOptions {
  /** Milliseconds. Default 5000. */
  readonly timeout?: number | undefined
}

/**
 * Resolves with the first byte of a socket and leaves it there. `0x16` starts a TLS handshake, so one port can serve
 * TLS and plain text.
 *
 * In front of `http2.createServer()`, begin each `'stream'` listener with `if (stream.destroyed) return`: a client may have
 * reset the stream, and Node's `respond()` throws then.
 *
 * @returns undefined if the client sends nothing in time, or ends the connection first.
 * @throws TypeError or RangeError, as a rejection, naming the argument that is wrong, such as a socket with an encoding.
 *
 * @example
 * ```ts run
 * import { readFileSync } from 'node:fs'
 * import http from 'node:http'
 * import https from 'node:https'
 * import net from 'node:net'
 * import { attach, peekByte } from 'proxyprotocol/server'
 *
 * const plain = http.createServer((request, response) => response.end(request.socket.remoteAddress))
 * const secure = https.createServer({ key: readFileSync('key.pem'), cert: readFileSync('cert.pem') })
 * const server = net.createServer(async socket => {
 *   const server = (await peekByte(socket)) === 0x16 ? secure : plain
 *   server.emit('connection', socket)
 * })
 * attach(server, { trust: ['127.0.0.1'] })
 * ```
 */
export async function peekByte(socket: Socket, options: PeekOptions = {}): Promise<number | undefined> {
  checkGivesBytes(socket)
  checkNames(options, ['timeout'])
  const { timeout = DEFAULT_TIMEOUT } = options
  milliseconds(timeout, 'timeout')
  return new Promise(resolve => {
    const settle = (byte?: number): void => {
      clearTimeout(timer)
      socket.off('readable', look).off('end', onEnd).off('close', onEnd).off('error', onEnd)
      resolve(byte)
    }
    const onEnd = (): void => settle()
    const look = (): void => {
      const chunk = readBuffered(socket) // whole, because on Node 26 read() returns no more than what was put back
      if (chunk === null) return
      socket.unshift(chunk)
      settle(chunk[0])
    }
    const timer = setTimeout(settle, timeout)
    if (socket.destroyed || socket.readableEnded) return settle()
    socket.on('readable', look).on('end', onEnd).on('close', onEnd).on('error', onEnd)
  })
}
