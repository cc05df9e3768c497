// A cache of listings with a resolver and a clock that the test moves.

import { createListingCache } from '../../src/dnsbl/index.ts'
import type { AddressRecord, Listing, LookupOptions, NameResolver } from '../../src/dnsbl/index.ts'

export const CLEAR: Listing = { status: 'clear' }

export const LISTED: Extract<Listing, { status: 'listed' }> = {
  status: 'listed',
  zone: 'bl.example',
  code: '127.0.0.2',
  meaning: undefined,
  also: [],
}

type Found = readonly (string | AddressRecord)[]

/** A resolver that answers everything alike, or, without an answer, when the test says so; it notes what it is asked. */
export class Fake implements NameResolver {
  readonly asked: string[] = []
  readonly #waiting: ((found: Found) => void)[] = []
  #found: Found | Error | undefined

  constructor(found?: Found | Error) {
    this.#found = found
  }

  set found(found: Found | Error) {
    this.#found = found
  }

  async resolve4(name: string): Promise<Found> {
    this.asked.push(name)
    if (this.#found instanceof Error) throw this.#found
    return this.#found ?? new Promise(resolve => this.#waiting.push(resolve))
  }

  /** Answers the query of this number. */
  answer(index: number, found: Found): void {
    this.#waiting[index]?.(found)
  }
}

/** A cache whose clock the test sets, and options that use it. */
export function setUp(
  found?: Found | Error,
  options: { maxEntries?: number; maxAge?: number } = {},
): { clock: { now: number }; resolver: Fake; options: LookupOptions & { cache: { size: number } } } {
  const clock = { now: 1_000_000 }
  const resolver = new Fake(found)
  const cache = createListingCache({ ...options, now: () => clock.now })
  return { clock, resolver, options: { cache, resolver } }
}
