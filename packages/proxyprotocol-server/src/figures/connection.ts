import type { Endpoint } from 'proxyprotocol'
import type { CloseReason, ConnectionState } from 'proxyprotocol/server'

/** Facts about the client's TLS connection. */
export interface TlsFacts {
  /** Such as `TLSv1.3`. */
  readonly version: string | undefined
  /** The requested name (SNI). */
  readonly serverName: string | undefined
}

/** One open connection. */
export interface LiveConnection {
  readonly id: string
  readonly state: ConnectionState
  readonly peer: Endpoint | undefined
  readonly source: Endpoint | undefined
  readonly destination: Endpoint | undefined
  readonly upstream: Endpoint | undefined
  /** Milliseconds since it was accepted. */
  readonly age: number
  /** Undefined if the client speaks no TLS, or the relay has not started. */
  readonly tls: TlsFacts | undefined
  readonly bytesUp: number
  readonly bytesDown: number
  /** Why it ends, once that is known. */
  readonly reason: CloseReason | undefined
}
