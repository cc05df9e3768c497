import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { createListingCache, lookup, spamhaus } from '../../src/dnsbl/index.ts'
import type { AddressRecord, Listing, LookupOptions, NameResolver } from '../../src/dnsbl/index.ts'
import { ADDRESS, holdDeadline, ownQueries, serve, unknown } from '../support/dnsbl.ts'
import { untyped } from '../support/untyped.ts'

const CLEAR: Listing = { status: 'clear' }
const LISTED: Listing = {
  status: 'listed',
  zone: 'bl.example',
  code: '127.0.0.2',
  meaning: undefined,
  also: [],
}

type Found = readonly (string | AddressRecord)[]

/** A resolver that answers everything alike, or, without an answer, when the test says so; it notes what it is asked. */
class Fake implements NameResolver {
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
function setUp(
  found?: Found | Error,
  options: { maxEntries?: number; maxAge?: number } = {},
): { clock: { now: number }; resolver: Fake; options: LookupOptions & { cache: { size: number } } } {
  const clock = { now: 1_000_000 }
  const resolver = new Fake(found)
  const cache = createListingCache({ ...options, now: () => clock.now })
  return { clock, resolver, options: { cache, resolver } }
}

const ages: readonly (readonly [what: string, found: Found, milliseconds: number, listing: Listing])[] = [
  ['a listing for its TTL', [{ address: '127.0.0.2', ttl: 90 }], 90_000, LISTED],
  [
    'several codes for the lowest of their TTLs',
    [
      { address: '127.0.0.2', ttl: 90 },
      { address: '127.0.0.3', ttl: 30 },
    ],
    30_000,
    { ...LISTED, also: [{ code: '127.0.0.3', meaning: undefined }] },
  ],
  ['a listing without a TTL for a minute', ['127.0.0.2'], 60_000, LISTED],
  ['clear for a minute', [], 60_000, CLEAR],
  [
    'a listing for an hour where its TTL is longer',
    [{ address: '127.0.0.2', ttl: 86_400 }],
    3_600_000,
    LISTED,
  ],
]

for (const [what, found, milliseconds, listing] of ages) {
  test(`a cache keeps ${what}`, async () => {
    const { clock, resolver, options } = setUp(found)
    const begin = clock.now
    assert.deepEqual(await lookup(ADDRESS, 'bl.example', options), listing)
    clock.now = begin + milliseconds - 1
    assert.deepEqual(await lookup(ADDRESS, 'bl.example', options), listing)
    assert.equal(resolver.asked.length, 1)
    clock.now = begin + milliseconds
    assert.deepEqual(await lookup(ADDRESS, 'bl.example', options), listing)
    assert.equal(resolver.asked.length, 2)
  })
}

test('a cache keeps clear for a minute where the name does not exist', async () => {
  const missing = Object.assign(new Error('queryA ENOTFOUND'), { code: 'ENOTFOUND' })
  const { resolver, options } = setUp(missing)
  assert.deepEqual(await lookup(ADDRESS, 'bl.example', options), CLEAR)
  assert.deepEqual(await lookup(ADDRESS, 'bl.example', options), CLEAR)
  assert.equal(resolver.asked.length, 1)
})

for (const found of [['127.0.0.2'], [], [{ address: '127.0.0.2', ttl: 90 }]]) {
  test(`a cache keeps nothing for longer than maxAge: ${JSON.stringify(found)}`, async () => {
    const { clock, resolver, options } = setUp(found, { maxAge: 5_000 })
    await lookup(ADDRESS, 'bl.example', options)
    clock.now += 4_999
    await lookup(ADDRESS, 'bl.example', options)
    assert.equal(resolver.asked.length, 1)
    clock.now += 1
    await lookup(ADDRESS, 'bl.example', options)
    assert.equal(resolver.asked.length, 2)
  })
}

for (const ttl of [0, -1, NaN]) {
  test(`a cache does not keep a listing with a TTL of ${ttl}`, async () => {
    const { resolver, options } = setUp([{ address: '127.0.0.2', ttl }])
    await lookup(ADDRESS, 'bl.example', options)
    await lookup(ADDRESS, 'bl.example', options)
    assert.equal(resolver.asked.length, 2)
    assert.equal(options.cache.size, 0)
  })
}

const unkept: readonly (readonly [what: string, found: Found | Error])[] = [
  ['the resolver failed', Object.assign(new Error('queryA ESERVFAIL'), { code: 'ESERVFAIL' })],
  ['the list answered an error code', [{ address: '127.255.255.254', ttl: 90 }]],
  ['something else than the list answered', [{ address: '203.0.113.9', ttl: 90 }]],
  [
    'the resolver gave what is no address',
    [untyped({ address: 5, ttl: 90 }), untyped({ address: 6 }), untyped(7)],
  ],
]

for (const [what, found] of unkept) {
  test(`a cache keeps no unknown listing: ${what}`, async () => {
    const { resolver, options } = setUp(found)
    assert.equal((await lookup(ADDRESS, 'bl.example', options)).status, 'unknown')
    resolver.found = ['127.0.0.2']
    assert.deepEqual(await lookup(ADDRESS, 'bl.example', options), LISTED)
  })
}

test('a cache keeps each zone by itself, whatever it was asked together with', async () => {
  const { resolver, options } = setUp([])
  await lookup(ADDRESS, ['a.example', 'b.example'], options)
  await lookup(ADDRESS, ['b.example', 'c.example'], options)
  assert.deepEqual(
    resolver.asked,
    ['a', 'b', 'c'].map(zone => `1.2.0.192.${zone}.example`),
  )
})

test('a cache knows an address and a zone in every way to write them', async () => {
  const { resolver, options } = setUp([])
  await lookup(ADDRESS, 'bl.example', options)
  await lookup(`::ffff:${ADDRESS}`, { name: 'BL.example.', meanings: {} }, options)
  assert.equal(resolver.asked.length, 1)
  await lookup('2001:db8::1', 'bl.example', options)
  await lookup('2001:DB8:0::1', 'bl.example', options)
  assert.equal(resolver.asked.length, 2)
})

test('a cache gives a kept answer the meanings of the zone that is asked', async () => {
  const { resolver, options } = setUp(['127.0.0.4'])
  const { name, meanings } = spamhaus.xbl
  const first = await lookup(ADDRESS, { name, meanings: {} }, options)
  const second = await lookup(ADDRESS, name, options)
  assert.deepEqual(
    [first, second].map(listing => (listing.status === 'listed' ? listing.meaning : listing.status)),
    [undefined, meanings['127.0.0.4']],
  )
  assert.equal(resolver.asked.length, 1)
})

test('a full cache forgets the answer that was not used for longest', async () => {
  const { resolver, options } = setUp([], { maxEntries: 2 })
  const ask = (last: number): Promise<Listing> => lookup(`192.0.2.${last}`, 'bl.example', options)
  for (const last of [1, 2, 1, 3]) await ask(last)
  assert.equal(options.cache.size, 2)
  resolver.asked.length = 0
  for (const last of [1, 3, 2]) await ask(last)
  assert.deepEqual(resolver.asked, ['2.2.0.192.bl.example'])
})

test('a cache holds 10000 answers when nothing else is said', async () => {
  const cache = createListingCache()
  const resolver = new Fake([])
  const addresses = Array.from({ length: 10_001 }, (_, index) => `10.0.${index >> 8}.${index & 255}`)
  await Promise.all(addresses.map(address => lookup(address, 'bl.example', { cache, resolver })))
  assert.equal(resolver.asked.length, 10_001)
  assert.equal(cache.size, 10_000)
})

test('look-ups that ask the same at the same time share one query', async () => {
  const { resolver, options } = setUp()
  const listings = [ADDRESS, ADDRESS, `::ffff:${ADDRESS}`].map(address =>
    lookup(address, 'bl.example', options),
  )
  await setImmediate()
  assert.equal(resolver.asked.length, 1)
  resolver.answer(0, ['127.0.0.2'])
  assert.deepEqual(await Promise.all(listings), [LISTED, LISTED, LISTED])
})

test('look-ups that share a query share its failure, and the next one asks anew', async () => {
  const { resolver, options } = setUp(new Error('down'))
  const pair = [lookup(ADDRESS, 'bl.example', options), lookup(ADDRESS, 'bl.example', options)]
  const reasons = (await Promise.all(pair)).map(listing => listing.status === 'unknown' && listing.reason)
  assert.deepEqual(reasons, ['resolver_error', 'resolver_error'])
  assert.equal(resolver.asked.length, 1)
  resolver.found = ['127.0.0.2']
  assert.deepEqual(await lookup(ADDRESS, 'bl.example', options), LISTED)
})

test('an abort ends its own look-up, and not the others that share its query', async () => {
  const { resolver, options } = setUp()
  const controller = new AbortController()
  const cause = new Error('client left')
  const left = lookup(ADDRESS, 'bl.example', { ...options, signal: controller.signal })
  const stays = lookup(ADDRESS, 'bl.example', options)
  controller.abort(cause)
  assert.deepEqual(await left, unknown('aborted', 'bl.example', { cause }))
  const joins = lookup(ADDRESS, 'bl.example', options)
  resolver.answer(0, ['127.0.0.2'])
  assert.deepEqual([await stays, await joins], [LISTED, LISTED])
  assert.equal(resolver.asked.length, 1)
})

test('a deadline ends its own look-up, and not the others that share its query', async t => {
  const deadline = holdDeadline(t)
  const { resolver, options } = setUp()
  const first = lookup(ADDRESS, 'bl.example', options)
  const second = lookup(ADDRESS, 'bl.example', options)
  deadline.pass()
  assert.deepEqual(await first, unknown('timeout', 'bl.example'))
  resolver.answer(0, ['127.0.0.2'])
  assert.deepEqual(await second, LISTED)
  assert.equal(resolver.asked.length, 1)
})

test('a shared query is cancelled when the last look-up that waits for it has ended', async t => {
  const { server, servers } = await serve(t, { '1.2.0.192.bl.example': 'SILENCE' })
  const queries = ownQueries(t)
  const cache = createListingCache()
  const [one, other] = [new AbortController(), new AbortController()]
  const first = lookup(ADDRESS, 'bl.example', { cache, servers, timeout: 60_000, signal: one.signal })
  const second = lookup(ADDRESS, 'bl.example', { cache, servers, timeout: 60_000, signal: other.signal })
  await server.queries(1)
  let cancelled = false
  const end = Promise.all(queries).finally(() => (cancelled = true))
  one.abort()
  await first
  await setImmediate()
  assert.equal(cancelled, false)
  other.abort()
  await second
  assert.equal((await end).length, 1)
  assert.equal(cache.size, 0)
})

test('a query that every look-up has left is not joined, and its late answer is kept', async () => {
  const { resolver, options } = setUp()
  const controller = new AbortController()
  const left = lookup(ADDRESS, 'bl.example', { ...options, signal: controller.signal })
  controller.abort()
  await left
  const next = lookup(ADDRESS, 'bl.example', options)
  assert.equal(resolver.asked.length, 2)
  resolver.answer(0, ['127.0.0.2'])
  await setImmediate()
  assert.deepEqual(await lookup(ADDRESS, 'bl.example', options), LISTED)
  // The late one has not taken the place of the query that is still on its way.
  resolver.answer(1, [])
  assert.deepEqual(await next, CLEAR)
  assert.deepEqual(await lookup(ADDRESS, 'bl.example', options), CLEAR)
  assert.equal(resolver.asked.length, 2)
})

test('the end of a query that was left takes nothing from the one that has followed it', async () => {
  const { resolver, options } = setUp()
  const controller = new AbortController()
  const left = lookup(ADDRESS, 'bl.example', { ...options, signal: controller.signal })
  controller.abort()
  await left
  const next = lookup(ADDRESS, 'bl.example', options)
  resolver.answer(0, ['127.255.255.254'])
  await setImmediate()
  const joins = lookup(ADDRESS, 'bl.example', options)
  assert.equal(resolver.asked.length, 2)
  resolver.answer(1, ['127.0.0.2'])
  assert.deepEqual([await next, await joins], [LISTED, LISTED])
})

test('a query is not joined once it has its answer, though a look-up still waits for another zone', async () => {
  const { resolver, options } = setUp()
  const waits = lookup(ADDRESS, ['bl.example', 'b.example'], options)
  resolver.answer(0, ['127.255.255.254'])
  await setImmediate()
  const next = lookup(ADDRESS, 'bl.example', options)
  assert.equal(resolver.asked.length, 3)
  resolver.answer(1, [])
  resolver.answer(2, ['127.0.0.2'])
  assert.deepEqual(await next, LISTED)
  assert.equal((await waits).status, 'unknown')
})

test('a query that is silent for longer than its look-up waits is not joined any more', async () => {
  const { clock, resolver, options } = setUp()
  const waits = { ...options, timeout: 5_000 }
  const pending = [lookup(ADDRESS, 'bl.example', waits)]
  clock.now += 4_999
  pending.push(lookup(ADDRESS, 'bl.example', waits))
  assert.equal(resolver.asked.length, 1)
  clock.now += 1
  pending.push(lookup(ADDRESS, 'bl.example', waits))
  assert.equal(resolver.asked.length, 2)
  resolver.answer(0, ['127.0.0.2'])
  resolver.answer(1, ['127.0.0.2'])
  assert.deepEqual(await Promise.all(pending), [LISTED, LISTED, LISTED])
})

test('look-ups with different timeouts share no query, as its resolver gives up by one of them', async () => {
  const { resolver, options } = setUp()
  const short = lookup(ADDRESS, 'bl.example', { ...options, timeout: 5_000 })
  const long = lookup(ADDRESS, 'bl.example', { ...options, timeout: 6_000 })
  assert.equal(resolver.asked.length, 2)
  resolver.answer(0, ['127.0.0.2'])
  resolver.answer(1, ['127.0.0.2'])
  assert.deepEqual([await short, await long], [LISTED, LISTED])
})

test('a cache that is given no clock reads one that runs on', async () => {
  const cache = createListingCache({ maxAge: 5 })
  const resolver = new Fake(['127.0.0.2'])
  const begin = performance.now()
  await lookup(ADDRESS, 'bl.example', { cache, resolver })
  while (resolver.asked.length === 1) {
    await setImmediate()
    await lookup(ADDRESS, 'bl.example', { cache, resolver })
  }
  assert.ok(performance.now() - begin >= 5)
})

for (const maxEntries of [0, -1, 1.5, NaN, Infinity, untyped('10')]) {
  test(`createListingCache() refuses maxEntries of ${JSON.stringify(maxEntries)} (${maxEntries})`, () => {
    const message = `maxEntries: got ${String(maxEntries)}, want an integer of at least 1`
    assert.throws(() => createListingCache({ maxEntries }), { name: 'RangeError', message })
  })
}

for (const maxAge of [0, -1, NaN, Infinity, untyped('10')]) {
  test(`createListingCache() refuses a maxAge of ${JSON.stringify(maxAge)} (${maxAge})`, () => {
    const message = `maxAge: got ${String(maxAge)}, want more than 0 ms`
    assert.throws(() => createListingCache({ maxAge }), { name: 'RangeError', message })
  })
}

test('createListingCache() refuses a clock that is no function, lookup() a cache of another make', async () => {
  assert.throws(() => createListingCache({ now: untyped(5) }), {
    name: 'TypeError',
    message: 'now: got number, want a function',
  })
  await assert.rejects(lookup(ADDRESS, 'bl.example', { cache: new Map() }), {
    name: 'TypeError',
    message: 'cache: got object, want what createListingCache() made',
  })
})
