// Asks one name. The answer is a list of records (none if the name does not exist), or a failure.

import { NODATA, NOTFOUND } from 'node:dns'
import { Resolution, systemNameServers } from './dns/index.ts'
import type { AddressRecord, NameServer } from './dns/index.ts'
import type { Zone } from './zones.ts'

/**
 * How often a query is sent before the deadline, so that a lost datagram leaves time. With more servers, each is asked
 * once.
 */
const TRIES = 4

/**
 * Finds a name's IPv4 addresses, or rejects as Node's `Resolver` does, with `ENOTFOUND` for none. It is asked for TTLs,
 * which only a {@link ListingCache} uses, and may return plain addresses. Node's `Resolver` fits, but one hostile reply
 * keeps it busy for 35 ms: use `servers` instead.
 */
export interface NameResolver {
  /**
   * The IPv4 addresses of a name, with TTLs if known.
   *
   * @param name with the address in it, such as `2.0.0.127.zen.spamhaus.org`
   */
  resolve4(name: string, options: { readonly ttl: true }): Promise<readonly (string | AddressRecord)[]>
}

/** One name of a look-up, and how to ask it. */
export interface Question {
  readonly zone: Zone
  readonly name: string
  /** Milliseconds of the look-up. */
  readonly timeout: number
  readonly resolver: NameResolver | undefined
  /** Default: the system's, unless there is a resolver. */
  readonly servers: readonly NameServer[] | undefined
}

/** The outcome of a question; `ttl` in seconds, if known. */
export type Answer =
  | { readonly status: 'records'; readonly records: readonly string[]; readonly ttl: number | undefined }
  | { readonly status: 'failure'; readonly error: unknown }

/** A running question. */
export interface Query {
  /** Never rejects, so a late answer cannot become an unhandled rejection. */
  readonly answer: Promise<Answer>
  /** Releases the query; to be called once by each user, also after the answer. */
  cancel(): void
}

/** Asks; never cancels a given resolver, whose other queries are not ours. */
export function startQuery({ name, timeout, resolver, servers }: Question): Query {
  if (resolver !== undefined) {
    return { answer: answerOf(() => resolver.resolve4(name, { ttl: true })), cancel: () => undefined }
  }
  const asked = servers ?? systemNameServers()
  const interval = Math.ceil(timeout / Math.max(TRIES, asked.length))
  const own = new Resolution(name, { servers: asked, interval })
  return { answer: answerOf(() => own.records), cancel: () => own.cancel() }
}

async function answerOf(ask: () => Promise<readonly (string | AddressRecord)[]>): Promise<Answer> {
  try {
    const found = await ask()
    const records = found.map(addressOf)
    const ttls = found.flatMap(record => (typeof record === 'string' ? [] : [record.ttl]))
    return { status: 'records', records, ttl: ttls.length > 0 ? Math.min(...ttls) : undefined }
  } catch (error) {
    const code = errorCode(error)
    // A name that does not exist, or has no address, is a list's way to say clear.
    if (code === NOTFOUND || code === NODATA) return { status: 'records', records: [], ttl: undefined }
    return { status: 'failure', error }
  }
}

/** A resolver may return anything; what is not an address becomes text that is judged as foreign. */
function addressOf(record: string | AddressRecord): string {
  if (typeof record === 'string') return record
  const { address }: { readonly address: unknown } = record
  return String(address)
}

/** The code of a resolver's error, such as `ESERVFAIL`. */
export function errorCode(error: unknown): unknown {
  return typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined
}
