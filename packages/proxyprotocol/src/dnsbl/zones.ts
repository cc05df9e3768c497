// Zones and the meanings of their answers.

import { quote } from '../checks/index.ts'

/**
 * A DNSBL zone; spread a known one to keep its meanings under another name.
 *
 * @example
 * ```ts run
 * import { lookup } from 'proxyprotocol/dnsbl'
 * import type { Zone } from 'proxyprotocol/dnsbl'
 *
 * const proxies: Zone = { name: 'proxies.example', meanings: { '127.0.0.8': 'open proxy' } }
 * const listing = await lookup('2001:db8::1', proxies, { resolver: { resolve4: async () => ['127.0.0.8'] } })
 * console.assert(listing.status === 'listed' && listing.meaning === 'open proxy')
 * ```
 */
export interface Zone {
  /** Domain name, such as `zen.spamhaus.org`. */
  readonly name: string
  /** By answered address; one without a meaning still counts. */
  readonly meanings: Readonly<Record<string, string>>
}

/** RFC 1035 section 2.3.4 without length octets, less an IPv6 address. */
const MAX_ZONE_NAME = 253 - 64

/** RFC 1035 section 2.3.1, with the underscore that lists use. */
const LABEL = /^[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?$/

/** About the query, from any Spamhaus zone. */
const ERRORS = {
  '127.255.255.252': 'typing error in the zone name',
  '127.255.255.254': 'query through a public or open resolver',
  '127.255.255.255': 'too many queries',
}

const SBL = {
  '127.0.0.2': 'SBL: spam source or spam support',
  '127.0.0.3': 'CSS: low-reputation sender, listed automatically',
  '127.0.0.9': 'DROP: network to drop all traffic from',
  '127.0.0.30': 'BCL: botnet controller',
}

const XBL = {
  '127.0.0.4': 'XBL: infected or exploited machine',
  '127.0.0.5': 'XBL: infected or exploited machine',
  '127.0.0.6': 'XBL: infected or exploited machine',
  '127.0.0.7': 'XBL: infected or exploited machine',
}

const PBL = {
  '127.0.0.10': 'PBL: end-user range, stated by its provider',
  '127.0.0.11': 'PBL: end-user range, stated by Spamhaus',
}

/**
 * Spamhaus zones for addresses: `zen` holds all others. The PBL lists homes and mobile phones, which matters
 * for mail only: otherwise ask `sbl` and `xbl`. CSS is a code of the SBL. With a data query key ask `{
 * ...spamhaus.zen, name: 'KEY.zen.dq.spamhaus.net' }`: a listing's `zone` then contains the key.
 *
 * @see https://docs.spamhaus.com/datasets/docs/source/10-data-type-documentation/datasets/040-zones.html
 * @example
 * ```ts run
 * import { lookup, spamhaus } from 'proxyprotocol/dnsbl'
 *
 * const resolver = { resolve4: async (name: string) => (name.endsWith('.xbl.spamhaus.org') ? ['127.0.0.4'] : []) }
 * const listing = await lookup('192.0.2.1', [spamhaus.sbl, spamhaus.xbl], { resolver })
 * console.assert(listing.status === 'listed' && listing.zone === 'xbl.spamhaus.org')
 * ```
 */
export const spamhaus: Readonly<Record<'zen' | 'sbl' | 'xbl' | 'pbl', Zone>> = {
  zen: { name: 'zen.spamhaus.org', meanings: { ...SBL, ...XBL, ...PBL, ...ERRORS } },
  sbl: { name: 'sbl.spamhaus.org', meanings: { ...SBL, ...ERRORS } },
  xbl: { name: 'xbl.spamhaus.org', meanings: { ...XBL, ...ERRORS } },
  pbl: { name: 'pbl.spamhaus.org', meanings: { ...PBL, ...ERRORS } },
}

/** The name of a known zone brings its meanings. */
export function zoneFor(entry: Zone | string): Zone {
  checkZone(entry)
  const given = typeof entry === 'string' ? entry : entry.name
  const name = given.toLowerCase().replace(/\.$/, '')
  if (name.length > MAX_ZONE_NAME || !name.split('.').every(label => LABEL.test(label))) {
    throw new TypeError(
      `zone must be a domain name of at most ${MAX_ZONE_NAME} characters, got ${quote(given)}`,
    )
  }
  if (typeof entry !== 'string') return { name, meanings: entry.meanings }
  return Object.values(spamhaus).find(zone => zone.name === name) ?? { name, meanings: {} }
}

/** No compiler has checked configuration files. */
function checkZone(entry: unknown): void {
  if (typeof entry === 'string') return
  const { name, meanings } = Object(entry) as { name?: unknown; meanings?: unknown } // both may be anything
  if (typeof name === 'string' && typeof meanings === 'object' && meanings !== null) return
  throw new TypeError(`zone must be a domain name, or an object with name and meanings, got ${quote(entry)}`)
}
