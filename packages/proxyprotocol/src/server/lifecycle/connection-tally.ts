// Counts and publishes one server's connections. A channel without subscribers gets no message.

import type { ProxyProtocolError } from '../../codec/index.ts'
import { type CloseReason, emptyCounters } from './close-reason.ts'
import type { ConnectionInfo } from '../socket/index.ts'
import type { Connection } from './connection.ts'
import {
  acceptedChannel,
  closedChannel,
  missingChannel,
  openedChannel,
  rejectedChannel,
  stuckChannel,
} from './diagnostics.ts'

/** Counters since the start. `accepted` is always `active` and all of `closed` together. */
export interface ServerStats {
  readonly accepted: number
  readonly active: number
  readonly closed: Readonly<Record<CloseReason, number>>
  /** Connections of trusted peers without a header, which `missing: 'direct'` has allowed. */
  readonly missing: number
}

/** A server, as far as it is counted. */
interface Counted {
  readonly connections: { readonly size: number }
}

export class ConnectionTally {
  readonly #server: Counted
  readonly #closed = emptyCounters()
  #accepted = 0
  #missing = 0

  constructor(server: Counted) {
    this.#server = server
  }

  /** A snapshot of the counters. */
  stats(): ServerStats {
    return {
      accepted: this.#accepted,
      active: this.#server.connections.size,
      closed: { ...this.#closed },
      missing: this.#missing,
    }
  }

  /** A client was turned away before there was a connection. */
  shortage(): void {
    this.#accepted++
    this.#closed.limit_fds++
  }

  accepted(connection: Connection): void {
    this.#accepted++
    if (acceptedChannel.hasSubscribers) acceptedChannel.publish(this.#about(connection))
  }

  missing(connection: Connection): void {
    this.#missing++
    if (missingChannel.hasSubscribers) missingChannel.publish(this.#about(connection))
  }

  opened(connection: Connection): void {
    if (openedChannel.hasSubscribers) openedChannel.publish(this.#about(connection))
  }

  /** True if there are subscribers. */
  rejected(connection: Connection, error: ProxyProtocolError): boolean {
    const { hasSubscribers } = rejectedChannel
    if (hasSubscribers) rejectedChannel.publish({ ...this.#about(connection), error })
    return hasSubscribers
  }

  stuck(connection: Connection, error: ProxyProtocolError): void {
    if (stuckChannel.hasSubscribers) stuckChannel.publish({ ...this.#about(connection), error })
  }

  closed(connection: Connection, served: boolean): void {
    const { reason = 'done' } = connection
    this.#closed[reason]++
    if (!closedChannel.hasSubscribers) return
    // One literal: each connection has this message, and spreading is slow.
    closedChannel.publish({ server: this.#server, connection, info: connection.info, reason, served })
  }

  #about(connection: Connection): { server: object; connection: Connection; info: ConnectionInfo } {
    return { server: this.#server, connection, info: connection.info }
  }
}
