import type { Endpoint, ProxyHeader, ProxyProtocolError } from 'proxyprotocol'
import type { Listing } from 'proxyprotocol/dnsbl'
import type { CloseReason, Connection, SocketEnds } from 'proxyprotocol/server'
import type { Service } from '../../config/index.ts'
import type { TlsFacts } from '../../figures/index.ts'
import type { Traffic } from '../tunnel/index.ts'
import type { Route } from '../upstreams/index.ts'
import type { RelayedConnection, RelayTimings } from './relayed-connection.ts'

/** One relayed connection at its end: its client, its addresses, and how it went. */
export interface RelayRecord
  extends Readonly<Pick<Traffic, 'bytesUp' | 'bytesDown'>>, Readonly<Route>, SocketEnds {
  /** A UUID; its 16 bytes are the unique id for the upstream, unless there is a `uniqueId`. */
  readonly id: string
  /** From the inbound header, otherwise the peer. */
  readonly source: Endpoint | undefined
  readonly destination: Endpoint | undefined
  /** From the proxy in front. */
  readonly uniqueId: Uint8Array | undefined
  readonly received: Pick<ProxyHeader, 'version' | 'command'> | undefined
  /** Undefined if no upstream was reached. */
  readonly sent: Service['header'] | undefined
  readonly tls: TlsFacts | undefined
  readonly timings: RelayTimings
  /** Undefined if the block lists were not asked or not awaited. */
  readonly listing: Listing | undefined
  readonly reason: CloseReason
  /** A fault of the relay itself goes to `onError`. */
  readonly error: ProxyProtocolError | undefined
  /** Milliseconds from accept to the end. */
  readonly age: number
}

export type Outcome = Pick<RelayRecord, 'reason' | 'error'>

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
