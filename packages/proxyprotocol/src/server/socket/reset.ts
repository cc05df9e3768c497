// RST and FIN kept apart on TCP sockets and on TLS over them, both ways: a stream that was cut off must never look
// complete.

import type { Socket } from 'node:net'
import { isNativeError } from 'node:util/types'
import { dropReads, hasPeer, rawOf, readAgain } from '../../node-internals/index.ts'
import { noticeReset, refuseTruncation } from './truncation.ts'

export const rawKey: unique symbol = Symbol('proxyprotocol.raw')
export const destroyKey: unique symbol = Symbol('proxyprotocol.destroy')
const pushKey = Symbol('proxyprotocol.push')
export const doubtKey: unique symbol = Symbol('proxyprotocol.doubt')

/** Turns of the event loop until a FIN is with the kernel; one is enough unless the peer does not read. */
const FIN_TURNS = 3

/**
 * Resets a connection in any state, so that the peer sees ECONNRESET. Takes TLS sockets, too; a UNIX socket has no
 * RST and is closed.
 *
 * @example
 * ```ts run
 * import { createServer } from 'node:tls'
 * import { reset } from 'proxyprotocol/server'
 *
 * createServer(socket => {
 *   socket.on('error', () => reset(socket))
 * })
 * ```
 */
export function reset(socket: Socket): void {
  const raw = rawOf(socket)
  whenSafe(socket, raw, () => {
    cut(socket, raw)
    if (raw !== socket) socket.destroy() // resetAndDestroy() has ended a plain socket
  })
}

function cut(socket: Socket, raw: Socket): void {
  // A FIN of TLS waits for a peer that does not read; only a close is left.
  if (isShuttingDown(socket)) return void raw.destroy()
  try {
    raw.resetAndDestroy() // during destroy() this only decides how it is closed
  } catch {
    raw.destroy() // not TCP
  }
}

/**
 * Makes `socket.destroy(error)` send RST, and a peer's RST an error, where Node would send or see a FIN. A TLS stream
 * without close_notify ends with `ERR_SSL_UNEXPECTED_EOF_WHILE_READING`. `createServer` does so by itself; call it at
 * once for sockets that you connect.
 *
 * @param raw what a TLS socket runs over, which Node tells.
 *
 * @example
 * ```ts run
 * import { connect } from 'proxyprotocol/client'
 * import { distinguishResets } from 'proxyprotocol/server'
 *
 * async function download(host: string): Promise<string> {
 *   const socket = await connect({ host, port: 443, tls: true }, 'none')
 *   distinguishResets(socket)
 *   socket.write('GET / HTTP/1.0\r\n\r\n')
 *   return (await socket.toArray()).join('') // rejects where the reply was cut off
 * }
 * ```
 */
export function distinguishResets(socket: Socket, raw: Socket = rawOf(socket)): void {
  const fields = socket as Partial<Distinguishing> & Socket
  if (fields[rawKey] !== undefined) return
  fields[rawKey] = raw
  socket.on('end', noticeResetAtEnd)
  if (fields[destroyKey] !== undefined) return // AcceptedSocket does the rest
  if (raw !== socket) refuseTruncation(socket, raw)
  else holdDoubtfulEnds(socket)
  fields[destroyKey] = socket._destroy // eslint-disable-line @typescript-eslint/unbound-method -- it is called as a method
  socket._destroy = destroyTelling
}

/** All such sockets share these functions: closures cost each connection more. */
export interface Distinguishing extends Socket {
  [rawKey]: Socket
  [destroyKey]: Socket['_destroy']
  [doubtKey]: boolean
}

export function destroyTelling(
  this: Distinguishing,
  error: Error | null,
  callback: (error?: Error | null) => void,
): void {
  const raw = this[rawKey]
  if (isNativeError(error) && hasPeer(raw)) foreign.add(error)
  // OpenSSL may return several records at once. If a failed write destroyed the socket, Node 20 to 24 take the next
  // record's length for an error number. They throw it uncatchably.
  if (raw !== this) dropReads(this)
  whenSafe(this, raw, () => {
    if (error && !isRelease(error)) cut(this, raw)
    if (raw === this) return this[destroyKey](error, callback)
    callback(error) // first: Node emits 'close' before 'error' if the raw socket is closed
    process.nextTick(() => {
      this[destroyKey](error, () => undefined)
    })
  })
}

interface Holding extends Distinguishing {
  [pushKey]: Socket['push']
}

function holdDoubtfulEnds(socket: Socket): void {
  const fields = socket as Holding
  fields[pushKey] = fields.push // eslint-disable-line @typescript-eslint/unbound-method -- it is called as a method
  fields[doubtKey] = false
  fields.push = pushSurely
}

function pushSurely(this: Holding, chunk: unknown, encoding?: BufferEncoding): boolean {
  if (chunk !== null) this[doubtKey] = false
  else if (holdsEnd(this)) return false
  return this[pushKey](chunk, encoding)
}

/**
 * Node before 24 takes an RST that comes with data for a FIN (libuv ends the stream at POLLHUP). If the kernel has no
 * peer any more, the next read ends again, or fails with ECONNRESET.
 */
export function holdsEnd(socket: Pick<Distinguishing, typeof doubtKey> & Socket): boolean {
  const isDoubtful = !socket[doubtKey] && !hasPeer(socket)
  socket[doubtKey] = isDoubtful && readAgain(socket)
  return socket[doubtKey]
}

function noticeResetAtEnd(this: Distinguishing): void {
  const raw = this[rawKey]
  if (!this.writable || (raw === this && hasPeer(raw))) return
  // An RST behind the FIN goes unnoticed. UNIX sockets have no local address, and writing fails there after any
  // close.
  if (raw.localAddress !== undefined) noticeReset(raw)
}

/** Just after the handshake OpenSSL cannot send close_notify ("shutdown while in init"). */
export function endStream(socket: Socket): void {
  if (rawOf(socket) === socket) socket.end()
  else setImmediate(() => socket.end())
}

const foreign = new WeakSet<Error>()

/** pipeline() destroys a socket with another stream's error. */
export function isForeign(error: Error): boolean {
  return foreign.has(error)
}

/** Node destroys a socket at the end of `for await` with an AbortError without cause. */
export function isRelease(error: unknown): boolean {
  return isNativeError(error) && 'code' in error && error.code === 'ABORT_ERR' && error.cause === undefined
}

/**
 * Waits until a socket can be reset.
 * - During shutdown libuv refuses (EINVAL). Node then loses the handle: no 'close', a leaked descriptor, a busy loop.
 * - TLS emits events inside OpenSSL's work. Closing the raw socket there crashes Node 20 to 24 (segmentation fault).
 */
function whenSafe(socket: Socket, raw: Socket, act: () => void): void {
  let turns = 0
  const attempt = (): void => {
    if (isShuttingDown(socket) && turns++ < FIN_TURNS) setImmediate(attempt)
    else act()
  }
  if (raw === socket) attempt()
  else setImmediate(attempt)
}

function isShuttingDown({ writableEnded, writableFinished, writableLength }: Socket): boolean {
  return writableEnded && !writableFinished && writableLength === 0
}
