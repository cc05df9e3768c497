// One name is asked, and whatever comes of it is an answer: records (none where the name does not exist), or a failure.

import { NODATA, NOTFOUND } from 'node:dns'
import { Resolution, systemNameServers } from './dns/index.ts'
import type { AddressRecord, NameServer } from './dns/index.ts'
import type { Zone } from './zones.ts'

/**
 * How often a query is sent before the deadline, so that one lost datagram still leaves time for the answer. With more servers
 * than this each is asked once.
 */
const TRIES = 4

/**
 * Finds a name's IPv4 addresses, or rejects as Node's `Resolver` does: `ENOTFOUND` where there are none.
 * It is asked for TTLs, and may give plain addresses all the same; only a {@link ListingCache} looks at them.
 * Node's `Resolver` fits, but one hostile reply keeps it busy for 35 ms: name your servers in `servers` instead.
 */
export interface NameResolver {
  /**
   * The IPv4 addresses of a name, with the time they may be kept where it is known.
   *
   * @param name with the address in it, such as `2.0.0.127.zen.spamhaus.org`
   */
  resolve4(name: string, options: { readonly ttl: true }): Promise<readonly (string | AddressRecord)[]>
}

/** One name of a look-up, and how to ask it. */
export interface Question {
  readonly zone: Zone
  readonly name: string
  /** Milliseconds of the look-up that asks. */
  readonly timeout: number
  readonly resolver: NameResolver | undefined
  /** The system's where there is neither these nor a resolver. */
  readonly servers: readonly NameServer[] | undefined
}

/** What came of a question; `ttl` in seconds, where the resolver told it. */
export type Answer =
  | { readonly status: 'records'; readonly records: readonly string[]; readonly ttl: number | undefined }
  | { readonly status: 'failure'; readonly error: unknown }

/** A question on its way. */
export interface Query {
  /** Never rejects, so that an answer nobody waits for any more cannot become an unhandled rejection. */
  readonly answer: Promise<Answer>
  /** Whoever started the query does not need it any more; to be called once, also after the answer. */
  cancel(): void
}

/** Asks; a resolver that was given is never cancelled, as its other queries are not ours. */
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
    // That the name does not exist, or has no address, is a list's way to say clear.
    if (code === NOTFOUND || code === NODATA) return { status: 'records', records: [], ttl: undefined }
    return { status: 'failure', error }
  }
}

/** Any resolver may have answered: what is no address becomes a text that is judged as foreign. */
function addressOf(record: string | AddressRecord): string {
  if (typeof record === 'string') return record
  const { address }: { readonly address: unknown } = record
  return String(address)
}

/** The code of what a resolver threw, such as `ESERVFAIL`. */
export function errorCode(error: unknown): unknown {
  return typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined
}
