import type { Server } from 'node:net'
import type { ProxyProtocolError } from '../../codec/index.ts'
import type { ConnectionInfo } from '../socket/index.ts'
import type { CloseReason } from './close-reason.ts'
import type { Connection } from './connection.ts'
import type { ProxyServer } from './proxy-server.ts'

/** A connection was accepted; no byte has been read. */
export interface AcceptedMessage {
  /** The server of `createServer`, or the attached one. */
  readonly server: ProxyServer | Server
  /** Undefined for attached servers. */
  readonly connection: Connection | undefined
  readonly info: ConnectionInfo
}

/** The header is accepted; the handler or the attached server gets the connection now. */
export type OpenedMessage = AcceptedMessage

/**
 * A trusted peer sent no header, which `missing: 'direct'` allows. The connection is opened or rejected afterwards.
 */
export type MissingMessage = AcceptedMessage

/** The connection was refused before it was opened. Checks that close without a byte are not refused. */
export interface RejectedMessage extends AcceptedMessage {
  /** What was wrong, with a hint at what arrived instead of a header. */
  readonly error: ProxyProtocolError
}

/** The socket is closed and the handler has settled. */
export interface ClosedMessage extends AcceptedMessage {
  readonly reason: CloseReason
  /** True if it was opened. */
  readonly served: boolean
}

/** The handler ignores its abort for longer than `timeouts.abort`. */
export interface StuckMessage extends AcceptedMessage {
  /** Why it was aborted. */
  readonly error: ProxyProtocolError
}
