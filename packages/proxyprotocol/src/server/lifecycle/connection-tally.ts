// Counts and publishes one server's connections.

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

/** Counters since the start; `accepted` is always `active` plus the sum of `closed`. */
export interface ServerStats {
  readonly accepted: number
  readonly active: number
  readonly closed: Readonly<Record<CloseReason, number>>
  /** Connections of trusted peers without a header, which `missing: 'direct'` allowed. */
  readonly missing: number
  /** Open connections of the source that has the most; 0 without `limits.perSource`. */
  readonly busiestSource: number
}

interface Counted {
  readonly connections: { readonly size: number }
}

export class ConnectionTally {
  readonly #server: Counted
  readonly #busiestSource: () => number
  readonly #closed = emptyCounters()
  #accepted = 0
  #missing = 0

  constructor(server: Counted, busiestSource: () => number) {
    this.#server = server
    this.#busiestSource = busiestSource
  }

  stats(): ServerStats {
    return {
      accepted: this.#accepted,
      active: this.#server.connections.size,
      closed: { ...this.#closed },
      missing: this.#missing,
      busiestSource: this.#busiestSource(),
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
    // A literal, because spreading is slow and each connection has this message.
    closedChannel.publish({ server: this.#server, connection, info: connection.info, reason, served })
  }

  #about(connection: Connection): { server: object; connection: Connection; info: ConnectionInfo } {
    return { server: this.#server, connection, info: connection.info }
  }
}
