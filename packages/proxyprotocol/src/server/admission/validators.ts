// Ready-made rules about the client that a sound header announces.

import { quote } from '../../checks/index.ts'
import { type Endpoint, type ProxyHeader, ProxyProtocolError, tlvType } from '../../codec/index.ts'
import { compileNetworks, isLoopback, type Peer } from '../../trust/index.ts'
import type { ConnectionInfo } from '../socket/index.ts'

const VPCE_ID = /^vpce-[0-9a-z-]+$/

/** "This network", multicast and reserved, the unspecified address, multicast. */
const isNoUnicast = compileNetworks(['0.0.0.0/8', '224.0.0.0/3', '::', 'ff00::/8'], 'networks')

/**
 * Judges a connection whose header is complete, before it is served: undefined accepts it, an error refuses it. A
 * promise has until `timeouts.header`. If headers are read, connections without one are not validated.
 *
 * @example
 * ```ts run
 * import { ProxyProtocolError } from 'proxyprotocol'
 * import type { Validator } from 'proxyprotocol/server'
 *
 * const onlyTls: Validator = ({ ssl }) =>
 *   ssl?.encrypted ? undefined : new ProxyProtocolError('denied_acl', { detail: 'the client did not use TLS' })
 * ```
 */
export type Validator = (
  info: ConnectionInfo,
) => ProxyProtocolError | undefined | Promise<ProxyProtocolError | undefined>

/**
 * Refuses headers that announce a client on loopback or a UNIX socket, which servers often trust. Headers without a
 * client (LOCAL, UNKNOWN) pass.
 */
export function denyLoopback(info: ConnectionInfo): ProxyProtocolError | undefined {
  const [source] = announced(headerOf(info, 'denyLoopback'))
  if (source === undefined || ('address' in source && !isLoopback(source.address))) return undefined
  return denied(`the header announces a client on this machine, ${addressOf(source)}`)
}

/** Refuses headers with an address that no single host can have: multicast, broadcast, 0.0.0.0/8 and `::`. */
export function requireUnicast(info: ConnectionInfo): ProxyProtocolError | undefined {
  for (const endpoint of announced(headerOf(info, 'requireUnicast'))) {
    if ('address' in endpoint && isNoUnicast(scopeOf(endpoint))) {
      return denied(`the header announces ${endpoint.address}, which is not a unicast address`)
    }
  }
  return undefined
}

/**
 * Refuses headers without a CRC-32C TLV, version 1 and LOCAL included. A checksum that is present is always verified.
 */
export function requireChecksum(info: ConnectionInfo): ProxyProtocolError | undefined {
  const header = headerOf(info, 'requireChecksum')
  if (header?.tlvs.some(({ type }) => type === tlvType.checksum)) return undefined
  return new ProxyProtocolError('header_invalid', { detail: 'it has no CRC-32C TLV' })
}

/**
 * Accepts only headers that announce a client of these networks. UNKNOWN is refused; LOCAL passes, because it is the
 * trusted peer itself.
 *
 * @throws TypeError or RangeError naming the entry that is wrong.
 *
 * @example
 * ```ts run
 * import { allowSources, createServer } from 'proxyprotocol/server'
 *
 * const validate = allowSources(['192.0.2.0/24', '2001:db8::/32'])
 * const server = createServer({ trust: ['127.0.0.1', '10.0.0.1'], validate }, ({ socket }) => void socket.end('welcome\n'))
 * await server.close()
 * ```
 */
export function allowSources(cidrs: readonly string[]): Validator {
  const holds = compileNetworks(cidrs, 'cidrs')
  return ({ header }) => {
    if (header?.command !== 'PROXY') return undefined
    const [source] = announced(header)
    if (source === undefined) return denied('the header announces no address')
    return holds(scopeOf(source)) ? undefined : denied(addressOf(source))
  }
}

/**
 * Accepts only clients of these VPC endpoints, by the id that AWS PrivateLink puts into the header. LOCAL passes,
 * because it is a health check of the load balancer.
 *
 * @throws TypeError naming the id that is wrong.
 *
 * @example
 * ```ts run
 * import { allowVpce, createServer } from 'proxyprotocol/server'
 *
 * const validate = allowVpce(['vpce-08d2bf15fac5001c9'])
 * const server = createServer({ trust: ['127.0.0.1', '10.0.0.1'], validate }, ({ socket }) => void socket.end('welcome\n'))
 * await server.close()
 * ```
 */
export function allowVpce(ids: readonly string[]): Validator {
  const areIds = Array.isArray(ids) && ids.every(id => typeof id === 'string' && VPCE_ID.test(id))
  if (!areIds) {
    throw new TypeError(`ids must be a list of ids such as 'vpce-08d2bf15fac5001c9', got ${quote(ids)}`)
  }
  const allowed = new Set<unknown>(ids)
  return ({ header, tlvs }) => {
    if (header?.command === 'LOCAL' || allowed.has(tlvs.aws?.vpcEndpointId)) return undefined
    return denied(`the VPC endpoint is ${tlvs.aws?.vpcEndpointId ?? 'not in the header'}`)
  }
}

/** Called by mistake without an info: these are validators, and do not make one as `allowSources` does. */
function headerOf(info: unknown, name: string): ProxyHeader | undefined {
  if (typeof info === 'object' && info !== null) return (info as ConnectionInfo).header // servers call it with theirs
  throw new TypeError(
    `${name}(info) must be called with a ConnectionInfo, got ${quote(info)}; did you mean validate: ${name}, without ()?`,
  )
}

function announced(header: ProxyHeader | undefined): readonly Endpoint[] {
  if (header?.command !== 'PROXY' || header.family === 'UNSPEC') return []
  return [header.source, header.destination]
}

function scopeOf(source: Endpoint): Peer {
  if ('path' in source) return { address: undefined, transport: 'unix' }
  return { address: source.address, transport: 'tcp' }
}

function addressOf(source: Endpoint): string {
  return 'address' in source ? source.address : 'a UNIX socket'
}

function denied(detail: string): ProxyProtocolError {
  return new ProxyProtocolError('denied_acl', { detail })
}
