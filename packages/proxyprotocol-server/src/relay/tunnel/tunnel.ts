// Joins a downstream and an upstream socket. Back-pressure, half-close and resets pass through.

import type { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import { ProxyProtocolError } from 'proxyprotocol'
import { reset } from 'proxyprotocol/server'
import { countDown, countUp, Direction, type Traffic } from './direction.ts'

/** Keep-alive is four system calls for each socket, which most connections do not live to need. */
const KEEP_ALIVE_AFTER = 1_000

/** Errors of Node and of OpenSSL about what came over a connection that stands. */
const TLS_FAULT = /^(?:EPROTO$|ERR_SSL_|ERR_TLS_)/

export interface TunnelOptions {
  readonly traffic: Traffic
  readonly halfClose: number
  readonly keepAlive: number
}

/**
 * @throws ProxyProtocolError; open sockets then belong to the caller, because the kernel may still have bytes for a
 * slow client.
 */
export function tunnel(downstream: Socket, upstream: Socket, options: TunnelOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    new Tunnel({ downstream, upstream, resolve, reject }, options).start()
  })
}

interface TunnelEnds {
  readonly downstream: Socket
  readonly upstream: Socket
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
}

/** Listeners are methods as fields, one for each event: an idle connection keeps every closure. */
class Tunnel {
  readonly #ends: TunnelEnds
  readonly #traffic: Traffic
  readonly #halfClose: number
  readonly #up: Direction
  readonly #down: Direction
  #timer: NodeJS.Timeout | undefined
  #open = 2
  #ended = false

  constructor(ends: TunnelEnds, { traffic, halfClose, keepAlive }: TunnelOptions) {
    const { downstream, upstream } = ends
    this.#ends = ends
    this.#traffic = traffic
    this.#halfClose = halfClose
    this.#up = new Direction({ from: downstream, to: upstream, traffic, count: countUp })
    this.#down = new Direction({ from: upstream, to: downstream, traffic, count: countDown })
    this.#timer = setTimeout(() => {
      this.#timer = undefined // its memory is of no use to a connection that lasts
      try {
        for (const socket of [downstream, upstream]) socket.setKeepAlive(true, keepAlive)
      } catch (error) {
        ends.reject(error)
      }
    }, KEEP_ALIVE_AFTER).unref()
  }

  start(): void {
    const { downstream, upstream } = this.#ends
    upstream.on('close', this.#onUpstreamClose).on('error', this.#onUpstreamError)
    if (downstream.closed) return this.#onDownstreamClose()
    downstream.on('close', this.#onDownstreamClose)
    relay(this.#up, downstream, this.#onDownstreamEnd)
    relay(this.#down, upstream, this.#onUpstreamEnd)
  }

  readonly #onDownstreamEnd = (): void => {
    this.#up.flush()
    end(this.#ends.upstream)
  }

  /** A client rarely sends on to an upstream that has ended. */
  readonly #onUpstreamEnd = (): void => {
    const { downstream } = this.#ends
    this.#down.flush()
    this.#ended = end(downstream)
    if (this.#ended) return
    this.#traffic.upstreamEnded = true
    this.#limitSilence(downstream, 'the upstream has ended, and the client does not')
  }

  readonly #onDownstreamClose = (): void => {
    const { downstream, upstream } = this.#ends
    // Anything but an end in both directions is a cut stream, and must not look complete upstream.
    if (!this.#ended && !(downstream.readableEnded && downstream.writableFinished)) reset(upstream)
    else if (!upstream.destroyed) this.#limitSilence(upstream, 'the upstream does not read')
    this.#closed(this.#up)
  }

  readonly #onUpstreamClose = (): void => this.#closed(this.#down)

  readonly #onUpstreamError = (cause: NodeJS.ErrnoException): void => {
    const code = TLS_FAULT.test(String(cause.code)) ? 'tls_upstream_error' : 'upstream_reset'
    this.#ends.reject(new ProxyProtocolError(code, { detail: cause.message, cause }))
  }

  #closed(direction: Direction): void {
    direction.end()
    if (--this.#open > 0) return
    clearTimeout(this.#timer)
    this.#ends.resolve()
  }

  #limitSilence(socket: Socket, detail: string): void {
    socket.setTimeout(this.#halfClose, () => {
      this.#ends.reject(new ProxyProtocolError('half_close_timeout', { detail }))
    })
  }
}

function relay(direction: Direction, from: Socket, onEnd: () => void): void {
  // A FIN that came while the upstream was connecting has already ended the stream, without a read.
  if (from.readableEnded) return onEnd()
  direction.start()
  from.on('end', onEnd)
}

/** Closing says the same as a FIN with one system call less. TLS sends an end of its own. */
function end(to: Socket): boolean {
  const isOver = to.readableEnded && to.writableLength === 0 && !(to instanceof TLSSocket)
  if (isOver) to.destroy()
  else to.end()
  return isOver
}
