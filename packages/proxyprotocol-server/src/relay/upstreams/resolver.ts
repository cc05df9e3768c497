// The addresses of upstream names. A name is asked for by the first connection, and from then on in the background; where
// the name service fails, the last good answer stays. Each connection starts with another address of its name.

import dns, { type LookupAddress, type LookupOptions } from 'node:dns'
import type { LookupFunction } from 'node:net'
import type { NameResolution } from '../../config/index.ts'

/** Within the time for connecting nobody could try more, and an answer must not grow without end. */
const MAX_ADDRESSES = 64
/** In milliseconds: failing connections may ask for a name early, but not as often as they fail. */
const EARLY_PAUSE = 1_000

/** Asks a name service for all addresses of a name, both families. */
export type Resolve = (host: string) => Promise<readonly LookupAddress[]>

/** One name as it is at the moment, plain data. */
export interface NameSnapshot {
  readonly name: string
  /** The last good answer, in its order. */
  readonly addresses: readonly string[]
  /** Milliseconds since that answer; undefined where there never was one. */
  readonly age: number | undefined
  readonly answers: number
  readonly failures: number
  /** The message of the last failure. */
  readonly lastFailure: string | undefined
}

/** What a resolver is made of. */
export interface ResolverOptions extends NameResolution {
  /** Default: the system's, as Node itself asks it. */
  readonly resolve?: Resolve | undefined
  /** Milliseconds, from a clock that is never set back. */
  readonly now: () => number
}

interface Entry {
  addresses: readonly LookupAddress[]
  answeredAt: number | undefined
  /** When it was asked for last. */
  askedAt: number
  turn: number
  answers: number
  failures: number
  lastFailure: string | undefined
  /** The question that is on its way. */
  asking: Promise<void> | undefined
  timer: NodeJS.Timeout | undefined
}

export class Resolver {
  readonly #options: ResolverOptions
  readonly #resolve: Resolve
  /** As many as the upstreams have names. */
  readonly #entries = new Map<string, Entry>()
  #closed = false

  constructor(options: ResolverOptions) {
    this.#options = options
    this.#resolve = options.resolve ?? systemResolve
  }

  /** For the option `lookup` of sockets. Node calls it for names only: addresses stay as they are. */
  readonly lookup: LookupFunction = (host, options, callback) => {
    void this.#addressesOf(host).then(
      addresses => tell(addresses, options, callback),
      (error: unknown) => callback(lookupError(host, error), ''),
    )
  }

  /** Says that a name's addresses do not answer: it is asked for again soon, in the background. */
  doubt(host: string): void {
    const entry = this.#entries.get(host)
    if (entry?.answeredAt === undefined || entry.asking) return
    if (this.#options.now() - entry.askedAt >= EARLY_PAUSE) void this.#ask(host, entry)
  }

  /** Asks for nothing any more in the background. */
  close(): void {
    this.#closed = true
    for (const { timer } of this.#entries.values()) clearTimeout(timer)
  }

  snapshot(): readonly NameSnapshot[] {
    return [...this.#entries].map(([name, { addresses, answeredAt, answers, failures, lastFailure }]) => ({
      name,
      addresses: addresses.map(({ address }) => address),
      age: answeredAt === undefined ? undefined : this.#options.now() - answeredAt,
      answers,
      failures,
      lastFailure,
    }))
  }

  async #addressesOf(host: string): Promise<readonly LookupAddress[]> {
    const entry = this.#entryOf(host)
    if (entry.addresses.length === 0) await (entry.asking ?? this.#ask(host, entry))
    const { addresses } = entry
    const first = entry.turn++ % addresses.length
    return [...addresses.slice(first), ...addresses.slice(0, first)]
  }

  #entryOf(host: string): Entry {
    const known = this.#entries.get(host)
    if (known) return known
    const counts = { turn: 0, answers: 0, failures: 0, askedAt: 0 }
    const unknown = { answeredAt: undefined, lastFailure: undefined, asking: undefined, timer: undefined }
    const entry: Entry = { addresses: [], ...counts, ...unknown }
    this.#entries.set(host, entry)
    return entry
  }

  /** Never two at a time for one name. Rejects only where there never was an answer. */
  #ask(host: string, entry: Entry): Promise<void> {
    clearTimeout(entry.timer)
    entry.askedAt = this.#options.now()
    entry.asking = this.#answer(host, entry).finally(() => {
      entry.asking = undefined
      this.#askLater(host, entry)
    })
    return entry.asking
  }

  async #answer(host: string, entry: Entry): Promise<void> {
    try {
      const addresses = distinct(await this.#resolve(host))
      if (addresses.length === 0) throw new Error(`${host} has no addresses`)
      entry.addresses = addresses
      entry.answeredAt = this.#options.now()
      entry.answers++
    } catch (error) {
      entry.failures++
      entry.lastFailure = error instanceof Error ? error.message : String(error)
      if (entry.answeredAt === undefined) throw error
    }
  }

  #askLater(host: string, entry: Entry): void {
    // Without an answer there is nothing to keep fresh: the next connection asks.
    if (this.#closed || entry.answeredAt === undefined) return
    entry.timer = setTimeout(() => void this.#ask(host, entry), this.#options.interval).unref()
  }
}

/** Through the module's object, as Node does it, so that whoever replaces `dns.lookup` is asked here as well. */
function systemResolve(host: string): Promise<readonly LookupAddress[]> {
  return new Promise((resolve, reject) => {
    dns.lookup(host, { all: true, hints: dns.ADDRCONFIG }, (error, addresses) => {
      if (error) reject(error)
      else resolve(addresses)
    })
  })
}

function distinct(addresses: readonly LookupAddress[]): readonly LookupAddress[] {
  return [...new Map(addresses.map(each => [each.address, each])).values()].slice(0, MAX_ADDRESSES)
}

function tell(
  addresses: readonly LookupAddress[],
  { all }: LookupOptions,
  callback: Parameters<LookupFunction>[2],
): void {
  const [first = { address: '', family: 0 }] = addresses
  if (all === true) callback(null, [...addresses])
  else callback(null, first.address, first.family)
}

/** `connect` knows by the system call that it was the name that failed. */
function lookupError(host: string, cause: unknown): NodeJS.ErrnoException {
  const { message = String(cause), code } = cause instanceof Error ? (cause as NodeJS.ErrnoException) : {}
  return Object.assign(new Error(message, { cause }), { syscall: 'getaddrinfo', hostname: host, code })
}
