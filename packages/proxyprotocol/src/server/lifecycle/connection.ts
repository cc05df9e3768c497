// One accepted connection, as its handler sees it.

import type { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import type { ProxyProtocolError } from '../../codec/index.ts'
import type { ConnectionInfo } from '../socket/index.ts'
import type { CloseReason } from './close-reason.ts'

/** Where a connection is in its life; it only moves forward. */
export type ConnectionState = 'accepted' | 'header' | 'open' | 'closing' | 'closed'

/** An accepted connection, as its handler sees it. */
export interface Connection {
  /** A UUID of this connection's own. */
  readonly id: string
  /**
   * Its address properties are the client's. Half-open: the peer's FIN does not end your side, but `for await` does at
   * its end, unless it reads `socket.iterator({ destroyOnReturn: false })`. `destroy(error)`, as pipeline() does it when
   * another stream fails, resets the connection and counts as an error of the handler.
   */
  readonly socket: Socket
  /** The same socket, where the server speaks TLS. */
  readonly tls: TLSSocket | undefined
  readonly info: ConnectionInfo
  /**
   * Aborts when the connection ends for any reason but your return; its reason is a ProxyProtocolError. You may throw
   * that reason, or an AbortError caused by it.
   */
  readonly signal: AbortSignal
  readonly state: ConnectionState
  /** The server is closing: finish what you are at. Nothing is aborted yet. */
  readonly draining: boolean
  /** Milliseconds since it was accepted. */
  readonly age: number
  /** Why it ends, as soon as that is known; undefined while all is well and after an ordinary end. */
  readonly reason: CloseReason | undefined
  /** The handler runs on although it was aborted longer than `timeouts.abort` ago. */
  readonly stuck: boolean
  /**
   * Resets the connection, also under TLS, and aborts `signal` with your error or one made from a reason. What the
   * handler throws afterwards is ignored. Default `'aborted'`. With `'half_close_timeout'` it closes a connection whose
   * bytes are all with the kernel, so that a slow peer still gets them.
   */
  abort(reason?: CloseReason | ProxyProtocolError): void
  /**
   * Hands the socket out: it survives the handler's return or throw and is yours to close. Listen to its `'error'`.
   *
   * @throws Error unless the connection is open: before its header, and after the handler's return, it is not yours.
   */
  detach(): Socket
}

/** Serves one connection; the connection lives as long as the returned promise. */
export type Handler = (connection: Connection) => void | Promise<void>
