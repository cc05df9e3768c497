// The two directions between a downstream and an upstream socket: back-pressure, half-close and resets pass through, so
// that each end sees what the other did.

import type { Socket } from 'node:net'
import { ProxyProtocolError } from 'proxyprotocol'
import { reset } from 'proxyprotocol/server'

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
 * `half_close_timeout` when the upstream has ended and the downstream neither ends nor moves a byte, or when the downstream has ended in both directions and the upstream no longer
 * takes what is left for it. Sockets that are open are the caller's then.
 */
export function tunnel(
  downstream: Socket,
  upstream: Socket,
  { traffic, halfClose }: TunnelOptions,
): Promise<void> {
  return new Promise((resolve, reject) => {
    let open = 2
    function onClose(): void {
      if (--open === 0) resolve()
    }
    function onDownstreamClose(): void {
      // Anything but an end in both directions is a cut stream, and must not look complete upstream.
      if (downstream.readableEnded && downstream.writableFinished) {
        upstream.setTimeout(halfClose, () => {
          giveUp('the upstream does not read')
        })
      } else {
        reset(upstream)
      }
      onClose()
    }
    /** An upstream that has ended is done with the connection; that a client sends on to it is rare, and shows. */
    function onUpstreamEnd(): void {
      downstream.setTimeout(halfClose, () => {
        giveUp('the upstream has ended, and the client does not')
      })
    }
    function giveUp(detail: string): void {
      reject(new ProxyProtocolError('half_close_timeout', { detail }))
    }
    upstream.on('close', onClose).on('error', (cause: NodeJS.ErrnoException) => {
      const code = TLS_FAULT.test(cause.code ?? '') ? 'tls_upstream_error' : 'upstream_reset'
      reject(new ProxyProtocolError(code, { detail: cause.message, cause }))
    })
    if (downstream.closed) return onDownstreamClose()
    downstream.on('close', onDownstreamClose)
    if (upstream.readableEnded) onUpstreamEnd()
    else upstream.on('end', onUpstreamEnd)
    pump(downstream, upstream, bytes => (traffic.bytesUp += bytes))
    pump(upstream, downstream, bytes => countDown(traffic, bytes))
  })
}

function countDown(traffic: Traffic, bytes: number): void {
  traffic.firstByteAt ??= performance.now()
  traffic.bytesDown += bytes
}

function pump(from: Socket, to: Socket, count: (bytes: number) => void): void {
  function onEnd(): void {
    // Node before 24 takes a reset that arrives together with data for an end. After a reset writing fails, were it
    // nothing at all: at once, or where writes are waiting already, within this turn of the event loop. Only where our
    // own side has ended as well, nothing can tell.
    if (from.writable) from.write('')
    setImmediate(() => {
      if (!from.errored) to.end()
    })
  }
  // A FIN that came alone while the upstream was connecting has ended the stream already: nobody had to read for that.
  if (from.readableEnded) return onEnd()
  from.on('data', (chunk: Buffer) => {
    count(chunk.length)
    if (!to.write(chunk)) from.pause()
  })
  from.on('end', onEnd)
  to.on('drain', () => from.resume())
  if (to.writableNeedDrain) from.pause()
}
