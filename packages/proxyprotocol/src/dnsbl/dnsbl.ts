// Every zone is asked at once, the answers are judged in zone order, and one absolute deadline ends the wait.

import { Resolver } from 'node:dns/promises'
import { once } from 'node:events'
import { listingOfError, listingOfRecords, unknown } from './listing.ts'
import type { Clear, Listing, Unknown } from './listing.ts'
import { reversedLabels } from './query-name.ts'
import { zoneFor } from './zones.ts'
import type { Zone } from './zones.ts'

/** In milliseconds: well above a resolver's way to a list, and still bearable in front of every connection. */
const DEFAULT_TIMEOUT = 1000

/** In milliseconds: above this `setTimeout` does not wait at all. */
const MAX_TIMEOUT = 2 ** 31 - 1

/**
 * By default c-ares repeats a lost datagram after some 3 s, too late for us. It waits about twice what it is
 * told, so that with a quarter of the deadline one lost datagram still leaves time for the answer.
 */
const TRIES = 4

/** Options of {@link lookup}. */
export interface LookupOptions {
  /** Milliseconds for all zones together, an absolute deadline; 1000 when left out. */
  readonly timeout?: number
  /** Ends the look-up early: the listing is then `unknown` for the reason `aborted`. */
  readonly signal?: AbortSignal
  /** Asks in place of the system's name servers; the look-up stops waiting for it in time, but never cancels it. */
  readonly resolver?: NameResolver
}

/** Finds a name's IPv4 addresses, or rejects as Node's `Resolver` does (which fits): `ENOTFOUND` where there are none. */
export interface NameResolver {
  resolve4(name: string): Promise<readonly string[]>
}

interface Question {
  readonly labels: string
  readonly zones: readonly Zone[]
  readonly timeout: number
  readonly signal: AbortSignal | undefined
}

/**
 * Asks DNS block lists about an address, all zones at once (RFC 5782).
 *
 * The first zone in the order given that lists the address makes the listing, as soon as the zones before it
 * have answered; else the first that could not say; `clear` takes an answer from every zone. A listing that
 * came in before the deadline or the abort counts. What a list cannot say is never `listed` and never `clear`;
 * only Deno (2.9) hides a server's failure from us, as it reports SERVFAIL and REFUSED as ENOTFOUND.
 *
 * @param address IPv4 or IPv6; a v4-mapped IPv6 address is asked as IPv4.
 * @param zones {@link Zone}s or names; the name of a Spamhaus zone brings its meanings.
 * @throws TypeError (as a rejection) when `address`, a zone, `timeout` or `resolver` is not what it has to be.
 * @throws RangeError (as a rejection) when there is no zone, or `timeout` is out of range.
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
  const { timeout = DEFAULT_TIMEOUT, signal, resolver } = options
  checkTimeout(timeout)
  const question = { labels: reversedLabels(address), zones: [zones].flat().map(zoneFor), timeout, signal }
  const [first] = question.zones
  if (first === undefined) throw new RangeError('zones: got none, want at least one')
  if (resolver !== undefined && typeof resolver.resolve4 !== 'function') {
    throw new TypeError(`resolver: got ${typeof resolver} without resolve4(), want an object that has it`)
  }
  if (signal?.aborted) return unknown(first, 'aborted', { cause: signal.reason })
  if (resolver !== undefined) return listingWithin(question, resolver)
  // One per look-up, as cancel() ends all queries of a resolver, other look-ups' too. It costs some 25 µs, and
  // gives each look-up a source port of its own, which makes its answers harder to forge (RFC 5452 section 9.2).
  const own = new Resolver({ timeout: Math.ceil(timeout / TRIES), tries: TRIES })
  try {
    return await listingWithin(question, own)
  } finally {
    own.cancel()
  }
}

async function listingWithin(question: Question, resolver: NameResolver): Promise<Listing> {
  const { timeout, signal } = question
  const end = new AbortController()
  const onEnd = (): void => {
    end.abort()
  }
  const ended = once(end.signal, 'abort')
  const timer = setTimeout(onEnd, timeout).unref()
  signal?.addEventListener('abort', onEnd)
  try {
    return await firstListing(question, resolver, ended)
  } finally {
    clearTimeout(timer)
    signal?.removeEventListener('abort', onEnd)
  }
}

async function firstListing(
  question: Question,
  resolver: NameResolver,
  ended: Promise<unknown>,
): Promise<Listing> {
  const { labels, zones, signal } = question
  const interrupted = (zone: Zone): Unknown =>
    signal?.aborted ? unknown(zone, 'aborted', { cause: signal.reason }) : unknown(zone, 'timeout')
  const asked = zones.map(zone => ({ zone, answer: ask(zone, labels, resolver) }))
  let listing: Clear | Unknown = { status: 'clear' }
  for (const { zone, answer } of asked) {
    // An answer that is already there wins over an end that has come: it stands first, and needs no turn more.
    const found = await Promise.race([answer, ended.then(() => interrupted(zone))])
    if (found.status === 'listed') return found
    if (listing.status === 'clear') listing = found
  }
  return listing
}

/** Asks one zone; never rejects, so that an answer nobody waits for any more cannot become an unhandled rejection. */
async function ask(zone: Zone, labels: string, resolver: NameResolver): Promise<Listing> {
  try {
    return listingOfRecords(zone, await resolver.resolve4(`${labels}.${zone.name}`))
  } catch (error) {
    return listingOfError(zone, error)
  }
}

function checkTimeout(timeout: number): void {
  if (typeof timeout !== 'number') throw new TypeError(`timeout: got ${typeof timeout}, want a number of ms`)
  if (!(timeout > 0 && timeout <= MAX_TIMEOUT)) {
    throw new RangeError(`timeout: got ${timeout}, want more than 0 and at most ${MAX_TIMEOUT} ms`)
  }
}
