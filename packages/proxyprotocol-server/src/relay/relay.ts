// Gives each accepted connection an upstream connection that starts with a header about the client.

import type { AddressInfo, Socket } from 'node:net'
import { ProxyProtocolError } from 'proxyprotocol'
import type { HeaderForOptions } from 'proxyprotocol/client'
import { reset, type Connection, type OnRejected, type ProxyServer } from 'proxyprotocol/server'
import { formatEndpoint, type OwnCertificate, type RouteSettings, type Service } from '../config/index.ts'
import type { ListingCounts, LiveConnection, RelayTotals } from '../figures/index.ts'
import { type AccessCounts, Gate, type GateFigures } from './access/index.ts'
import { askBlockLists, BlockListCheck } from './block-list-check.ts'
import { withConnectionLimit } from './connection-limit.ts'
import { ownTlvs } from './own-tlvs.ts'
import { ClientGoneSignal } from './client-gone-signal.ts'
import { HandleRelay } from './handles/index.ts'
import { listenForClients } from './listen-at.ts'
import { noticeProbe, watchForProbe } from './probe.ts'
import { SSL_REQUEST, takeAnswer } from './passthrough/index.ts'
import { RelayServer } from './relay-server.ts'
import { serverOptions } from './server-options.ts'
import {
  RelayStats,
  type Outcome,
  type RelayedConnection,
  recordOf,
  type RelayRecord,
} from './stats/index.ts'
import { Entrance, processSecret, RelayTls } from './tls/index.ts'
import { readBuffered, tunnel } from './tunnel/index.ts'
import { upstreamHeader } from './upstream-header.ts'
import { type PoolsOptions, type RoutedUpstreams, UpstreamPools } from './upstream-pools.ts'

export interface RelayOptions extends PoolsOptions {
  /**
   * What a version 2 header tells about a client's TLS that ends here. `true` (default) is all but the certificate,
   * `false` nothing; a list names facts as for `headerFor` of `proxyprotocol/client`.
   */
  readonly tlsFacts?: HeaderForOptions['tls']
  /**
   * 32 random bytes. With the same ones, relays of a service resume each other's TLS sessions. By default all relays of
   * a process have the same ones.
   */
  readonly ticketSecret?: (() => Uint8Array) | undefined
  /**
   * `'auto'` relays plain TCP without sockets where it can, which is faster; `socket` of such a connection throws.
   * Default `'sockets'`.
   */
  readonly dataPlane?: 'auto' | 'sockets' | undefined
  /** Called once at the end of each connection that was admitted. `onRejected` gets the others. */
  readonly onClosed?: ((record: RelayRecord) => void) | undefined
  /** As for `createServer` of `proxyprotocol/server`. */
  readonly onRejected?: OnRejected | undefined
  /** Called with a fault of the listener or of the relay. Without it such faults become process warnings. */
  readonly onError?: ((error: unknown, connection: Connection | undefined) => unknown) | undefined
}

/** A relay for one service; its server closes and counts. */
export interface Relay {
  readonly server: ProxyServer
  /** The service, with its current limit on connections. */
  readonly service: Service
  /** The counters so far. */
  readonly totals: () => RelayTotals
  /** What relays its connections, once it listens. */
  readonly plane: () => 'handles' | 'sockets'
  /** In the order of their arrival. */
  readonly connections: () => Iterable<LiveConnection>
  /** Undefined if the service asks no block lists. */
  readonly listings: ListingCounts | undefined
  /** What its lists and its rate have decided. */
  readonly gate: () => GateFigures
  /** The upstreams now. */
  readonly upstreams: () => RoutedUpstreams
  /** Those towards clients and upstreams. */
  readonly certificates: () => readonly OwnCertificate[]
  /** Changes the limit on connections; open ones stay. */
  limitConnections(connections: number): void
  /** Listens at the service's address, resolves with the bound address, and starts to check the upstreams. */
  listen(): Promise<AddressInfo | string>
  /**
   * Reloads the files of certificates, keys and authorities for new connections.
   *
   * @returns true if any has changed.
   * @throws {ConfigError} naming a file that cannot be used; nothing changes then.
   */
  reloadCertificates(): boolean
  /** Uses the `ticketSecret` of now for new TLS sessions. Earlier ones cannot be resumed. */
  renewTicketKeys(): void
  /**
   * Reloads the files of `allow` and `deny` for new connections.
   *
   * @returns the number of networks if any has changed.
   * @throws {ConfigError} as `reloadCertificates`.
   */
  reloadNetworks(): AccessCounts | undefined
}

/**
 * Makes a relay that puts a header in front of every connection: version 2 with a unique id, version 1, or none. If the
 * service accepts headers, the client of the inbound header goes on.
 *
 * @throws TypeError or RangeError naming a wrong option; {@link ConfigError} naming a file that cannot be used.
 * @example
 * ```ts run
 * import { createRelay, parseService } from 'proxyprotocol-server'
 *
 * const relay = createRelay(parseService('127.0.0.1:0', '127.0.0.1:10007'), { onClosed: console.log })
 * await relay.listen()
 * await relay.server.close()
 * ```
 */
export function createRelay(service: Service, options: RelayOptions = {}): Relay {
  if (service.datagrams)
    throw new TypeError(`service must be one of TCP, got ${formatEndpoint(service.listen)}`)
  return relayOn(UpstreamPools.of(service, options), service, options)
}

