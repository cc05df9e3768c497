import assert from 'node:assert/strict'
import { Resolver } from 'node:dns/promises'
import { getEventListeners } from 'node:events'
import { test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import type { Reply } from 'test-support/dns-server'
import { lookup } from '../../src/dnsbl/index.ts'
import { ADDRESS, fake, holdDeadline, NEVER, ownQueries, serve, unknown } from '../support/dnsbl.ts'

test('lookup() does not know when a server stays silent until the deadline', async t => {
  const { servers } = await serve(t, { '1.2.0.192.bl.example': 'SILENCE' })
  const listing = await lookup(ADDRESS, ['clear.example', 'bl.example'], { servers, timeout: 20 })
  assert.ok(listing.status === 'unknown', listing.status)
  assert.equal(listing.reason, 'timeout')
})

test('lookup() has one deadline over all zones, 1000 ms when none is given', async t => {
  const deadline = holdDeadline(t)
  const resolver = fake({
    '1.2.0.192.a.example': Promise.resolve([]),
    '1.2.0.192.b.example': NEVER.resolve4(''),
    '1.2.0.192.c.example': NEVER.resolve4(''),
  })
  const listing = lookup(ADDRESS, ['a.example', 'b.example', 'c.example'], { resolver })
  await setImmediate()
  assert.deepEqual(deadline.waits, [1000])
  deadline.pass()
  assert.deepEqual(await listing, unknown('timeout', 'b.example'))
})

for (const end of ['deadline', 'abort'] as const) {
  test(`lookup() counts a listing that came before the ${end}, behind a silent zone`, async t => {
    const deadline = holdDeadline(t)
    const controller = new AbortController()
    const silent = NEVER.resolve4('')
    const resolver = fake({
      '1.2.0.192.a.example': silent,
      '1.2.0.192.b.example': Promise.resolve(['127.0.0.2']),
      '1.2.0.192.c.example': silent,
    })
    const options = { resolver, signal: controller.signal }
    const listing = lookup(ADDRESS, ['a.example', 'b.example', 'c.example'], options)
    await setImmediate()
    if (end === 'abort') controller.abort()
    else deadline.pass()
    const code = { code: '127.0.0.2', meaning: undefined }
    assert.deepEqual(await listing, { status: 'listed', zone: 'b.example', ...code, also: [] })
  })
}

test('lookup() asks nothing when the signal has aborted before', async t => {
  const { server, servers } = await serve(t, { '1.2.0.192.bl.example': ['127.0.0.2'] })
  const cause = new Error('client left')
  const listing = await lookup(ADDRESS, ['bl.example', 'b.example'], {
    servers,
    signal: AbortSignal.abort(cause),
  })
  assert.deepEqual(listing, unknown('aborted', 'bl.example', { cause }))
  assert.deepEqual(server.asked, [])
})

test('lookup() ends when the signal aborts, with its reason, and cancels its queries', async t => {
  const { server, servers } = await serve(t, { '1.2.0.192.bl.example': 'SILENCE' })
  const queries = ownQueries(t)
  const controller = new AbortController()
  const { signal } = controller
  const cause = new Error('client left')
  const listing = lookup(ADDRESS, ['bl.example', 'clear.example'], { servers, signal, timeout: 60_000 })
  await server.queries(2)
  controller.abort(cause)
  assert.deepEqual(await listing, unknown('aborted', 'bl.example', { cause }))
  assert.equal((await Promise.all(queries)).length, 2)
})

test('lookup() cancels its queries at the deadline', async t => {
  const { servers } = await serve(t, { '1.2.0.192.bl.example': 'SILENCE' })
  const queries = ownQueries(t)
  const listing = await lookup(ADDRESS, 'bl.example', { servers, timeout: 20 })
  assert.deepEqual(listing, unknown('timeout', 'bl.example'))
  assert.equal((await Promise.all(queries)).length, 1)
})

test('lookup() cancels the queries that can no longer change the listing', async t => {
  const { servers } = await serve(t, {
    '1.2.0.192.a.example': ['127.0.0.2'],
    '1.2.0.192.b.example': 'SILENCE',
  })
  const queries = ownQueries(t)
  const listing = await lookup(ADDRESS, ['a.example', 'b.example'], { servers, timeout: 60_000 })
  assert.equal(listing.status, 'listed')
  assert.equal((await Promise.all(queries)).length, 2)
})

test('lookup() gives each look-up a query of its own, so that one cannot cancel another', async t => {
  const { server, servers } = await serve(t, {
    '1.2.0.192.bl.example': 'SILENCE',
    '2.2.0.192.bl.example': 'SILENCE',
  })
  const queries = ownQueries(t)
  const [first, second] = [new AbortController(), new AbortController()]
  let settled = false
  const one = lookup('192.0.2.1', 'bl.example', { servers, signal: first.signal, timeout: 60_000 })
  const other = lookup('192.0.2.2', 'bl.example', {
    servers,
    signal: second.signal,
    timeout: 60_000,
  }).finally(() => {
    settled = true
  })
  await server.queries(2)
  first.abort()
  await one
  await queries[0]
  await setImmediate()
  assert.equal(settled, false)
  second.abort()
  await other
  assert.equal((await Promise.all(queries)).length, 2)
})

test('lookup() never cancels a resolver that was given to it', async t => {
  const { servers } = await serve(t, { '1.2.0.192.bl.example': 'SILENCE' })
  const resolver = new Resolver()
  resolver.setServers(servers)
  const cancel = t.mock.method(resolver, 'cancel')
  await lookup(ADDRESS, 'bl.example', { resolver, timeout: 20 })
  await lookup(ADDRESS, 'clear.example', { resolver })
  assert.equal(cancel.mock.callCount(), 0)
  resolver.cancel()
})

test('lookup() repeats a lost query before the deadline', async t => {
  // The deadline is held back, so that this does not depend on the machine's speed.
  holdDeadline(t)
  const replies: Record<string, Reply> = { '1.2.0.192.bl.example': 'SILENCE' }
  const { server, servers } = await serve(t, replies)
  const listing = lookup(ADDRESS, 'bl.example', { servers, timeout: 400 })
  await server.queries(1)
  replies['1.2.0.192.bl.example'] = ['127.0.0.2']
  assert.equal((await listing).status, 'listed')
})

test('lookup() leaves no timer and no listener behind, and its timer never keeps the process alive', async t => {
  const { servers } = await serve(t, { '1.2.0.192.bl.example': ['127.0.0.2'] })
  const { signal } = new AbortController()
  const set = t.mock.method(globalThis, 'setTimeout')
  const clear = t.mock.method(globalThis, 'clearTimeout')
  const listing = lookup(ADDRESS, 'bl.example', { servers, signal, timeout: 60_000 })
  const timer = set.mock.calls[0]?.result
  assert.equal(timer?.hasRef(), false)
  assert.equal(getEventListeners(signal, 'abort').length, 1)
  assert.equal((await listing).status, 'listed')
  assert.deepEqual(
    clear.mock.calls.map(call => call.arguments[0] === timer),
    [true],
  )
  assert.equal(getEventListeners(signal, 'abort').length, 0)
})

test('look-ups by the hundred share one listener on their signal, leave none, and cause no warning', async t => {
  const { signal } = new AbortController()
  const warnings: Error[] = []
  const note = (warning: Error): void => void warnings.push(warning)
  process.on('warning', note)
  t.after(() => process.off('warning', note))
  const resolver = { resolve4: async () => [] }
  const listings = Array.from({ length: 100 }, () => lookup(ADDRESS, 'bl.example', { resolver, signal }))
  assert.equal(getEventListeners(signal, 'abort').length, 1)
  await Promise.all(listings)
  assert.equal(getEventListeners(signal, 'abort').length, 0)
  await setImmediate()
  assert.deepEqual(warnings, [])
})

test('one abort ends all look-ups on its signal', async () => {
  const controller = new AbortController()
  const options = { resolver: NEVER, signal: controller.signal }
  const listings = ['a.example', 'b.example'].map(zone => lookup(ADDRESS, zone, options))
  const cause = new Error('shutting down')
  controller.abort(cause)
  assert.deepEqual(
    await Promise.all(listings),
    ['a.example', 'b.example'].map(zone => unknown('aborted', zone, { cause })),
  )
  assert.equal(getEventListeners(controller.signal, 'abort').length, 0)
})

test('an abort ends look-ups also after others on its signal have come to their end', async () => {
  for (const others of ['before', 'meanwhile'] as const) {
    const controller = new AbortController()
    const { signal } = controller
    const quick = { resolver: { resolve4: async () => [] }, signal }
    const waiting: Promise<unknown>[] = []
    if (others === 'meanwhile') waiting.push(lookup(ADDRESS, 'bl.example', { resolver: NEVER, signal }))
    assert.deepEqual(await lookup(ADDRESS, 'bl.example', quick), { status: 'clear' })
    waiting.push(lookup(ADDRESS, 'bl.example', { resolver: NEVER, signal, timeout: 60_000 }))
    if (others === 'meanwhile') await lookup(ADDRESS, 'bl.example', quick)
    const cause = new Error('shutting down')
    controller.abort(cause)
    for (const listing of waiting)
      assert.deepEqual(await listing, unknown('aborted', 'bl.example', { cause }))
  }
})
