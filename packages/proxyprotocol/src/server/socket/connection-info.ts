// Who is at the other end, really: the header's addresses where it gives any, the socket's own otherwise.

import { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { TLSSocket } from 'node:tls'
import {
  type Endpoint,
  type ProxyHeader,
  readTlvs,
  type SslInfo,
  type TlvValues,
  unmapAddress,
} from '../../codec/index.ts'
import { beneath } from '../../node-internals/index.ts'
import { dnsblOf } from '../extension.ts'
import { answerFor, showEnds, type ShownEnds } from './addresses.ts'
import { isLoopback } from './networks.ts'
import { connectionsKey as infoKey } from './registry.ts'

/**
 * A socket's own two ends; undefined for UNIX sockets, and for a peer that is gone already. IPv4 is written as IPv4, also where a
 * dual-stack socket shows `::ffff:192.0.2.1`.
 */
export interface SocketEnds {
  /** The other end of this socket: the load balancer, where there is one. */
  readonly peer: Endpoint | undefined
  readonly local: Endpoint | undefined
}

/** What is known of an accepted connection. */
export interface ConnectionInfo {
  /** The client: from the header, or the socket's peer where the header gives no address (LOCAL, UNKNOWN, none). */
  readonly source: Endpoint | undefined
  /** The address that the client connected to. */
  readonly destination: Endpoint | undefined
  /** The socket's own ends, whatever the header says. */
  readonly via: SocketEnds
  /** Undefined where none was asked for, or none came and none was required. */
  readonly header: ProxyHeader | undefined
  /** The header's TLVs by name. */
  readonly tlvs: TlvValues
  /** The client's TLS connection as the header tells it. */
  readonly ssl: SslInfo | undefined
  /**
   * Whether the option `secure` of the server says that the client's TLS ended at the load balancer; undefined without that
   * option.
   */
  readonly secure: boolean | undefined
  /** What the proxy calls this connection. */
  readonly uniqueId: Uint8Array | undefined
  /** What a DNS block list said of the client, where the sender is one of the Python library's servers or ours. */
  readonly dnsbl: string | undefined
  /** The source is on the loopback or a UNIX socket; no proof of anything where headers from elsewhere are believed. */
  readonly fromLocalhost: boolean
}

const noTlvs = readTlvs({ tlvs: [] })
const withoutHeader = {
  header: undefined,
  tlvs: noTlvs,
  ssl: undefined,
  secure: undefined,
  uniqueId: undefined,
  dnsbl: undefined,
}

/** What has a socket, as requests and HTTP/2 streams do. */
export interface Connected {
  readonly socket?: object | undefined
  readonly session?: { readonly socket?: object | undefined } | undefined
}

/**
 * What is known of a connection that this library has accepted, by its socket, TLS socket, HTTP request or HTTP/2 stream.
 *
 * @returns undefined for any other connection.
 *
 * @example
 * ```ts run
 * import http from 'node:http'
 * import { attach, connectionInfo } from 'proxyprotocol/server'
 *
 * const server = http.createServer((request, response) => {
 *   response.end(JSON.stringify(connectionInfo(request)?.via.peer))
 * })
 * attach(server, { trust: ['10.0.0.0/8'] })
 * ```
 */
export function connectionInfo(connected: Duplex | Connected): ConnectionInfo | undefined {
  const { socket, session } = connected as Connected // a socket has neither
  return infoOf(connected) ?? infoOf(socket) ?? infoOf(session?.socket)
}

/**
 * Whether the client's connection was encrypted: its TLS ends here, or it ended at the proxy. The option `secure` of the
 * server decides the latter, or without that option the SSL TLV of the header.
 *
 * @example
 * ```ts run
 * import http from 'node:http'
 * import { attach, isSecure } from 'proxyprotocol/server'
 *
 * const server = http.createServer((request, response) => {
 *   if (!isSecure(request)) response.writeHead(308, { location: `https://${String(request.headers.host)}/` })
 *   response.end()
 * })
 * attach(server, { trust: ['10.0.0.0/8'] })
 * ```
 */
export function isSecure(connected: Duplex | Connected): boolean {
  const { socket, session } = connected as Connected // a socket has neither
  const here = [connected, socket, session?.socket].some(
    each => (each as { encrypted?: unknown } | undefined)?.encrypted === true,
  )
  const { secure: said, ssl } = connectionInfo(connected) ?? withoutHeader
  return here || (said ?? ssl?.encrypted === true)
}

/** Gives a TLS socket what is known of the socket it runs over, to keep when that is gone. */
export function adoptInfo(secure: TLSSocket): void {
  const info = infoOf(secure)
  if (info) describe(secure, info)
}

/**
 * Gives the socket of a connection that stands for another what is known of that one, its addresses included. Without it
 * the socket has no address.
 */
export function shareInfo(socket: Duplex, info: ConnectionInfo | undefined): void {
  keep(socket, info)
  showEnds(socket, info)
}

/** Gives the socket that HTTP/2 puts around a stream what is known of the stream. */
export function wrapInfo(socket: Duplex, info: ConnectionInfo): void {
  keep(socket, info)
  answerFor(socket, info)
}

/**
 * Records what a socket's header says and makes the socket's own address properties say the same. The ends are those of
 * the first call: later the peer may be gone, and the properties say something else.
 */
export function applyHeader(socket: Socket, header: ProxyHeader | undefined): ConnectionInfo {
  const via = infoOf(socket)?.via ?? endsOf(socket)
  const proxied = header?.command === 'PROXY' && header.family !== 'UNSPEC' ? header : undefined
  const tlvs = header === undefined || header.tlvs.length === 0 ? noTlvs : readTlvs(header)
  const info: ConnectionInfo = {
    source: proxied ? proxied.source : via.peer,
    destination: proxied ? proxied.destination : via.local,
    via,
    header,
    tlvs,
    ssl: tlvs.ssl,
    secure: undefined,
    uniqueId: tlvs.uniqueId,
    dnsbl: dnsblOf(tlvs.extension),
    fromLocalhost: isLocal(proxied ? proxied.source : via.peer, proxied === undefined && isUnix(socket)),
  }
  describe(socket, info)
  return info
}

/** The info of a stream without a header: the given one, otherwise the known one, otherwise its own ends. */
export function infoFor(stream: Duplex, said: ShownEnds | ConnectionInfo | undefined): ConnectionInfo {
  if (said && 'via' in said) return said
  const known = connectionInfo(stream)
  if (said === undefined && known) return known
  const via = known?.via ?? endsOf(stream)
  const { source, destination } = said ?? { source: via.peer, destination: via.local }
  return { ...withoutHeader, source, destination, via, fromLocalhost: isLocal(source, false) }
}

/** Records what the option `secure` says of a connection. Its socket shows `encrypted` then, which frameworks read. */
export function markSecure(socket: Socket, info: ConnectionInfo, secure: boolean): ConnectionInfo {
  const marked = { ...info, secure }
  keep(socket, marked)
  return marked
}

/** What is known of a socket that `applyHeader` has described. */
export function knownInfo(socket: Duplex): ConnectionInfo {
  return infoOf(socket) as ConnectionInfo // by what is said above
}

function infoOf(object: object | undefined): ConnectionInfo | undefined {
  const own = (object as { [infoKey]?: ConnectionInfo } | undefined)?.[infoKey] // only this file knows the key
  return own ?? (object instanceof Socket ? infoBeneath(object) : undefined)
}

/** What is known of what a TLS socket runs over. */
function infoBeneath(socket: Socket): ConnectionInfo | undefined {
  const raw = beneath(socket)
  return raw && connectionInfo(raw)
}

function describe(socket: Socket, info: ConnectionInfo): void {
  keep(socket, info)
  if (info.source !== info.via.peer) showEnds(socket, info)
}

function keep(socket: Duplex, info: ConnectionInfo | undefined): void {
  ;(socket as { [infoKey]?: ConnectionInfo | undefined })[infoKey] = info // only this file knows the key
  if (info?.secure) (socket as { encrypted?: boolean }).encrypted = true // a property of TLS sockets in every line of Node
}

function isLocal(source: Endpoint | undefined, unix: boolean): boolean {
  if (source === undefined) return unix
  if ('path' in source) return true
  const { address } = source // as the codec or the system writes it, so that one look tells an IPv4 address
  return address.includes(':') ? isLoopback(address) : address.startsWith('127.')
}

/** True for a socket that lives and has no address on this side either, whatever its header says. */
export function isUnix(socket: Socket): boolean {
  const { local } = infoOf(socket)?.via ?? endsOf(socket)
  // A stream of the program has no address either, and is not a peer at a UNIX socket.
  return local === undefined && !socket.destroyed && (beneath(socket) ?? socket) instanceof Socket
}

/** The ends of a socket by its own word. */
function endsOf(socket: Duplex): SocketEnds {
  const { remoteAddress, remotePort, localAddress, localPort } = socket as Partial<Socket> // other streams have none
  return { peer: endpointOf(remoteAddress, remotePort), local: endpointOf(localAddress, localPort) }
}

function endpointOf(address: string | undefined, port: number | undefined): Endpoint | undefined {
  return address === undefined || port === undefined ? undefined : { address: unmapAddress(address), port }
}
