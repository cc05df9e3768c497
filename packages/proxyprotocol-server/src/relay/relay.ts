// The main job: each accepted connection gets one of its own upstream, which starts with a header that names the client.
// It is one more handler under the server's contract, nothing else.

import type { AddressInfo, Socket } from 'node:net'
import { ProxyProtocolError, type Endpoint } from 'proxyprotocol'
import { connect, type HeaderForOptions } from 'proxyprotocol/client'
import {
  createServer,
  distinguishResets,
  reset,
  type CloseReason,
  type Connection,
  type ProxyServer,
  type ServerOptions,
  type SocketEnds,
} from 'proxyprotocol/server'
import { placeOf, type Service } from '../config/index.ts'
import { withConnectionLimit } from './connection-limit.ts'
import { listenAt } from './listen-at.ts'
import { RelayTls } from './relay-tls.ts'
import { tunnel, type Traffic } from './tunnel.ts'
import { upstreamHeader } from './upstream-header.ts'

/** One relayed connection, when it is over: who it came from, where it was accepted, and how it went. */
export interface RelayRecord extends Readonly<Traffic>, SocketEnds {
  /** A UUID; its 16 bytes are the unique id that the upstream was sent, unless there is a `uniqueId`. */
  readonly id: string
  /** The client: as the inbound header says, or the peer where that says nothing. */
  readonly source: Endpoint | undefined
  /** The address that the client connected to. */
  readonly destination: Endpoint | undefined
  /** What the proxy in front calls this connection. */
  readonly uniqueId: Uint8Array | undefined
  /** `done`, or what went wrong. */
  readonly reason: CloseReason
  /** The fault behind the reason, where there is one; a fault of the relay itself goes to `onError`. */
  readonly error: ProxyProtocolError | undefined
  /** Milliseconds from accept to the end. */
  readonly age: number
}

export interface RelayOptions {
  /**
   * What a version 2 header tells the upstream of a client's TLS that ends here: `true`, the default, for all but the client's
   * certificate, `false` for nothing, or a list of facts, as `headerFor` of `proxyprotocol/client` takes it.
   */
  readonly tlsFacts?: HeaderForOptions['tls']
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
  /** Listens at the service's address and resolves with the one that was bound. */
  listen(): Promise<AddressInfo | string>
  /**
   * Reads the files of certificates, keys and authorities anew, and takes them for connections to come.
   *
   * @returns whether any has changed.
   * @throws {ConfigError} naming the file that cannot be used, and why; everything stays as it is then.
   */
  reloadCertificates(): boolean
}

type Outcome = Pick<RelayRecord, 'reason' | 'error'>

/**
 * Makes a relay that puts a header in front of every connection: version 2 with a unique id, version 1, or none, as the
 * service says. Where the service accepts headers, the client of the inbound header is the one that goes on.
 *
 * @throws TypeError or RangeError naming the option that is wrong; {@link ConfigError} naming the file of a certificate or
 * key that cannot be used.
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
  const { onClosed, onError, tlsFacts = true } = options
  const service = withConnectionLimit(given)
  const tls = new RelayTls(service)
  const settings = { ...serverOptions(service), tls: tls.server, onError }
  const server = createServer(settings, async connection => {
    const traffic: Traffic = { bytesUp: 0, bytesDown: 0 }
    let outcome: Outcome = { reason: 'handler_error', error: undefined }
    try {
      outcome = await relayConnection({ service, tls, tlsFacts, connection, traffic })
    } finally {
      const { id, info, age } = connection
      const { via, source, destination, uniqueId } = info
      onClosed?.({ id, ...via, source, destination, uniqueId, ...outcome, age, ...traffic })
    }
  })
  const listen = (): Promise<AddressInfo | string> => listenAt(server, service.listen)
  return { server, service, listen, reloadCertificates: () => tls.reload(server) }
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
  readonly tls: RelayTls
  readonly tlsFacts: HeaderForOptions['tls']
  readonly connection: Connection
  readonly traffic: Traffic
}

/** Relays one connection to its end, whatever that is. */
async function relayConnection(job: Job): Promise<Outcome> {
  const { connection } = job
  let fault: ProxyProtocolError | undefined
  try {
    const upstream = await connectUpstream(job)
    await relayBetween(job, upstream)
  } catch (error) {
    if (!(error instanceof ProxyProtocolError)) throw error
    fault = error
    connection.abort(fault)
  }
  // The first reason counts: a client that reset the connection is why connecting was given up, for one.
  const { reason, signal } = connection
  const error = fault?.code === reason ? fault : (signal.reason as ProxyProtocolError) // the server's promise
  return { reason: reason ?? 'done', error }
}

async function connectUpstream({ service, tls, tlsFacts, connection, traffic }: Job): Promise<Socket> {
  const { socket, signal } = connection
  /** What came while the upstream was connecting leaves with the header, in one write. */
  function payload(): Buffer | null {
    const bytes = socket.read() as Buffer | null // without an encoding it gives bytes
    traffic.bytesUp += bytes?.length ?? 0
    return bytes
  }
  tls.checkClient(connection.tls)
  const header = upstreamHeader(service, connection, tlsFacts)
  const place = placeOf(service.upstream)
  const secure = tls.upstreamFor(connection.tls)
  const timeout = service.timeouts.connect
  const upstream = await connect(
    { ...place, tls: secure, signal, timeout, allowHalfOpen: true, payload },
    header,
  )
  if (secure) distinguishResets(upstream)
  return upstream
}

async function relayBetween({ service, connection, traffic }: Job, upstream: Socket): Promise<void> {
  const { socket: downstream } = connection
  try {
    for (const socket of [downstream, upstream]) socket.setKeepAlive(true, service.timeouts.keepAlive)
    await tunnel(downstream, upstream, traffic)
  } catch (error) {
    reset(upstream) // it never outlives its connection, nor looks complete
    throw error
  }
}
