// Publishes typed messages of servers on node:diagnostics_channel.

import { channel, type Channel } from 'node:diagnostics_channel'
import type { ProxyProtocolError } from '../../codec/index.ts'
import type { ConnectionInfo } from '../socket/index.ts'
import type { CloseReason } from './close-reason.ts'
import type { Connection } from './connection.ts'

/** The type that subscribers see is in messages.ts. */
interface Published {
  readonly server: object
  readonly connection: Connection | undefined
  readonly info: ConnectionInfo
}

interface PublishedError extends Published {
  readonly error: ProxyProtocolError
}

interface PublishedEnd extends Published {
  readonly reason: CloseReason
  readonly served: boolean
}

/**
 * The names of the channels for `node:diagnostics_channel`. Each message has a type, such as `AcceptedMessage` for
 * `accepted`. A connection is accepted once, then opened or rejected (a probe is neither), then closed. Attached
 * servers do not publish rejected connections as closed.
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
  missing: 'proxyprotocol.server.missing',
  stuck: 'proxyprotocol.server.stuck',
} as const

export const acceptedChannel = channel(diagnosticsChannels.accepted) as Channel<unknown, Published>
export const rejectedChannel = channel(diagnosticsChannels.rejected) as Channel<unknown, PublishedError>
export const missingChannel = channel(diagnosticsChannels.missing) as Channel<unknown, Published>
export const openedChannel = channel(diagnosticsChannels.opened) as Channel<unknown, Published>
export const closedChannel = channel(diagnosticsChannels.closed) as Channel<unknown, PublishedEnd>
export const stuckChannel = channel(diagnosticsChannels.stuck) as Channel<unknown, PublishedError>