/** For a service with many routes. */
export async function createRelayInSlices(service: Service, options: RelayOptions): Promise<Relay> {
  return relayOn(await UpstreamPools.inSlices(service, options), service, options)
}

function relayOn(pools: UpstreamPools, given: Service, options: RelayOptions): Relay {
  const { onClosed, onRejected, onError, tlsFacts = true, ticketSecret = () => processSecret } = options
  let service = withConnectionLimit(given)
  const stats = new RelayStats()
  const blockLists = service.dnsbl && new BlockListCheck(service.dnsbl)
  const tls = new RelayTls(service, pools.tls, ticketSecret)
  const gate = new Gate(service, options.now ?? (() => performance.now()))
  const serving = { ...serverOptions(service, gate), tls: tls.serverOptions, onRejected, onError }
  const entrance = new Entrance(service, tls)
  const context = { service, blockLists, entrance, tls, tlsFacts, pools, stats, onClosed }
  const plane = options.dataPlane === 'auto' ? new HandleRelay(context) : undefined
  const server = new RelayServer({ pools, plane }, serving, connection =>
    relayConnection(context, connection, stats.open(connection)),
  )
  return {
    server,
    get service() {
      return service
    },
    get listings() {
      return blockLists?.counts
    },
    plane: () => (plane?.isReady ? 'handles' : 'sockets'),
    totals: () => stats.totals(server),
    connections: () => stats.connections(server),
    gate: () => gate.figures(),
    upstreams: () => pools.snapshot(),
    certificates: () => tls.certificates,
    limitConnections: connections => {
      server.setConnectionLimit(connections)
      service = { ...service, limits: { ...service.limits, connections } }
    },
    listen: () => listenForClients(server, service),
    reloadCertificates: () => tls.reload(server),
    renewTicketKeys: () => tls.renewTicketKeys(server),
    reloadNetworks: () => gate.reload(),
  }
}

interface RelayContext extends Pick<RelayOptions, 'onClosed'> {
  readonly service: Service
  readonly blockLists: BlockListCheck | undefined
  readonly entrance: Entrance
  readonly tls: RelayTls
  readonly tlsFacts: HeaderForOptions['tls']
  readonly pools: UpstreamPools
  readonly stats: RelayStats
}

/** Each async function that waits with the connection costs 340 bytes. */
async function relayConnection(
  context: RelayContext,
  connection: Connection,
  relayed: RelayedConnection,
): Promise<void> {
  let upstream: Socket | undefined
  let outcome: Outcome = { reason: 'handler_error', error: undefined }
  try {
    watchForProbe(connection, relayed)
    context.tls.checkClient(connection.tls)
    if (context.blockLists) await askBlockLists(context.blockLists, connection, relayed)
    const settings = context.entrance.isOpen
      ? context.service
      : await context.entrance.enter(connection, relayed)
    const { connect, idle, halfClose, keepAlive } = settings.timeouts
    if (idle !== context.service.timeouts.idle) connection.setIdleTimeout(idle)
    upstream = await connectUpstream(context, connection, { relayed, settings })
    if (relayed.sslRequest) await takeAnswer(upstream, { signal: connection.signal, timeout: connect })
    relayed.connected()
    await tunnel(connection.socket, upstream, { traffic: relayed, halfClose, keepAlive })
    noticeProbe(connection, relayed)
    outcome = outcomeOf(connection, undefined)
  } catch (error) {
    if (upstream) reset(upstream) // it ends with the connection, by reset
    if (!(error instanceof ProxyProtocolError)) throw error
    connection.abort(error)
    outcome = outcomeOf(connection, error)
  } finally {
    const { age } = connection
    context.stats.close(relayed, age)
    context.onClosed?.(recordOf(connection, relayed, { age, outcome }))
  }
}

/** The first reason counts: a client's reset is why connecting was cancelled. */
function outcomeOf(connection: Connection, fault: ProxyProtocolError | undefined): Outcome {
  const { reason } = connection
  if (reason === undefined) return { reason: 'done', error: undefined }
  const error = fault?.code === reason ? fault : (connection.signal.reason as ProxyProtocolError) // the server's promise
  return { reason, error }
}

function connectUpstream(
  { service, tlsFacts, pools }: RelayContext,
  connection: Connection,
  { relayed, settings }: { readonly relayed: RelayedConnection; readonly settings: RouteSettings },
): Promise<Socket> {
  const { socket, info } = connection
  /** Payload that came while connecting leaves with the header, in one write. */
  function payload(): Uint8Array | null {
    if (relayed.sslRequest) return SSL_REQUEST // its ClientHello must wait for the answer
    const bytes = readBuffered(socket)
    relayed.bytesUp += bytes?.length ?? 0
    return bytes
  }
  const { pool, timeouts, tlvs: configured } = settings
  const { route, listing, hello } = relayed
  return pools.of(pool).connect({
    source: info.source,
    client: connection.tls,
    header: ({ header }) => {
      relayed.sent = header
      const tlvs = ownTlvs(configured, { info, tls: connection.tls, hello, service })
      const options = { header, pass: service.pass, tls: tlsFacts, tlvs, configured }
      return upstreamHeader(options, connection, { listing, hello })
    },
    payload,
    timeout: timeouts.connect,
    signal: new ClientGoneSignal(connection, socket),
    route,
    owner: connection,
  })
}
