// The main job: each accepted connection gets one of its own upstream, which starts with a header that names the client.
// It is one more handler under the server's contract, nothing else.

import type { AddressInfo, Socket } from 'node:net'
import { ProxyProtocolError, type Endpoint, type ProxyHeader } from 'proxyprotocol'
import type { Listing } from 'proxyprotocol/dnsbl'
import {
  reset,
  type CloseReason,
  type Connection,
  type ProxyServer,
  type ServerOptions,
  type SocketEnds,
} from 'proxyprotocol/server'
import type { Service } from '../config/index.ts'
import { BlockListCheck, describeListed, type ListingCounts } from './block-list-check.ts'
import { withConnectionLimit } from './connection-limit.ts'
import { Ledger, type LiveConnection, type RelayTotals } from './ledger.ts'
import { peekClientHello } from './passthrough/index.ts'
import type { Progress, RelayTimings } from './progress.ts'
import { tlsFacts, type TlsFacts } from './tls-facts.ts'
import { RelayServer } from './relay-server.ts'
import { tunnel, type Traffic } from './tunnel.ts'
import { upstreamHeader } from './upstream-header.ts'
import { UpstreamPools } from './upstream-pools.ts'
import type { PoolContext, PoolSnapshot, Route } from './upstreams/index.ts'

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

export interface RelayOptions extends PoolContext {
  /**
   * Called once at the end of each connection that was relayed or should have been. Those that were turned away before, for
   * their headers say, are told on the channel `rejected` of `proxyprotocol/server`.
   */
  readonly onClosed?: ((record: RelayRecord) => void) | undefined
  /**
   * Called with what should not happen: a fault of the listener, or, with its connection, one of the relay itself.
   * Without it such faults are emitted as process warnings.
   */
  readonly onError?: ((error: unknown, connection: Connection | undefined) => unknown) | undefined
}

/** A relay for one service; closing and counting is its server's. */
export interface Relay {
  readonly server: ProxyServer
  /** As it was given, its limit on connections settled. */
  readonly service: Service
  /** What happened so far. */
  readonly totals: () => RelayTotals
  /** The connections of this moment, in the order of their arrival. */
  readonly connections: () => Iterable<LiveConnection>
  /** What block lists have answered so far; undefined where the service asks none. */
  readonly listings: ListingCounts | undefined
  /** The upstreams as they are now. */
  readonly upstreams: () => PoolSnapshot
  /** Listens at the service's address, resolves with the one that was bound, and starts to check the upstreams. */
  listen(): Promise<AddressInfo | string>
}

type Outcome = Pick<RelayRecord, 'reason' | 'error'>

/**
 * Makes a relay that puts a header in front of every connection: version 2 with a unique id, version 1, or none, as the
 * service says. Where the service accepts headers, the client of the inbound header is the one that goes on.
 *
 * @throws TypeError or RangeError naming the option that is wrong.
 *
 * @example
 * ```ts
 * import { createRelay, parseService } from 'proxyprotocol-server'
 *
 * const relay = createRelay(parseService('127.0.0.1:0', '127.0.0.1:10007'), { onClosed: console.log })
 * await relay.listen()
 * await relay.server.close()
 * ```
 */
export function createRelay(given: Service, options: RelayOptions = {}): Relay {
  const { onClosed, onError } = options
  const service = withConnectionLimit(given)
  const ledger = new Ledger()
  const blockLists = service.dnsbl && new BlockListCheck(service.dnsbl)
  const pools = new UpstreamPools(service, options)
  const serving = { ...serverOptions(service), onError }
  const server = new RelayServer(pools, serving, async connection => {
    const progress = ledger.open(connection)
    let outcome: Outcome = { reason: 'handler_error', error: undefined }
    try {
      outcome = await relayConnection({ service, blockLists, pools, connection, progress })
    } finally {
      const { age } = connection
      ledger.close(progress, age)
      onClosed?.(recordOf(connection, { ...outcome, age, progress }))
    }
  })
  const { host, port } = service.listen
  return {
    server,
    service,
    get listings() {
      return blockLists?.counts
    },
    totals: () => ledger.totals(server),
    connections: () => ledger.connections(server),
    upstreams: () => pools.snapshot(),
    listen: () => server.listen({ host, port }),
  }
}

