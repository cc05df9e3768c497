// Asks one name: records (none if it does not exist), or a failure.

import { NODATA, NOTFOUND } from 'node:dns'
import { Resolution, systemNameServers } from './dns/index.ts'
import type { AddressRecord, NameServer } from './dns/index.ts'
import type { Zone } from './zones.ts'

/** A lost datagram leaves time for others. With more servers, each is asked once. */
const TRIES = 4

/**
 * Finds a name's IPv4 addresses, or rejects as Node's `Resolver`, with `ENOTFOUND` for none. Node's fits, but
 * one hostile reply keeps it busy for 35 ms: use `servers` instead.
 */
export interface NameResolver {
  /**
   * Addresses, perhaps with TTLs for a {@link ListingCache}.
   *
   * @param name such as `2.0.0.127.zen.spamhaus.org`
   */
  resolve4(name: string, options: { readonly ttl: true }): Promise<readonly (string | AddressRecord)[]>
}

export interface Question {
  readonly zone: Zone
  readonly name: string
  /** Milliseconds. */
  readonly timeout: number
  readonly resolver: NameResolver | undefined
  /** Default: the system's, without a resolver. */
  readonly servers: readonly NameServer[] | undefined
}

/** `ttl` in seconds, if known. */
export type Answer =
  | { readonly status: 'records'; readonly records: readonly string[]; readonly ttl: number | undefined }
  | { readonly status: 'failure'; readonly error: unknown }

export interface Query {
  /** Never rejects: a late answer must not be an unhandled rejection. */
  readonly answer: Promise<Answer>
  /** Each user calls it once, also after the answer. */
  cancel(): void
}

/** Never cancels a given resolver, whose other queries are not ours. */
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
    // A list's way to say clear.
    if (code === NOTFOUND || code === NODATA) return { status: 'records', records: [], ttl: undefined }
    return { status: 'failure', error }
  }
}

/** A resolver may return anything; what is not an address is judged as foreign. */
function addressOf(record: string | AddressRecord): string {
  if (typeof record === 'string') return record
  const { address }: { readonly address: unknown } = record
  return String(address)
}

/** Such as `ESERVFAIL`. */
export function errorCode(error: unknown): unknown {
  return typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined
}
