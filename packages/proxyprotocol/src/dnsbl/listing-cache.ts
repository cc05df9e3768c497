// Keeps raw answers by name, and judges them anew for each look-up. `unknown` is not kept.

import { quote } from '../checks/index.ts'
import { listingOf } from './listing.ts'
import { startQuery } from './query.ts'
import type { Answer, Query, Question } from './query.ts'

/** About 4 MB when full of IPv6 addresses; more clients than most servers see within an hour. */
const DEFAULT_MAX_ENTRIES = 10_000

/** In milliseconds: above the TTLs of lists, so it cuts only mistakes, such as a TTL of a month. */
const DEFAULT_MAX_AGE = 3_600_000

/**
 * In milliseconds, above all for "does not exist", whose TTL is not known here. It covers a client's burst of
 * connections, and a new listing counts soon.
 */
const AGE_WITHOUT_TTL = 60_000

/** Options of {@link createListingCache}. */
export interface ListingCacheOptions {
  /** At most this many answers, one for each address and zone. The least recently used makes room. Default 10000. */
  readonly maxEntries?: number | undefined
  /** Milliseconds for which an answer is kept at most, whatever its TTL. Default 3600000, an hour. */
  readonly maxAge?: number | undefined
  /** The time in milliseconds from a monotonic clock. Default `performance.now`. */
  readonly now?: (() => number) | undefined
}

/** What look-ups share; made by {@link createListingCache}. */
export interface ListingCache {
  /** The number of answers, also of expired ones. */
  readonly size: number
}

/**
 * Makes a cache for {@link lookup}: one per process and resolver, passed to each look-up.
 *
 * It keeps a listing for its TTL, `clear` (and answers without a TTL) for a minute, and `unknown` not at all. Look-ups
 * of the same at the same time share one query. Each keeps its own deadline and signal, and the query is cancelled with
 * the last of them.
 *
 * @throws TypeError if `now` is not a function.
 * @throws RangeError if `maxEntries` is not a positive integer, or `maxAge` not a positive number.
 * @example
 * ```ts run
 * import { createListingCache, lookup } from 'proxyprotocol/dnsbl'
 *
 * const cache = createListingCache({ maxEntries: 50_000 })
 * const resolver = { resolve4: async () => [{ address: '127.0.0.2', ttl: 300 }] }
 * await lookup('192.0.2.1', 'bl.example', { cache, resolver })
 * await lookup('192.0.2.1', 'bl.example', { cache, resolver }) // sends no query
 * console.assert(cache.size === 1)
 * ```
 */
export function createListingCache(options: ListingCacheOptions = {}): ListingCache {
  const {
    maxEntries = DEFAULT_MAX_ENTRIES,
    maxAge = DEFAULT_MAX_AGE,
    now = () => performance.now(),
  } = options
  if (!(Number.isSafeInteger(maxEntries) && maxEntries > 0)) {
    throw new RangeError(`maxEntries must be an integer of at least 1, got ${quote(maxEntries)}`)
  }
  if (!(Number.isFinite(maxAge) && maxAge > 0)) {
    throw new RangeError(`maxAge must be more than 0 ms, got ${quote(maxAge)}`)
  }
  if (typeof now !== 'function') throw new TypeError(`now must be a function, got ${quote(now)}`)
  return new AnswerCache(maxEntries, maxAge, now)
}

type Records = Extract<Answer, { status: 'records' }>

interface Entry {
  readonly answer: Records
  readonly end: number
}

/** A query that look-ups share. */
interface Flight {
  readonly query: Query
  readonly joinableUntil: number
  lookups: number
}

/** The cache as {@link lookup} uses it. */
export class AnswerCache implements ListingCache {
  /** In order of use, the last used at the end. */
  readonly #entries = new Map<string, Entry>()
  readonly #flights = new Map<string, Flight>()
  readonly #maxEntries: number
  readonly #maxAge: number
  readonly #now: () => number

  constructor(maxEntries: number, maxAge: number, now: () => number) {
    this.#maxEntries = maxEntries
    this.#maxAge = maxAge
    this.#now = now
  }

  get size(): number {
    return this.#entries.size
  }

  /** Answers from the cache, a running query, or a new one. */
  query(question: Question): Query {
    const kept = this.#kept(question.name)
    if (kept !== undefined) return { answer: Promise.resolve(kept), cancel: () => undefined }
    // Queries repeat by the timeout, so only look-ups with the same one share.
    const key = `${question.timeout} ${question.name}`
    const flight = this.#flight(key, question)
    flight.lookups += 1
    const cancel = (): void => {
      flight.lookups -= 1
      if (flight.lookups > 0) return
      flight.query.cancel()
      this.#land(key, flight)
    }
    return { answer: flight.query.answer, cancel }
  }

  #kept(name: string): Answer | undefined {
    const entry = this.#entries.get(name)
    if (entry === undefined) return undefined
    this.#entries.delete(name)
    if (this.#now() >= entry.end) return undefined
    this.#entries.set(name, entry)
    return entry.answer
  }

  #flight(key: string, question: Question): Flight {
    const now = this.#now()
    const current = this.#flights.get(key)
    // A query that is silent for longer may stay so, and joining it for ever would hide the name.
    if (current !== undefined && now < current.joinableUntil) return current
    const query = startQuery(question)
    const flight = { query, joinableUntil: now + question.timeout, lookups: 0 }
    this.#flights.set(key, flight)
    void query.answer.then(answer => {
      this.#land(key, flight)
      this.#keep(question, answer)
    })
    return flight
  }

  #land(key: string, flight: Flight): void {
    if (this.#flights.get(key) === flight) this.#flights.delete(key)
  }

  #keep({ zone, name }: Question, answer: Answer): void {
    if (answer.status === 'failure' || listingOf(zone, answer).status === 'unknown') return
    const ttl = answer.ttl === undefined ? AGE_WITHOUT_TTL : answer.ttl * 1000
    if (!(ttl > 0)) return
    this.#entries.set(name, { answer, end: this.#now() + Math.min(ttl, this.#maxAge) })
    const [oldest] = this.#entries.keys()
    if (this.#entries.size > this.#maxEntries && oldest !== undefined) this.#entries.delete(oldest)
  }
}
