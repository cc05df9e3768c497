// The messages on the diagnostics channels, as subscribers see them.

import type { Server } from 'node:net'
import type { ProxyProtocolError } from '../../codec/index.ts'
import type { ConnectionInfo } from '../socket/index.ts'
import type { CloseReason } from './close-reason.ts'
import type { Connection } from './connection.ts'
import type { ProxyServer } from './proxy-server.ts'

/** A connection was accepted; nothing of it has been read. */
export interface AcceptedMessage {
  /** The server of `createServer`, or the one that was attached to. */
  readonly server: ProxyServer | Server
  /** Undefined where the server was attached to. */
  readonly connection: Connection | undefined
  readonly info: ConnectionInfo
}

/** Its header is there and believed: the handler, or the server that was attached to, gets it now. */
export type OpenedMessage = AcceptedMessage

/** A trusted peer has sent no header, which `missing: 'direct'` allows. The connection is opened or rejected afterwards. */
export type MissingMessage = AcceptedMessage

/** It was refused before that. Checks that close without a byte are no refusals. */
export interface RejectedMessage extends AcceptedMessage {
  /** What was wrong, with a hint at what arrived instead of a header. */
  readonly error: ProxyProtocolError
}

/** It is over: its socket is closed, and its handler has settled. */
export interface ClosedMessage extends AcceptedMessage {
  readonly reason: CloseReason
  /** Whether it was opened. */
  readonly served: boolean
}

/** Its handler ignores that it was aborted, for longer than `timeouts.abort`. */
export interface StuckMessage extends AcceptedMessage {
  /** Why it was aborted. */
  readonly error: ProxyProtocolError
}
