// What is known of a connection: the header's addresses, or the socket's own without them.

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
import { type AcceptedHandle, beneath } from '../../node-internals/index.ts'
import { isLoopback } from '../../trust/index.ts'
import { dnsblOf } from '../extension.ts'
import { answerFor, showEnds, type ShownEnds } from './addresses.ts'
import { connectionsKey as infoKey } from './registry.ts'

/**
 * A socket's own two ends, IPv4-mapped addresses as IPv4. Undefined for UNIX sockets, and if the peer was gone
 * already.
 */
export interface SocketEnds {
  /** The peer of this socket: the load balancer, if there is one. */
  readonly peer: Endpoint | undefined
  readonly local: Endpoint | undefined
}

/** What is known of an accepted connection. */
export interface ConnectionInfo {
  /** The client: from the header, or the socket's peer if the header gives no address. */
  readonly source: Endpoint | undefined
  /** The address that the client connected to. */
  readonly destination: Endpoint | undefined
  /** The socket's own ends, whatever the header says. */
  readonly via: SocketEnds
  /** Undefined if the connection has no header. */
  readonly header: ProxyHeader | undefined
  /** The header's TLVs by name. */
  readonly tlvs: TlvValues
  /** The client's TLS connection, from the header. */
  readonly ssl: SslInfo | undefined
  /** The verdict of the server's option `secure`; undefined without that option. */
  readonly secure: boolean | undefined
  /** The proxy's id for this connection. */
  readonly uniqueId: Uint8Array | undefined
  /** The answer of a DNS block list, if a Python `proxy-protocol` server or this library sent it. */
  readonly dnsbl: string | undefined
  /** True for a source on loopback or a UNIX socket. It proves nothing if remote peers may send headers. */
  readonly fromLocalhost: boolean
}

/** Reading TLVs takes longer than decoding the header, so it waits until the program asks for the info. */
type StoredInfo = Omit<ConnectionInfo, keyof Facts> & Facts

