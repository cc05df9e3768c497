// Addresses of name servers, as Node's resolvers take them.

import { Resolver } from 'node:dns'
import { isIP, isIPv6 } from 'node:net'
import { quote } from '../../checks/index.ts'

/** RFC 1035 section 4.2. */
const DNS_PORT = 53

const WITH_PORT = /^(?:\[(?<inner>[^\]]+)\]|(?<plain>[^:]+))(?::(?<port>\d{1,5}))?$/

/** The address of a name server. */
export interface NameServer {
  /** IPv4, or IPv6 perhaps with a scope (`fe80::1%eth0`). */
  readonly address: string
  readonly port: number
}

/**
 * Reads the address of a name server: `192.0.2.53`, `192.0.2.53:5353`, `2001:db8::53`, `[2001:db8::53]:5353`.
 * Use it to check a configuration before {@link lookup}.
 *
 * @throws TypeError for any other text.
 * @example
 * ```ts run
 * import { parseNameServer } from 'proxyprotocol/dnsbl'
 *
 * const { address, port } = parseNameServer('[2001:db8::53]:5353')
 * console.assert(address === '2001:db8::53' && port === 5353)
 * ```
 */
export function parseNameServer(text: string): NameServer {
  const server = typeof text === 'string' ? readNameServer(text) : undefined
  if (server !== undefined) return server
  throw new TypeError(
    `name server must be an IP address with or without a port, such as "127.0.0.1" or "[::1]:5353", got ${quote(text)}`,
  )
}

/** Read anew, so that a change of /etc/resolv.conf counts. */
export function systemNameServers(): readonly NameServer[] {
  // c-ares only reads the configuration here. Deno (2.9) repeats servers.
  const servers = new Set(new Resolver().getServers())
  return [...servers].flatMap(text => readNameServer(text) ?? [])
}

function readNameServer(text: string): NameServer | undefined {
  if (isIPv6(text)) return { address: text, port: DNS_PORT }
  const { inner, plain = '', port = DNS_PORT } = WITH_PORT.exec(text)?.groups ?? {}
  const address = inner ?? plain
  const family = inner === undefined ? 4 : 6
  const number = Number(port)
  return isIP(address) === family && number > 0 && number < 65_536 ? { address, port: number } : undefined
}
