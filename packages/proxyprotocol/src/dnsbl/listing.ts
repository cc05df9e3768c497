// Turns a zone's answer into a listing.

import { REFUSED, SERVFAIL, TIMEOUT } from 'node:dns'
import { isIPv4 } from 'node:net'
import { errorCode } from './query.ts'
import type { Answer } from './query.ts'
import type { Zone } from './zones.ts'

/** One of a zone's answers, with its meaning. */
export interface ListingCode {
  /** Such as `127.0.0.2`. */
  readonly code: string
  /** `undefined` if the zone does not define it. */
  readonly meaning: string | undefined
}

/** A zone lists the address. The lowest of several codes: DNS shuffles them. */
export interface Listed extends ListingCode {
  readonly status: 'listed'
  /** The first in your order that lists the address. */
  readonly zone: string
  /** Other codes of the zone, ascending. */
  readonly also: readonly ListingCode[]
}

/** Every zone answered that it does not list the address. */
export interface Clear {
  readonly status: 'clear'
}

/**
 * Why a zone's answer is missing. `server_failure` is SERVFAIL, `refused` REFUSED. `zone_error`: the list
 * rejects the query (127.255.255.0/24). `foreign_answer`: a network rewrites answers. `resolver_error` has a
 * `cause`.
 */
export type UnknownReason =
  'timeout' | 'aborted' | 'server_failure' | 'refused' | 'zone_error' | 'foreign_answer' | 'resolver_error'

/** No zone lists the address, and at least one did not answer. */
export interface Unknown {
  readonly status: 'unknown'
  readonly reason: UnknownReason
  /** The first in your order without an answer. */
  readonly zone: string
  /** Of `zone_error` and `foreign_answer`. */
  readonly answer: ListingCode | undefined
  /** The resolver's error, or the signal's reason. */
  readonly cause: unknown
}

/**
 * What block lists say about an address.
 *
 * @example
 * ```ts run
 * import { lookup } from 'proxyprotocol/dnsbl'
 * import type { Listing } from 'proxyprotocol/dnsbl'
 *
 * function explain(listing: Listing): string {
 *   if (listing.status === 'listed') return `${listing.zone} lists it as ${listing.meaning ?? listing.code}`
 *   if (listing.status === 'unknown') return `${listing.zone} could not say: ${listing.reason}`
 *   return 'no zone lists it'
 * }
 *
 * const resolver = { resolve4: async () => ['127.255.255.254'] }
 * console.assert(explain(await lookup('192.0.2.1', 'bl.example', { resolver })) === 'bl.example could not say: zone_error')
 * ```
 */
export type Listing = Listed | Clear | Unknown

/** One foreign address spoils the answer: the others may be forged, too. */
export function listingOf(zone: Zone, answer: Answer): Listing {
  if (answer.status === 'failure') return unknown(zone, failureReason(answer.error), { cause: answer.error })
  const codes = [...new Set(answer.records)]
    .sort((a, b) => a.localeCompare(b, 'en', { numeric: true }))
    .map(code => ({ code, meaning: zone.meanings[code] }))
  for (const code of codes) {
    const reason = faultOf(code)
    if (reason !== undefined) return unknown(zone, reason, { answer: code })
  }
  const [first, ...also] = codes
  if (first === undefined) return { status: 'clear' }
  return { status: 'listed', zone: zone.name, ...first, also }
}

export function unknown(
  zone: Zone,
  reason: UnknownReason,
  why: { answer?: ListingCode; cause?: unknown } = {},
): Unknown {
  return { status: 'unknown', reason, zone: zone.name, answer: why.answer, cause: why.cause }
}

function failureReason(error: unknown): UnknownReason {
  const code = errorCode(error)
  if (code === TIMEOUT) return 'timeout'
  if (code === SERVFAIL) return 'server_failure'
  if (code === REFUSED) return 'refused'
  return 'resolver_error'
}

function faultOf({ code, meaning }: ListingCode): UnknownReason | undefined {
  if (!isIPv4(code) || !code.startsWith('127.')) return 'foreign_answer'
  if (code.startsWith('127.255.255.')) return 'zone_error'
  // Filtering resolvers answer this for blocked names; few lists use it.
  if (code === '127.0.0.1' && meaning === undefined) return 'foreign_answer'
  return undefined
}
