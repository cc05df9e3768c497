// RST and FIN kept apart on TCP sockets and on TLS over them, both ways: a stream that was cut off must never look complete.

import type { Socket } from 'node:net'
import { isNativeError } from 'node:util/types'
import { dropReads, hasPeer, rawOf, readAgain } from '../../node-internals/index.ts'
import { noticeReset, refuseTruncation } from './truncation.ts'

/** What a socket runs over that tells resets from ends. */
export const rawKey: unique symbol = Symbol('proxyprotocol.raw')
export const destroyKey: unique symbol = Symbol('proxyprotocol.destroy')
const pushKey = Symbol('proxyprotocol.push')
export const doubtKey: unique symbol = Symbol('proxyprotocol.doubt')

/** Turns of the event loop that a FIN gets to be on its way, which it is after one unless the peer does not read. */
const FIN_TURNS = 3

/**
 * Resets a connection: the peer sees ECONNRESET and not the end of a stream, whatever state the socket is in. Unlike
 * `socket.resetAndDestroy()` it takes TLS sockets, and UNIX sockets too, which know no RST and are just closed.
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
    if (raw !== socket) socket.destroy() // resetAndDestroy() has its own order of ending and closing a socket
  })
}

function cut(socket: Socket, raw: Socket): void {
  // What the peer does not take keeps a FIN back, of TLS alone; then only a close is left.
  if (isShuttingDown(socket)) return void raw.destroy()
  try {
    raw.resetAndDestroy() // on the socket itself, when it is being destroyed, this only decides how it is closed
  } catch {
    raw.destroy() // Node's only way for other sockets than TCP
  }
}

/**
 * Makes `socket.destroy(error)` send RST, and a peer's RST an error, where Node would send or see a FIN. A TLS stream
 * without close_notify ends with an error too. `createServer` does so with its connections. Use it for sockets that you
 * have connected yourself, at once.
 *
 * - pipeline() destroys a socket when its source fails, and Node sends FIN: the peer would take a part for the whole.
 * - Node before 24 takes an RST that comes with data for a FIN (libuv ends the stream at POLLHUP). Such an end waits
 *   until the socket has been read once more.
 * - An RST behind the FIN goes unnoticed, and a half-open socket would stay for ever. An empty write at the end notices it.
 * - A TLS socket ends at the FIN, complete or not. The error is `ERR_SSL_UNEXPECTED_EOF_WHILE_READING` then.
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
  if (fields[destroyKey] !== undefined) return // its class does the rest
  if (raw !== socket) refuseTruncation(socket, raw)
  else holdDoubtfulEnds(socket)
  fields[destroyKey] = socket._destroy // eslint-disable-line @typescript-eslint/unbound-method -- it is called as a method
  socket._destroy = destroyTelling
}

/** A socket that tells resets from ends, by functions that all such sockets share: closures cost each connection more. */
export interface Distinguishing extends Socket {
  [rawKey]: Socket
  /** What Node does. */
  [destroyKey]: Socket['_destroy']
  /** Whether an end is held back. */
  [doubtKey]: boolean
}

export function destroyTelling(
  this: Distinguishing,
  error: Error | null,
  callback: (error?: Error | null) => void,
): void {
  const raw = this[rawKey]
  if (isNativeError(error) && hasPeer(raw)) foreign.add(error)
  // OpenSSL may return several records at once. If a failed write destroys the socket after the first, Node 20 to 24
  // take the length of the next for an error number. They throw it where it cannot be caught.
  if (raw !== this) dropReads(this)
  whenSafe(this, raw, () => {
    if (error && !isRelease(error)) cut(this, raw)
    if (raw === this) return this[destroyKey](error, callback)
    callback(error) // a tick before: a TLS socket whose raw socket is closed says 'close' at once, and 'error' after it
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
 * Whether an end is held back. While the kernel still knows the peer, an end is a FIN. Otherwise both sides have ended, or the
 * peer has reset the connection: the next read gives the end again, or fails with ECONNRESET.
 */
export function holdsEnd(socket: Pick<Distinguishing, typeof doubtKey> & Socket): boolean {
  const isDoubtful = !socket[doubtKey] && !hasPeer(socket)
  socket[doubtKey] = isDoubtful && readAgain(socket)
  return socket[doubtKey]
}

function noticeResetAtEnd(this: Distinguishing): void {
  const raw = this[rawKey]
  if (!this.writable || (raw === this && hasPeer(raw))) return
  // A write to a UNIX socket, which has no local address, also fails when its peer has closed in order.
  if (raw.localAddress !== undefined) noticeReset(raw)
}

/** Ends our side. Within the moment in which its handshake ends, TLS cannot send the close_notify (OpenSSL: shutdown while in init). */
export function endStream(socket: Socket): void {
  if (rawOf(socket) === socket) socket.end()
  else setImmediate(() => socket.end())
}

/** Errors that sockets were destroyed with although their own connections stood. */
const foreign = new WeakSet<Error>()

/** True if a socket was destroyed with another stream's error, as pipeline() does: any socket has `ECONNRESET`. */
export function isForeign(error: Error): boolean {
  return foreign.has(error)
}

/**
 * True if an error is only Node's way to release a socket after `for await`, also at the end of a half-open one. It is an
 * AbortError without a cause; an abort for a reason has a cause.
 */
export function isRelease(error: unknown): boolean {
  return isNativeError(error) && 'code' in error && error.code === 'ABORT_ERR' && error.cause === undefined
}

/**
 * Waits until a socket can be reset.
 *
 * - While a FIN is on its way to the kernel, libuv refuses (EINVAL). Node then drops the handle without closing it: no
 *   'close', the descriptor lost, a busy loop.
 * - TLS sockets emit events from inside OpenSSL's work. To close the raw socket there during a write ends the process
 *   with a segmentation fault (Node 20 to 24).
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