function recordOf(
  { id, info }: Connection,
  { progress, ...end }: Outcome & { readonly age: number; readonly progress: Progress },
): RelayRecord {
  const { via, source, destination, uniqueId, header } = info
  const { bytesUp, bytesDown, route, listing, hello, timings } = progress
  const sent = timings.connect === undefined ? undefined : progress.sent
  const facts = { received: header, sent, tls: tlsFacts(info, hello), listing, ...route }
  return { id, ...via, source, destination, uniqueId, ...facts, timings, bytesUp, bytesDown, ...end }
}

function serverOptions({ accepts, limits, overLimit, timeouts }: Service): ServerOptions {
  const { header, idle, halfClose, abort } = timeouts
  return {
    ...(accepts ?? { version: 'none' }),
    limits,
    overLimit,
    timeouts: { header, idle, halfClose, abort },
  }
}

/** One connection, and what its relay knows. */
interface Job {
  readonly service: Service
  readonly blockLists: BlockListCheck | undefined
  readonly pools: UpstreamPools
  readonly connection: Connection
  readonly progress: Progress
}

/** Relays one connection to its end, whatever that is. */
async function relayConnection(job: Job): Promise<Outcome> {
  const { connection } = job
  let fault: ProxyProtocolError | undefined
  try {
    await askBlockLists(job)
    await peek(job)
    const upstream = await connectUpstream(job)
    await relayBetween(job, upstream)
  } catch (error) {
    if (!(error instanceof ProxyProtocolError)) throw error
    fault = error
    connection.abort(fault)
  }
  // The first reason counts: a client that reset the connection is why connecting was given up, for one.
  const { reason } = connection
  if (reason === undefined) return { reason: 'done', error: undefined }
  const error = fault?.code === reason ? fault : (connection.signal.reason as ProxyProtocolError) // the server's promise
  return { reason, error }
}

/** @throws ProxyProtocolError `denied_dnsbl` where the client is listed, and the service rejects those. */
async function askBlockLists(job: Job): Promise<void> {
  const { service, blockLists, connection, progress } = job
  const answered = blockLists?.ask(connection.info, connection.signal).then(listing => {
    progress.answered(listing)
  })
  if (service.dnsbl?.action === 'log' || answered === undefined) return // it never rejects
  await answered
  const { listing } = progress
  if (service.dnsbl?.action === 'reject' && listing?.status === 'listed') {
    throw new ProxyProtocolError('denied_dnsbl', { detail: describeListed(listing) })
  }
}

/** @throws ProxyProtocolError as `peekClientHello` does, where the service passes TLS through. */
async function peek({ service: { passthrough }, connection, progress }: Job): Promise<void> {
  const { socket, signal, info } = connection
  if (!passthrough || info.header?.command === 'LOCAL') return // a check by the proxy in front may say nothing
  progress.hello = await peekClientHello(socket, { timeout: passthrough.timeout, signal })
}

async function connectUpstream({ service, pools, connection, progress }: Job): Promise<Socket> {
  const { socket, signal, info } = connection
  /** What came while the upstream was connecting leaves with the header, in one write. */
  function payload(): Buffer | null {
    const bytes = socket.read() as Buffer | null // without an encoding it gives bytes
    progress.bytesUp += bytes?.length ?? 0
    return bytes
  }
  const { pass, timeouts } = service
  const { route, listing, hello } = progress
  const upstream = await pools.for(hello?.serverName).connect({
    source: info.source,
    header: ({ header }) => {
      progress.sent = header
      return upstreamHeader({ header, pass }, connection, { listing, hello })
    },
    payload,
    timeout: timeouts.connect,
    signal,
    route,
  })
  progress.connected()
  return upstream
}

async function relayBetween({ service, connection, progress }: Job, upstream: Socket): Promise<void> {
  const { socket: downstream } = connection
  try {
    const { keepAlive, halfClose } = service.timeouts
    for (const socket of [downstream, upstream]) socket.setKeepAlive(true, keepAlive)
    await tunnel(downstream, upstream, { traffic: progress, halfClose })
  } catch (error) {
    reset(upstream) // it never outlives its connection, nor looks complete
    throw error
  }
}
