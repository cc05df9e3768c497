// Look-ups that ask the same at the same time share one query.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { createListingCache, lookup, type Listing } from '../../src/dnsbl/index.ts'
import { ADDRESS, holdDeadline, ownQueries, serve, unknown } from '../support/dnsbl.ts'
import { CLEAR, LISTED, setUp } from '../support/listing-cache.ts'

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

/** A cache whose first query was left by its look-up, and the look-up after that. */
async function leftQuery(): Promise<ReturnType<typeof setUp> & { readonly next: Promise<Listing> }> {
  const all = setUp()
  const controller = new AbortController()
  const left = lookup(ADDRESS, 'bl.example', { ...all.options, signal: controller.signal })
  controller.abort()
  await left
  return { ...all, next: lookup(ADDRESS, 'bl.example', all.options) }
}

test('a query that every look-up has left is not joined, and its late answer is kept', async () => {
  const { resolver, options, next } = await leftQuery()
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
  const { resolver, options, next } = await leftQuery()
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
