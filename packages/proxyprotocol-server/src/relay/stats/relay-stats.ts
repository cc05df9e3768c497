// What a relay can tell of itself while it runs: totals since its start, and its connections of this moment. Nothing is
// kept up to date for it; the numbers are summed up by whoever asks.

import type { Endpoint, ProxyHeader } from 'proxyprotocol'
import type { CloseReason, Connection, ConnectionState, ProxyServer, ServerStats } from 'proxyprotocol/server'
import { Distribution, type DistributionView } from './distribution.ts'
import { RelayedConnection } from './relayed-connection.ts'
import type { TlsFacts } from './tls-facts.ts'

/** Milliseconds: from a neighbour on the same switch to the end of most patience. */
const CONNECT_BOUNDS = [1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000]
/** Milliseconds: from one short exchange to a connection of a day. */
const AGE_BOUNDS = [10, 50, 100, 500, 1_000, 5_000, 10_000, 60_000, 300_000, 1_800_000, 3_600_000, 86_400_000]

/** How often connections came with such a header. */
export interface HeaderCount {
  readonly version: 1 | 2
  readonly command: 'LOCAL' | 'PROXY'
  readonly count: number
}

/** Since the relay was made. `accepted` is always `active` and all of `closed` together. */
export interface RelayTotals extends ServerStats {
  /** Connections whose header is awaited, or that wait for a place. */
  readonly pending: number
  readonly bytesUp: number
  readonly bytesDown: number
  readonly headers: readonly HeaderCount[]
  /** How long connecting to the upstream took, where it came to be. */
  readonly connects: DistributionView
  /** How old the connections were at their end that were relayed or should have been. */
  readonly ages: DistributionView
}

/** A connection of this moment. */
export interface LiveConnection {
  readonly id: string
  readonly state: ConnectionState
  readonly peer: Endpoint | undefined
  readonly source: Endpoint | undefined
  readonly destination: Endpoint | undefined
  /** The address that it was connected to, as soon as it is. */
  readonly upstream: Endpoint | undefined
  /** Milliseconds since it was accepted. */
  readonly age: number
  /** What is known of its TLS; undefined also before it is to be relayed. */
  readonly tls: TlsFacts | undefined
  readonly bytesUp: number
  readonly bytesDown: number
  /** Why it ends, as soon as that is known. */
  readonly reason: CloseReason | undefined
}

/** The totals of one relay. */
export class RelayStats {
  readonly #open = new Map<Connection, RelayedConnection>()
  readonly #headers = new Map<string, HeaderCount>()
  readonly #connects = new Distribution(CONNECT_BOUNDS)
  readonly #ages = new Distribution(AGE_BOUNDS)
  #bytesUp = 0
  #bytesDown = 0

  /** A connection is to be relayed. */
  open(connection: Connection): RelayedConnection {
    const relayed = new RelayedConnection(connection)
    this.#open.set(connection, relayed)
    const { header } = connection.info
    if (header) this.#count(header)
    return relayed
  }

  /** It is over, at this age in milliseconds. */
  close(connection: Connection, relayed: RelayedConnection, age: number): void {
    this.#open.delete(connection)
    this.#bytesUp += relayed.bytesUp
    this.#bytesDown += relayed.bytesDown
    this.#ages.add(age)
    const { connect } = relayed.timings
    if (connect !== undefined) this.#connects.add(connect)
  }

  totals(server: Pick<ProxyServer, 'stats' | 'connections'>): RelayTotals {
    let [pending, bytesUp, bytesDown] = [0, this.#bytesUp, this.#bytesDown]
    for (const { state } of server.connections) if (state === 'accepted' || state === 'header') pending++
    for (const relayed of this.#open.values()) {
      bytesUp += relayed.bytesUp
      bytesDown += relayed.bytesDown
    }
    const headers = [...this.#headers.values()]
    const [connects, ages] = [this.#connects.view(), this.#ages.view()]
    return { ...server.stats(), pending, bytesUp, bytesDown, headers, connects, ages }
  }

  /** The connections in the order of their arrival. */
  *connections(server: Pick<ProxyServer, 'connections'>): Generator<LiveConnection> {
    for (const connection of server.connections) {
      const { id, state, info, age, reason } = connection
      const { source, destination, via } = info
      const { route, tls, bytesUp = 0, bytesDown = 0 } = this.#open.get(connection) ?? {}
      const upstream = route?.upstreamAddress
      yield { id, state, peer: via.peer, source, destination, upstream, age, tls, bytesUp, bytesDown, reason }
    }
  }

  #count({ version, command }: ProxyHeader): void {
    const key = `${version} ${command}`
    const { count } = this.#headers.get(key) ?? { count: 0 }
    this.#headers.set(key, { version, command, count: count + 1 })
  }
}
