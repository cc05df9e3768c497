// Who is at the other end, really: the header's addresses where it gives any, the socket's own otherwise. The one place
// that touches a socket's address properties.

import type { Socket } from 'node:net'
import { readTlvs, type Endpoint, type ProxyHeader, type SslInfo, type TlvValues } from '../codec/index.ts'

/** A socket's own two ends; undefined for UNIX sockets, and for a peer that is gone already. */
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
  /** Undefined where none was asked for. */
  readonly header: ProxyHeader | undefined
  /** The header's TLVs by name. */
  readonly tlvs: TlvValues
  /** The client's TLS connection as the header tells it. */
  readonly ssl: SslInfo | undefined
}

const infos = new WeakMap<object, ConnectionInfo>()
const noTlvs = readTlvs({ tlvs: [] })

/**
 * What is known of a socket that a server of this library has accepted.
 *
 * @returns undefined for any other socket.
 *
 * @example
 * ```ts
 * import { pipeline } from 'node:stream/promises'
 * import { connectionInfo, createServer } from 'proxyprotocol/server'
 *
 * const server = createServer({ trust: ['127.0.0.1'] }, async ({ socket }) => {
 *   console.log(connectionInfo(socket)?.via.peer, socket.remoteAddress)
 *   await pipeline(socket, socket)
 * })
 * await server.close()
 * ```
 */
export function connectionInfo(socket: Socket): ConnectionInfo | undefined {
  return infos.get(socket)
}

/**
 * Records what a socket's header says and makes the socket's own address properties say the same. The ends are those of
 * the first call: later the peer may be gone, and the properties say something else.
 */
export function applyHeader(socket: Socket, header: ProxyHeader | undefined): ConnectionInfo {
  const via = infos.get(socket)?.via ?? endsOf(socket)
  const proxied = header?.command === 'PROXY' && header.family !== 'UNSPEC' ? header : undefined
  const tlvs = header === undefined || header.tlvs.length === 0 ? noTlvs : readTlvs(header)
  const info: ConnectionInfo = {
    source: proxied ? proxied.source : via.peer,
    destination: proxied ? proxied.destination : via.local,
    via,
    header,
    tlvs,
    ssl: tlvs.ssl,
  }
  infos.set(socket, info)
  if (proxied) {
    override(socket, 'remote', proxied.source)
    override(socket, 'local', proxied.destination)
  }
  return info
}

/** The ends of a socket by its own word. */
function endsOf(socket: Socket): SocketEnds {
  const { remoteAddress, remotePort, localAddress, localPort } = socket
  return { peer: endpointOf(remoteAddress, remotePort), local: endpointOf(localAddress, localPort) }
}

function endpointOf(address: string | undefined, port: number | undefined): Endpoint | undefined {
  return address === undefined || port === undefined ? undefined : { address, port }
}

/** Node reads these properties from the prototype, so that own ones hide them for this socket alone. */
function override(socket: Socket, side: 'remote' | 'local', endpoint: Endpoint): void {
  const inet = 'address' in endpoint ? endpoint : undefined
  const values = {
    Address: inet?.address,
    Port: inet?.port,
    Family: inet && (inet.address.includes(':') ? 'IPv6' : 'IPv4'),
  }
  for (const [name, value] of Object.entries(values)) {
    Object.defineProperty(socket, side + name, {
      value,
      configurable: true,
      enumerable: true,
      writable: true,
    })
  }
}