interface Facts {
  /** Undefined while the TLVs of `header` are unread. */
  tlvs: TlvValues | undefined
  ssl: SslInfo | undefined
  uniqueId: Uint8Array | undefined
  dnsbl: string | undefined
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

/** An object with a socket, such as a request or an HTTP/2 stream. */
export interface Connected {
  readonly socket?: object | undefined
  readonly session?: { readonly socket?: object | undefined } | undefined
}

/**
 * Gives what is known of an accepted connection, by its socket, TLS socket, HTTP request or HTTP/2 stream.
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
 * attach(server, { trust: ['127.0.0.1', '10.0.0.0/8'] })
 * ```
 */
export function connectionInfo(connected: Duplex | Connected): ConnectionInfo | undefined {
  return withFacts(storedInfo(connected))
}

/**
 * True if the client's connection was encrypted: its TLS ends here, or it ended at the proxy. The server's option
 * `secure` decides the latter, or else the header's SSL TLV.
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
 * attach(server, { trust: ['127.0.0.1', '10.0.0.0/8'] })
 * ```
 */
export function isSecure(connected: Duplex | Connected): boolean {
  const { socket, session } = connected as Connected // a socket has neither
  const here = [connected, socket, session?.socket].some(
    each => (each as { encrypted?: unknown } | undefined)?.encrypted === true,
  )
  const stored = storedInfo(connected)
  return here || (stored?.secure ?? withFacts(stored)?.ssl?.encrypted === true)
}

/** Copies the info to a TLS socket, because the socket below may go first. */
export function adoptInfo(secure: TLSSocket): void {
  const info = infoOf(secure)
  if (info) describe(secure, info)
}

export function shareInfo(socket: Duplex, info: ConnectionInfo | undefined): void {
  keep(socket, info)
  showEnds(socket, info)
}

export function wrapInfo(socket: Duplex, info: ConnectionInfo): void {
  keep(socket, info)
  answerFor(socket, info)
}

/** Later the peer may be gone, and the socket shows the header's addresses: `via` stays as it was first. */
export function applyHeader(socket: Socket, header: ProxyHeader | undefined): void {
  const via = infoOf(socket)?.via ?? endsOf(socket)
  const proxied = header?.command === 'PROXY' && header.family !== 'UNSPEC' ? header : undefined
  describe(socket, {
    source: proxied ? proxied.source : via.peer,
    destination: proxied ? proxied.destination : via.local,
    via,
    header,
    tlvs: header && header.tlvs.length > 0 ? undefined : noTlvs,
    ssl: undefined,
    secure: undefined,
    uniqueId: undefined,
    dnsbl: undefined,
    fromLocalhost: isLocal(proxied ? proxied.source : via.peer, proxied === undefined && isUnix(socket)),
  })
}

/** Of a connection without a socket and without a header. */
export function infoOfHandle(handle: AcceptedHandle): ConnectionInfo {
  const [peer, local] = [{}, {}] as [{ address?: string; port?: number }, { address?: string; port?: number }]
  handle.getpeername?.(peer)
  handle.getsockname?.(local)
  const via = { peer: endpointOf(peer.address, peer.port), local: endpointOf(local.address, local.port) }
  const { peer: source, local: destination } = via
  return { ...withoutHeader, source, destination, via, fromLocalhost: isLocal(source, false) }
}

export function infoFor(stream: Duplex, said: ShownEnds | ConnectionInfo | undefined): ConnectionInfo {
  if (said && 'via' in said) return said
  const known = connectionInfo(stream)
  if (said === undefined && known) return known
  const via = known?.via ?? endsOf(stream)
  const { source, destination } = said ?? { source: via.peer, destination: via.local }
  return { ...withoutHeader, source, destination, via, fromLocalhost: isLocal(source, false) }
}

export function markSecure(socket: Socket, secure: boolean): void {
  keep(socket, { ...knownInfo(socket), secure })
}

export function knownInfo(socket: Duplex): ConnectionInfo {
  return withFacts(infoOf(socket)) as ConnectionInfo // applyHeader() was called
}

/** The client's address, without a look at the TLVs. */
export function sourceOf(socket: Socket): Endpoint | undefined {
  return infoOf(socket)?.source
}

function withFacts(info: StoredInfo | undefined): ConnectionInfo | undefined {
  if (info?.header && info.tlvs === undefined) {
    const tlvs = readTlvs(info.header)
    info.tlvs = tlvs
    info.ssl = tlvs.ssl
    info.uniqueId = tlvs.uniqueId
    info.dnsbl = dnsblOf(tlvs.extension)
  }
  return info as ConnectionInfo | undefined // its TLVs are read
}

function storedInfo(connected: Duplex | Connected): StoredInfo | undefined {
  const { socket, session } = connected as Connected // a socket has neither
  return infoOf(connected) ?? infoOf(socket) ?? infoOf(session?.socket)
}

function infoOf(object: object | undefined): StoredInfo | undefined {
  const own = (object as { [infoKey]?: StoredInfo } | undefined)?.[infoKey] // only this file knows the key
  return own ?? (object instanceof Socket ? infoBeneath(object) : undefined)
}

function infoBeneath(socket: Socket): StoredInfo | undefined {
  const raw = beneath(socket)
  return raw && storedInfo(raw)
}

function describe(socket: Socket, info: StoredInfo): void {
  keep(socket, info)
  if (info.source !== info.via.peer) showEnds(socket, info)
}

function keep(socket: Duplex, info: StoredInfo | undefined): void {
  ;(socket as { [infoKey]?: StoredInfo | undefined })[infoKey] = info // only this file knows the key
  if (info?.secure) (socket as { encrypted?: boolean }).encrypted = true // Node declares it for TLS sockets only
}

function isLocal(source: Endpoint | undefined, unix: boolean): boolean {
  if (source === undefined) return unix
  if ('path' in source) return true
  const { address } = source // canonical text, so one look finds IPv4
  return address.includes(':') ? isLoopback(address) : address.startsWith('127.')
}

export function isUnix(socket: Socket): boolean {
  const { local } = infoOf(socket)?.via ?? endsOf(socket)
  // A stream of the program has no address either, but is not a UNIX socket.
  return local === undefined && !socket.destroyed && (beneath(socket) ?? socket) instanceof Socket
}

function endsOf(socket: Duplex): SocketEnds {
  const { remoteAddress, remotePort, localAddress, localPort } = socket as Partial<Socket> // other streams have none
  return { peer: endpointOf(remoteAddress, remotePort), local: endpointOf(localAddress, localPort) }
}

function endpointOf(address: string | undefined, port: number | undefined): Endpoint | undefined {
  return address === undefined || port === undefined ? undefined : { address: unmapAddress(address), port }
}
