// One accepted connection, as its handler sees it.

import type { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import type { ProxyProtocolError } from '../../codec/index.ts'
import type { ConnectionInfo } from '../socket/index.ts'
import type { CloseReason } from './close-reason.ts'

/** The state of a connection; it only moves forward. */
export type ConnectionState = 'accepted' | 'header' | 'open' | 'closing' | 'closed'

/** An accepted connection. */
export interface Connection {
  /** A UUID. */
  readonly id: string
  /**
   * Shows the client's addresses. It is half-open: the peer's FIN does not end your side, but `for await` does,
   * unless it reads `socket.iterator({ destroyOnReturn: false })`. `destroy(error)` resets the connection and counts
   * as an error of the handler.
   */
  readonly socket: Socket
  /** The same socket, if the server speaks TLS. */
  readonly tls: TLSSocket | undefined
  readonly info: ConnectionInfo
  /**
   * Aborts when the connection ends for any reason but your return. The reason is a ProxyProtocolError. You may throw
   * it, or an AbortError caused by it.
   */
  readonly signal: AbortSignal
  readonly state: ConnectionState
  /** True when the server is closing: finish your work. Nothing is aborted yet. */
  readonly draining: boolean
  /** Milliseconds since accept. */
  readonly age: number
  /** Why it ends; undefined while it is open and after an ordinary end. */
  readonly reason: CloseReason | undefined
  /** True if the handler runs on although it was aborted longer than `timeouts.abort` ago. */
  readonly stuck: boolean
  /**
   * Resets the connection and aborts `signal` with your error or one made from a reason (default `'aborted'`). What
   * the handler throws afterwards is ignored. `'half_close_timeout'` closes without a reset if the kernel has all
   * bytes, so that a slow peer still gets them.
   */
  abort(reason?: CloseReason | ProxyProtocolError): void
  /**
   * Replaces `timeouts.idle` of the server for this connection, in milliseconds; `Infinity` for never.
   *
   * @throws TypeError or RangeError for anything but a time that timers take.
   */
  setIdleTimeout(timeout: number): void
  /**
   * Hands the socket out: it survives the handler's end, and you close it. Listen to its `'error'`.
   *
   * @throws Error unless the connection is open: before its header, and after the handler's return, it is not yours.
   */
  detach(): Socket
}

/** Serves one connection, which lasts as long as the returned promise. */
export type Handler = (connection: Connection) => void | Promise<void>
