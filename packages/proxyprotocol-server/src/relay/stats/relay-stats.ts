// A reading sums up the connections, so counting costs them nothing.

import type { ProxyHeader } from 'proxyprotocol'
import { LiveSet } from 'proxyprotocol/internal/node'
import type { Connection, ProxyServer } from 'proxyprotocol/server'
import {
  AGE_BOUNDS,
  CONNECT_BOUNDS,
  Distribution,
  type HeaderCount,
  type LiveConnection,
  type RelayTotals,
} from '../../figures/index.ts'
import { RelayedConnection } from './relayed-connection.ts'

const relayedKey = Symbol('relayed')

/** A field, because a map of live connections would keep closed ones (`LiveSet`). */
interface Relayed extends Connection {
  [relayedKey]?: RelayedConnection
}

export class RelayStats {
  readonly #open = new LiveSet<RelayedConnection>()
  readonly #headers = new Map<string, HeaderCount>()
  readonly #connects = new Distribution(CONNECT_BOUNDS)
  readonly #ages = new Distribution(AGE_BOUNDS)
  #bytesUp = 0
  #bytesDown = 0

  open(connection: Connection): RelayedConnection {
    const relayed = new RelayedConnection(connection)
    ;(connection as Relayed)[relayedKey] = relayed
    this.#open.add(relayed)
    const { header } = connection.info
    if (header) this.#count(header)
    return relayed
  }

  close(relayed: RelayedConnection, age: number): void {
    this.#open.delete(relayed)
    this.#bytesUp += relayed.bytesUp
    this.#bytesDown += relayed.bytesDown
    this.#ages.add(age)
    const { connect } = relayed.timings
    if (connect !== undefined) this.#connects.add(connect)
  }

  totals(server: Pick<ProxyServer, 'stats' | 'connections'>): RelayTotals {
    let [pending, bytesUp, bytesDown] = [0, this.#bytesUp, this.#bytesDown]
    for (const { state } of server.connections) if (state === 'accepted' || state === 'header') pending++
    for (const relayed of this.#open) {
      bytesUp += relayed.bytesUp
      bytesDown += relayed.bytesDown
    }
    const headers = [...this.#headers.values()]
    const [connects, ages] = [this.#connects.view(), this.#ages.view()]
    const { accepted, active, closed, busiestSource } = server.stats()
    return { accepted, active, closed, pending, busiestSource, bytesUp, bytesDown, headers, connects, ages }
  }

  *connections(server: Pick<ProxyServer, 'connections'>): Generator<LiveConnection> {
    for (const connection of server.connections) {
      const { id, state, info, age, reason } = connection
      const { source, destination, via } = info
      const { route, tls, bytesUp = 0, bytesDown = 0 } = (connection as Relayed)[relayedKey] ?? {}
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
