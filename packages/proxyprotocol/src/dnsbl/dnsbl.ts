// Asks every zone at once, under one deadline.

import { once } from 'node:events'
import { milliseconds, quote } from '../checks/index.ts'
import { AnswerCache } from './listing-cache.ts'
import type { ListingCache } from './listing-cache.ts'
import { listingOf, unknown } from './listing.ts'
import type { Clear, Listing, Unknown } from './listing.ts'
import { parseNameServer } from './dns/index.ts'
import type { NameServer } from './dns/index.ts'
import { onAbort } from './on-abort.ts'
import { reversedLabels } from './query-name.ts'
import { startQuery } from './query.ts'
import type { NameResolver, Query } from './query.ts'
import { zoneFor } from './zones.ts'
import type { Zone } from './zones.ts'

/** Above a resolver's usual time, and bearable for every connection. */
const DEFAULT_TIMEOUT = 1000
/** A timeout of 0 is a mistake. */
const LEAST_TIMEOUT = 1

/** Options of {@link lookup}. */
export interface LookupOptions {
  /** Milliseconds for all zones together. Default 1000. */
  readonly timeout?: number | undefined
  /** Ends the look-up: the listing is `unknown` with the reason `aborted`. */
  readonly signal?: AbortSignal | undefined
  /**
   * Name servers to ask in turn: IP addresses, perhaps with a port (`192.0.2.53`, `[2001:db8::53]:5353`).
   * Default: the system's, read for each query.
   */
  readonly servers?: readonly string[] | undefined
  /** Asked instead of name servers; it is never cancelled. */
  readonly resolver?: NameResolver | undefined
  /** Answers again, and shares running queries. Default: none. */
  readonly cache?: ListingCache | undefined
}

interface Asked {
  readonly zone: Zone
  readonly query: Query
  readonly listing: Promise<Listing>
}

/**
 * Asks DNS block lists about an address, all zones at once (RFC 5782).
 * The first zone in your order that lists the address decides, as soon as the zones before it have answered.
 * Otherwise the first zone without an answer makes the listing `unknown`; `clear` needs an answer from every
 * zone.
 *
 * @param address IPv4 or IPv6; IPv4-mapped is asked as IPv4.
 * @param zones {@link Zone}s or names; a Spamhaus name brings its meanings.
 * @throws TypeError (as a rejection) for a wrong argument, or `servers` with a `resolver`.
 * @throws RangeError (as a rejection) without a zone or server, or if `timeout` is out of range.
 * @example
 * ```ts run
 * import { lookup } from 'proxyprotocol/dnsbl'
 *
 * const resolver = { resolve4: async () => ['127.0.0.4'] } // leave it out to ask the system's name servers
 * const listing = await lookup('192.0.2.1', 'zen.spamhaus.org', { timeout: 500, resolver })
 * if (listing.status === 'listed') console.log(listing.zone, listing.code, listing.meaning)
 * ```
 */
export async function lookup(
  address: string,
  zones: Zone | string | readonly (Zone | string)[],
  options: LookupOptions = {},
): Promise<Listing> {
  const { timeout = DEFAULT_TIMEOUT, signal, resolver, cache } = options
  milliseconds(timeout, 'timeout', LEAST_TIMEOUT)
  checkResolver(resolver)
  const servers = nameServersOf(options)
  checkCache(cache)
  const labels = reversedLabels(address)
  const wanted = [zones].flat().map(zoneFor)
  const [first] = wanted
  if (first === undefined) throw new RangeError('zones must have at least one zone, got none')
  if (signal?.aborted) return unknown(first, 'aborted', { cause: signal.reason })
  const asked = wanted.map((zone): Asked => {
    const question = { zone, name: `${labels}.${zone.name}`, timeout, resolver, servers }
    const query = cache === undefined ? startQuery(question) : cache.query(question)
    return { zone, query, listing: query.answer.then(answer => listingOf(zone, answer)) }
  })
  try {
    return await listingWithin(asked, timeout, signal)
  } finally {
    for (const { query } of asked) query.cancel()
  }
}

async function listingWithin(
  asked: readonly Asked[],
  timeout: number,
  signal: AbortSignal | undefined,
): Promise<Listing> {
  const end = new AbortController()
  const onEnd = (): void => {
    end.abort()
  }
  const ended = once(end.signal, 'abort')
  const timer = setTimeout(onEnd, timeout).unref()
  const forget = signal && onAbort(signal, onEnd)
  try {
    return await firstListing(asked, ended, signal)
  } finally {
    clearTimeout(timer)
    forget?.()
  }
}

async function firstListing(
  asked: readonly Asked[],
  ended: Promise<unknown>,
  signal: AbortSignal | undefined,
): Promise<Listing> {
  const interrupted = (zone: Zone): Unknown =>
    signal?.aborted ? unknown(zone, 'aborted', { cause: signal.reason }) : unknown(zone, 'timeout')
  let first: Clear | Unknown = { status: 'clear' }
  for (const { zone, listing } of asked) {
    // An answer that is already there wins over the deadline.
    const found = await Promise.race([listing, ended.then(() => interrupted(zone))])
    if (found.status === 'listed') return found
    if (first.status === 'clear') first = found
  }
  return first
}

function checkResolver(resolver: NameResolver | undefined): void {
  if (resolver === undefined || typeof resolver.resolve4 === 'function') return
  throw new TypeError(`resolver must be an object with resolve4(), got ${quote(resolver)}`)
}

function nameServersOf({ servers, resolver }: LookupOptions): readonly NameServer[] | undefined {
  if (servers === undefined) return undefined
  if (!Array.isArray(servers))
    throw new TypeError(`servers must be a list of addresses, got ${quote(servers)}`)
  if (servers.length === 0) throw new RangeError('servers must have at least one address, got none')
  if (resolver !== undefined) throw new TypeError('servers must be undefined beside a resolver, got both')
  return servers.map(parseNameServer)
}

function checkCache(cache: ListingCache | undefined): asserts cache is AnswerCache | undefined {
  if (cache === undefined || cache instanceof AnswerCache) return
  throw new TypeError(`cache must be what createListingCache() made, got ${quote(cache)}`)
}
