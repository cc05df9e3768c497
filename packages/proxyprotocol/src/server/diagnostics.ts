// What the library tells the outside: typed messages on node:diagnostics_channel. It never logs.

import { channel, type Channel } from 'node:diagnostics_channel'
import type { Server } from 'node:net'
import type { ProxyProtocolError } from '../codec/index.ts'
import type { CloseReason } from './close-reason.ts'
import type { ConnectionInfo } from './connection-info.ts'
import type { Connection } from './connection.ts'

/** Published when a connection is refused before its handler could start. */
export interface RejectedMessage {
  readonly connection: Connection
  /** What was wrong, with a hint at what arrived instead of a header. */
  readonly error: ProxyProtocolError
}

/** Published when a server that was attached to does not get to see a connection. */
export interface AttachRejectedMessage {
  readonly server: Server
  readonly info: ConnectionInfo
  readonly error: ProxyProtocolError
}

/** Published when a connection is over: its socket is closed and its handler has settled. */
export interface ClosedMessage {
  readonly connection: Connection
  readonly reason: CloseReason
}

/**
 * The channels' names, for `node:diagnostics_channel`. Messages: `rejected` a `RejectedMessage`, `closed` a
 * `ClosedMessage`, `attachRejected` an `AttachRejectedMessage`.
 *
 * @example
 * ```ts
 * import { subscribe } from 'node:diagnostics_channel'
 * import { diagnosticsChannels, type RejectedMessage } from 'proxyprotocol/server'
 *
 * subscribe(diagnosticsChannels.rejected, message => {
 *   const { error, connection } = message as RejectedMessage
 *   console.warn(connection.info.via.peer, error.message)
 * })
 * ```
 */
export const diagnosticsChannels = {
  rejected: 'proxyprotocol.server.rejected',
  closed: 'proxyprotocol.server.closed',
  attachRejected: 'proxyprotocol.attach.rejected',
} as const

export const rejectedChannel: Channel = channel(diagnosticsChannels.rejected)
export const closedChannel: Channel = channel(diagnosticsChannels.closed)
export const attachRejectedChannel: Channel = channel(diagnosticsChannels.attachRejected)
