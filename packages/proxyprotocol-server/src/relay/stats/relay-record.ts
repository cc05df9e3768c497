// What is told of a relayed connection when it is over.

import type { Endpoint, ProxyHeader, ProxyProtocolError } from 'proxyprotocol'
import type { Listing } from 'proxyprotocol/dnsbl'
import type { CloseReason, Connection, SocketEnds } from 'proxyprotocol/server'
import type { Service } from '../../config/index.ts'
import type { TlsFacts } from '../../figures/index.ts'
import type { Traffic } from '../tunnel/index.ts'
import type { Route } from '../upstreams/index.ts'
import type { RelayedConnection, RelayTimings } from './relayed-connection.ts'

/** One relayed connection, when it is over: who it came from, where it was accepted, and how it went. */
export interface RelayRecord
  extends Readonly<Pick<Traffic, 'bytesUp' | 'bytesDown'>>, Readonly<Route>, SocketEnds {
  /** A UUID; its 16 bytes are the unique id that the upstream was sent, unless there is a `uniqueId`. */
  readonly id: string
  /** The client: as the inbound header says, or the peer where that says nothing. */
  readonly source: Endpoint | undefined
  /** The address that the client connected to. */
  readonly destination: Endpoint | undefined
  /** What the proxy in front calls this connection. */
  readonly uniqueId: Uint8Array | undefined
  /** The header that it came with. */
  readonly received: Pick<ProxyHeader, 'version' | 'command'> | undefined
  /** What the upstream was sent; undefined where it was not reached. */
  readonly sent: Service['header'] | undefined
  /** What is known of the client's TLS. */
  readonly tls: TlsFacts | undefined
  readonly timings: RelayTimings
  /** What the service's block lists say of the client; undefined where they were not asked, or not waited for. */
  readonly listing: Listing | undefined
  /** `done`, or what went wrong. */
  readonly reason: CloseReason
  /** The fault behind the reason, where there is one; a fault of the relay itself goes to `onError`. */
  readonly error: ProxyProtocolError | undefined
  /** Milliseconds from accept to the end. */
  readonly age: number
}

/** How it ended. */
export type Outcome = Pick<RelayRecord, 'reason' | 'error'>

/** The record of a connection that is over. */
export function recordOf(
  { id, info }: Connection,
  relayed: RelayedConnection,
  { age, outcome: { reason, error } }: { readonly age: number; readonly outcome: Outcome },
): RelayRecord {
  const { via, source, destination, uniqueId, header: received } = info
  const { peer, local } = via
  const { bytesUp, bytesDown, route, tls, listing, timings } = relayed
  const { upstream, upstreamAddress, attempts } = route
  const sent = timings.connect === undefined ? undefined : relayed.sent
  // One literal: spreading objects into another costs more than all else here.
  return {
    id,
    peer,
    local,
    source,
    destination,
    uniqueId,
    received,
    sent,
    tls,
    listing,
    upstream,
    upstreamAddress,
    attempts,
    timings,
    bytesUp,
    bytesDown,
    reason,
    error,
    age,
  }
}
