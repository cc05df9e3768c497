// Describes an accepted socket as the header that the next hop shall get.

import type { Socket } from 'node:net'
import {
  formatAddress,
  parseAddress,
  ProxyProtocolError,
  tlv,
  type HeaderInit,
  type InetEndpoint,
  type Tlv,
  type Version,
} from '../codec/index.ts'

export interface HeaderForOptions {
  /** Default 2. */
  readonly version?: Version | undefined
  /** Sent as a unique id TLV; version 2 only. */
  readonly uniqueId?: string | Uint8Array | undefined
  /** Further TLVs; version 2 only. */
  readonly tlvs?: readonly Tlv[] | undefined
}

/**
 * The header for a connection that was accepted as `socket`: its peer is the source, its local address the destination.
 * IPv4 addresses that a dual-stack socket shows as `::ffff:a.b.c.d` are sent as IPv4; a UNIX socket becomes LOCAL, or
 * UNKNOWN in version 1.
 *
 * @throws ProxyProtocolError `client_reset` when the peer was gone before anybody asked for its address: what it left
 * behind must not be passed on as the proxy's own. TypeError or RangeError when the unique id cannot be sent.
 *
 * @example
 * ```ts
 * import { connect, headerFor } from 'proxyprotocol/client'
 * import { createServer } from 'proxyprotocol/server'
 *
 * const server = createServer({ version: 'none' }, async ({ socket, signal }) => {
 *   const upstream = await connect({ port: 10007, signal }, headerFor(socket))
 *   upstream.end('announced\n')
 * })
 * await server.close()
 * ```
 */
export function headerFor(socket: Socket, options: HeaderForOptions = {}): HeaderInit {
  const { version = 2, uniqueId, tlvs = [] } = options
  const all = uniqueId === undefined ? tlvs : [tlv.uniqueId(uniqueId), ...tlvs]
  const source = endpointOf(socket.remoteAddress, socket.remotePort)
  const destination = endpointOf(socket.localAddress, socket.localPort)
  if (source && destination) return { version, source, destination, tlvs: all }
  if (source || destination || socket.destroyed) {
    throw new ProxyProtocolError('client_reset', { detail: 'it is gone, and so is its address' })
  }
  return version === 1 ? { version, family: 'UNSPEC', tlvs: all } : { version, command: 'LOCAL', tlvs: all }
}

/** An endpoint as a header can carry it: no zone, and IPv4 as IPv4. */
function endpointOf(address: string | undefined, port: number | undefined): InetEndpoint | undefined {
  const bytes = parseAddress(address?.replace(/%.*$/, '') ?? '')
  if (bytes === undefined || port === undefined) return undefined
  const text = formatAddress(bytes)
  return {
    address: text.startsWith('::ffff:') && text.includes('.') ? text.slice('::ffff:'.length) : text,
    port,
  }
}
