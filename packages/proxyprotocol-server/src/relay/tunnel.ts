// The two directions between a downstream and an upstream socket: back-pressure, half-close and resets pass through, so
// that each end sees what the other did.

import type { Socket } from 'node:net'
import { ProxyProtocolError } from 'proxyprotocol'
import { reset } from 'proxyprotocol/server'
import { Direction } from './direction.ts'
import { isConnected, isTls } from './socket-handle.ts'

/** Errors of Node and of OpenSSL about what came over a connection that stands. */
const TLS_FAULT = /^(?:EPROTO$|ERR_SSL_|ERR_TLS_)/

/** Bytes relayed, payload only. */
export interface Traffic {
  bytesUp: number
  bytesDown: number
  /** When the first byte came down, by the clock of `performance.now()`. */
  firstByteAt?: number | undefined
}

/** How a tunnel is told what it has to know. */
export interface TunnelOptions {
  /** What it counts in while it runs. */
  readonly traffic: Traffic
  /** Milliseconds of silence that one side may take to end when the other has. */
  readonly halfClose: number
}

/**
 * Relays until both sockets are closed.
 *
 * A downstream that fails resets the upstream, and is no error here.
 *
 * @throws ProxyProtocolError `upstream_reset` when the upstream fails, `tls_upstream_error` when it breaks TLS,
 * `half_close_timeout` when the upstream has ended and the downstream neither ends nor moves a byte, or when the downstream has
 * ended in both directions and the upstream no longer takes what is left for it. Sockets that are open are the caller's then.
 */
export function tunnel(
  downstream: Socket,
  upstream: Socket,
  { traffic, halfClose }: TunnelOptions,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const up = new Direction(downstream, upstream, bytes => (traffic.bytesUp += bytes))
    const down = new Direction(upstream, downstream, bytes => countDown(traffic, bytes))
    let open = 2
    let ended = false
    function onClose(direction: Direction): void {
      direction.end()
      if (--open === 0) resolve()
    }
    function onDownstreamClose(): void {
      // Anything but an end in both directions is a cut stream, and must not look complete upstream.
      if (!ended && !(downstream.readableEnded && downstream.writableFinished)) reset(upstream)
      else if (!upstream.destroyed) limitSilence(upstream, 'the upstream does not read')
      onClose(up)
    }
    /** An upstream that has ended is done with the connection; that a client sends on to it is rare, and shows. */
    function onUpstreamEnd(): void {
      ended = end(downstream)
      if (!ended) limitSilence(downstream, 'the upstream has ended, and the client does not')
    }
    function limitSilence(socket: Socket, detail: string): void {
      socket.setTimeout(halfClose, () => reject(new ProxyProtocolError('half_close_timeout', { detail })))
    }
    upstream
      .on('close', () => onClose(down))
      .on('error', (cause: NodeJS.ErrnoException) => {
        const code = TLS_FAULT.test(String(cause.code)) ? 'tls_upstream_error' : 'upstream_reset'
        reject(new ProxyProtocolError(code, { detail: cause.message, cause }))
      })
    if (downstream.closed) return onDownstreamClose()
    downstream.on('close', onDownstreamClose)
    relay(up, downstream, () => end(upstream))
    relay(down, upstream, onUpstreamEnd)
  })
}

function countDown(traffic: Traffic, bytes: number): void {
  traffic.firstByteAt ??= performance.now()
  traffic.bytesDown += bytes
}

function relay(direction: Direction, from: Socket, onEnd: () => void): void {
  // A FIN that came alone while the upstream was connecting has ended the stream already: nobody had to read for that.
  if (from.readableEnded) return whenEnded(from, onEnd)
  direction.start()
  from.on('end', () => {
    direction.flush()
    whenEnded(from, onEnd)
  })
}

/**
 * Tells an end from a reset. Node before 24 takes a reset that arrives together with data for an end; only where our own
 * side has ended as well, nothing can tell.
 */
function whenEnded(from: Socket, onEnd: () => void): void {
  const isSure = from.writable ? !isTls(from) && isConnected(from) : from.writableFinished
  if (isSure) return onEnd()
  // After a reset writing fails, were it nothing at all: at once, or where writes are waiting already, within this turn of
  // the event loop.
  if (from.writable) from.write('')
  setImmediate(() => {
    if (!from.errored) onEnd()
  })
}

/**
 * Passes an end on. Where nothing is left to come or to go, closing the socket says it with one system call less; TLS has an
 * end of its own to send.
 *
 * @returns whether it was closed, ended in both directions.
 */
function end(to: Socket): boolean {
  const isOver = to.readableEnded && to.writableLength === 0 && !isTls(to)
  if (isOver) to.destroy()
  else to.end()
  return isOver
}
