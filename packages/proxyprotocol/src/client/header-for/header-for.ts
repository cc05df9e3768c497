// Describes an accepted socket as the header for the next hop.

import { Socket } from 'node:net'
import { inspect } from 'node:util'
import { checkNames } from '../../checks/index.ts'
import {
  formatAddress,
  type HeaderInit,
  type InetEndpoint,
  parseAddress,
  ProxyProtocolError,
  tlv,
  type Tlv,
  tlvType,
  unmapAddress,
  type Version,
} from '../../codec/index.ts'
import { beneath } from '../../node-internals/index.ts'
import { type TlsFact, tlsTlvs } from './tls-facts.ts'

/** What the header says besides the addresses; nothing by default, because receivers limit its length. */
export interface HeaderForOptions {
  /** Default 2. */
  readonly version?: Version | undefined
  /**
   * Facts of a TLS socket's connection (version 2 only). A list sends TLS version, client verification and
   * the named facts; `true` names all but `clientCert`.
   */
  readonly tls?: boolean | readonly TlsFact[] | undefined
  /** `true` sends a CRC-32C checksum, `false` drops one from `tlvs`; version 2 only. */
  readonly checksum?: boolean | undefined
  /** Unique id TLV; version 2 only. */
  readonly uniqueId?: string | Uint8Array | undefined
  /** Sent last; version 2 only. */
  readonly tlvs?: readonly Tlv[] | undefined
}

const optionNames: Readonly<Record<keyof HeaderForOptions, true>> = {
  version: true,
  tls: true,
  checksum: true,
  uniqueId: true,
  tlvs: true,
}

/** Encoding fills it in. */
const checksumTlv: Tlv = { type: tlvType.checksum, value: new Uint8Array(4) }

/**
 * Describes an accepted socket as a header: source is its peer, destination its local address. After
 * `proxyprotocol/server` these are the client's. `::ffff:a.b.c.d` is sent as IPv4. A UNIX socket becomes
 * LOCAL, or UNKNOWN in version 1.
 *
 * @throws ProxyProtocolError `client_reset` if the peer left before its address was read: LOCAL would make
 * its bytes the proxy's own. TypeError or RangeError for a wrong socket or option.
 * @example
 * ```ts run
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
  checkNames(options, Object.keys(optionNames))
  const { version = 2 } = options
  checkSocket(socket)
  const shown = shownBy(socket)
  const source = endpointOf(shown.remoteAddress, shown.remotePort)
  const destination = endpointOf(shown.localAddress, shown.localPort)
  if (source && destination) return { version, source, destination, tlvs: tlvsOf(socket, options) }
  if (source || destination || socket.destroyed) {
    throw new ProxyProtocolError('client_reset', { detail: 'it is gone, and so is its address' })
  }
  const tlvs = tlvsOf(socket, options)
  return version === 1 ? { version, family: 'UNSPEC', tlvs } : { version, command: 'LOCAL', tlvs }
}

/** HTTP/2's proxies are sockets only by class; `admit()` takes other streams. */
function checkSocket(socket: unknown): void {
  if (socket instanceof Socket || (isObject(socket) && 'remoteAddress' in socket && 'localAddress' in socket))
    return
  const fix = isObject(socket) && 'socket' in socket ? '; did you mean its "socket"?' : ''
  const got = isObject(socket) ? `an object that has none${fix}` : inspect(socket, { depth: 0 })
  throw new TypeError(`socket must be a socket, which has addresses, got ${got}`)
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}

/** TLS over other streams shows no client, and on Bun TLS shows the peer. */
function shownBy(socket: Socket): Socket {
  const raw = beneath(socket) as Socket | undefined // other streams may have these properties
  if (raw === undefined || Object.hasOwn(socket, 'remoteAddress')) return socket
  const below = shownBy(raw)
  return Object.hasOwn(below, 'remoteAddress') ? below : socket
}

/** Receivers use the first of a type: the proxy's own. */
function tlvsOf(socket: Socket, options: HeaderForOptions): readonly Tlv[] {
  const { uniqueId, tls = false, checksum, tlvs = [] } = options
  const further = checksum === undefined ? tlvs : tlvs.filter(({ type }) => type !== tlvType.checksum)
  const id = uniqueId === undefined ? [] : [tlv.uniqueId(uniqueId)]
  return [...(checksum ? [checksumTlv] : []), ...id, ...tlsTlvs(socket, tls), ...further]
}

/** No header carries a zone. */
function endpointOf(address: string | undefined, port: number | undefined): InetEndpoint | undefined {
  if (address === undefined || port === undefined) return undefined
  const bytes = parseAddress(unmapAddress(address.replace(/%.*$/, '')))
  return bytes && { address: formatAddress(bytes), port }
}
