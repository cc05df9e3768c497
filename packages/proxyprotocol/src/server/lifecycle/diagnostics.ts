// What the library tells the outside: typed messages on node:diagnostics_channel. It never logs.

import { channel, type Channel } from 'node:diagnostics_channel'
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

/**
 * The channels' names, for `node:diagnostics_channel`, each with the messages of its name: `accepted` an
 * `AcceptedMessage`, and so on. A connection is accepted once, then opened or rejected (neither where it was a mere
 * check), then closed; where the server was attached to, rejected ones are not told as closed.
 *
 * @example
 * ```ts run
 * import { subscribe } from 'node:diagnostics_channel'
 * import { diagnosticsChannels, type RejectedMessage } from 'proxyprotocol/server'
 *
 * subscribe(diagnosticsChannels.rejected, message => {
 *   const { error, info } = message as RejectedMessage
 *   console.warn(info.via.peer, error.message)
 * })
 * ```
 */
export const diagnosticsChannels = {
  accepted: 'proxyprotocol.server.accepted',
  rejected: 'proxyprotocol.server.rejected',
  opened: 'proxyprotocol.server.opened',
  closed: 'proxyprotocol.server.closed',
  stuck: 'proxyprotocol.server.stuck',
} as const

export const acceptedChannel = channel(diagnosticsChannels.accepted) as Channel<unknown, AcceptedMessage>
export const rejectedChannel = channel(diagnosticsChannels.rejected) as Channel<unknown, RejectedMessage>
export const openedChannel = channel(diagnosticsChannels.opened) as Channel<unknown, OpenedMessage>
export const closedChannel = channel(diagnosticsChannels.closed) as Channel<unknown, ClosedMessage>
export const stuckChannel = channel(diagnosticsChannels.stuck) as Channel<unknown, StuckMessage>
