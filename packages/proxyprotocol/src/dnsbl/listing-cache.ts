// Keeps raw answers by name; each look-up judges them anew.

import { quote } from '../checks/index.ts'
import { listingOf } from './listing.ts'
import { startQuery } from './query.ts'
import type { Answer, Query, Question } from './query.ts'

/** About 4 MB of IPv6 addresses; more clients than most servers see within an hour. */
const DEFAULT_MAX_ENTRIES = 10_000

/** Above the TTLs of lists: it cuts only mistakes, such as a month. */
const DEFAULT_MAX_AGE = 3_600_000

/** Mostly for "does not exist": long enough for a client's burst, short enough for a new listing. */
const AGE_WITHOUT_TTL = 60_000

/** Options of {@link createListingCache}. */
export interface ListingCacheOptions {
  /** Answers to keep, one for each address and zone; the least recently used goes. Default 10000. */
  readonly maxEntries?: number | undefined
  /** Most milliseconds to keep an answer, whatever its TTL. Default 3600000, an hour. */
  readonly maxAge?: number | undefined
  /** A monotonic clock in milliseconds. Default `performance.now`. */
  readonly now?: (() => number) | undefined
}

/** Made by {@link createListingCache}. */
export interface ListingCache {
  /** Answers, expired ones included. */
  readonly size: number
}

/**
 * Makes a cache for {@link lookup}: one per process and resolver.
 * It keeps a listing for its TTL, `clear` (and answers without a TTL) for a minute, `unknown` not at all.
 * Simultaneous look-ups of the same share one query, each with its own deadline and signal.
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

/** A shared query. */
interface Flight {
  readonly query: Query
  readonly joinableUntil: number
  lookups: number
}

export class AnswerCache implements ListingCache {
  /** The last used at the end. */
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

  query(question: Question): Query {
    const kept = this.#kept(question.name)
    if (kept !== undefined) return { answer: Promise.resolve(kept), cancel: () => undefined }
    // Queries repeat by the timeout, so only the same one is shared.
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
    // A query that is silent for longer may stay so.
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
