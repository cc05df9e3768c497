// What a fleet runs: relays of connections and of datagrams.

import type { CloseOptions, CloseResult, Connection, ProxyServer } from 'proxyprotocol/server'
import type { DatagramFigures } from '../../figures/index.ts'
import type { Relay } from '../relay.ts'

/** The server of one service. */
export interface ServiceServer extends Pick<ProxyServer, 'state' | 'address'> {
  /** Open connections, or flows. */
  readonly connections: Iterable<Pick<Connection, 'id' | 'abort'>> & { readonly size: number }
  /** As that of `ProxyServer`. */
  close(options?: CloseOptions): Promise<CloseResult>
  /** As that of `ProxyServer`. */
  abort(reason?: unknown): Promise<CloseResult>
  /** As that of `ProxyServer`, to a server of the same kind. */
  handOver(successor: ServiceServer): Promise<CloseResult>
}

/** A relay for one service of any kind. */
export interface ServiceRelay extends Omit<Relay, 'server' | 'plane'> {
  readonly server: ServiceServer
  /** Undefined for datagrams. */
  readonly plane?: Relay['plane']
  /** Undefined for connections. */
  readonly datagrams?: () => DatagramFigures
}
