// What a cache of listings keeps, and for how long.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { untyped } from 'test-support/untyped'
import { quote } from '../../src/checks/index.ts'
import { createListingCache, lookup, spamhaus } from '../../src/dnsbl/index.ts'
import type { AddressRecord, Listing } from '../../src/dnsbl/index.ts'
import { ADDRESS } from '../support/dnsbl.ts'
import { CLEAR, LISTED, Fake, setUp } from '../support/listing-cache.ts'

type Found = readonly (string | AddressRecord)[]

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
    'the resolver gave what is not an address',
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
    const message = `maxEntries must be an integer of at least 1, got ${quote(maxEntries)}`
    assert.throws(() => createListingCache({ maxEntries }), { name: 'RangeError', message })
  })
}

for (const maxAge of [0, -1, NaN, Infinity, untyped('10')]) {
  test(`createListingCache() refuses a maxAge of ${JSON.stringify(maxAge)} (${maxAge})`, () => {
    const message = `maxAge must be more than 0 ms, got ${quote(maxAge)}`
    assert.throws(() => createListingCache({ maxAge }), { name: 'RangeError', message })
  })
}

test('createListingCache() refuses a clock that is not a function, lookup() a cache of another make', async () => {
  assert.throws(() => createListingCache({ now: untyped(5) }), {
    name: 'TypeError',
    message: 'now must be a function, got 5',
  })
  await assert.rejects(lookup(ADDRESS, 'bl.example', { cache: new Map() }), {
    name: 'TypeError',
    message: 'cache must be what createListingCache() made, got {  }',
  })
})
