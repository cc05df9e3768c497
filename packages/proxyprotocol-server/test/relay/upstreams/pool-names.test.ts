// Upstreams whose names have several addresses.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { until } from 'test-support/sockets'
import type { Resolve, Route } from '../../../src/relay/upstreams/index.ts'
import { listen, type Listener } from '../../support/connections.ts'
import { at, harness, many, named } from '../../support/upstream-pool.ts'

function counts(all: readonly Listener[]): number[] {
  return all.map(({ accepted }) => accepted)
}

test('connections to a name are spread over its addresses', async t => {
  const { address, port, addresses, resolver, accepted } = await named(t, 0, 2)
  const { pool, connect } = harness(t, [at(address)], { resolver })
  const results = await many(4, connect)
  assert.deepEqual(
    results.map(({ route }) => [route.attempts, route.upstreamAddress]),
    [...addresses, ...addresses].map(each => [1, { address: each, port }]),
  )
  await until(() => accepted().every(count => count === 2))
  const [name] = pool.snapshot().names
  assert.deepEqual(name?.addresses, addresses)
})

test('a name with a dead and a live address serves everybody, with whatever retries, and the dead one is marked', async t => {
  for (const retries of [0, 1, 2]) {
    const { address, resolver } = await named(t, 1, 1)
    const { pool, connect } = harness(t, [at(address)], { resolver, retries })
    const results = await many(8, connect)
    assert.deepEqual(
      results.map(({ route }) => route.attempts),
      [2, 1, 2, 1, 2, 1, 1, 1],
    )
    const [upstream] = pool.snapshot().upstreams
    assert.deepEqual(
      [upstream?.state, upstream?.members.map(({ state, total, failures }) => [state, total, failures])],
      [
        'up',
        [
          ['down', 0, { connect_refused: 3 }],
          ['up', 8, {}],
        ],
      ],
    )
  }
})

test('with `source`, addresses of the other family are no members, and none are marked', async t => {
  const { address, port, addresses, resolver } = await named(t, 0, 1)
  const both: Resolve = async host => [{ address: '::1', family: 6 }, ...(await resolver(host))]
  const { pool, connect } = harness(t, [at(address, { source: '127.0.0.1' })], { resolver: both })
  for (const { route } of await many(4, connect)) {
    assert.deepEqual([route.attempts, route.upstreamAddress], [1, { address: addresses[0], port }])
  }
  const [upstream] = pool.snapshot().upstreams
  assert.deepEqual([upstream?.members.length, upstream?.failures], [1, {}])
})

test('without retries one other address of the name is tried, and no other upstream', async t => {
  const other = await listen(t)
  const { address, resolver } = await named(t, 3, 0)
  const health = { check: { interval: 1_000_000 } } // the name is looked up at the start for them
  const { pool, connect } = harness(t, [at(address), at(other.port)], { resolver, retries: 0, health })
  pool.start()
  await until(() => pool.snapshot().names[0]?.answers === 1)
  const route: Route = { upstream: undefined, upstreamAddress: undefined, attempts: 0 }
  await assert.rejects(connect({ route }), { code: 'connect_refused' })
  assert.deepEqual([route.attempts, other.accepted], [2, 0])
})

test('a retry goes to another upstream rather than to another address of the same', async t => {
  const other = await listen(t)
  const { address, resolver } = await named(t, 3, 0)
  const { connect } = harness(t, [at(address), at(other.port, { name: 'other' })], { resolver })
  const results = await many(4, connect)
  assert.ok(results.every(({ route }) => route.upstream === 'other' && route.attempts <= 2))
})

test('each address of a name has the weight of its upstream', async t => {
  const other = await listen(t)
  const { address, resolver } = await named(t, 0, 2)
  const { pool, connect } = harness(t, [at(address, { weight: 2 }), at(other.port)], { resolver })
  await many(10, connect)
  const { upstreams } = pool.snapshot()
  assert.deepEqual(
    upstreams.map(({ total, members }) => [total, members.map(member => member.total)]),
    [
      [8, [4, 4]],
      [2, [2]],
    ],
  )
})

test('source hash keeps a client at one address of a name, and an address that leaves moves its own clients only', async t => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const { address, addresses, resolver } = await named(t, 0, 4)
  let used = addresses
  const { pool, connect } = harness(t, [at(address)], {
    balance: 'source-hash',
    resolver: async host => (await resolver(host)).filter(each => used.includes(each.address)),
  })
  const clients = Array.from({ length: 40 }, (_, n) => `192.0.2.${n}`)
  async function served(): Promise<(string | undefined)[]> {
    const where: (string | undefined)[] = []
    for (const client of clients) {
      const { route } = await connect({ source: { address: client, port: 1 } })
      const { upstreamAddress } = route
      where.push(upstreamAddress && 'address' in upstreamAddress ? upstreamAddress.address : undefined)
    }
    return where
  }
  const first = await served()
  assert.deepEqual(await served(), first)
  assert.equal(new Set(first).size, 4)
  const [gone] = addresses
  used = addresses.slice(1)
  t.mock.timers.tick(30_000)
  await until(() => pool.snapshot().names[0]?.answers === 2)
  const second = await served()
  assert.ok(!second.includes(gone))
  for (const [n, where] of first.entries()) if (where !== gone) assert.equal(second[n], where)
  used = addresses
  t.mock.timers.tick(30_000)
  await until(() => pool.snapshot().names[0]?.answers === 3)
  assert.deepEqual(await served(), first)
})

test('a look-up that fails is an attempt, and one that succeeds is none', async t => {
  const far = await listen(t)
  let asked = 0
  const resolver = async () => (asked++ < 2 ? [] : [{ address: '127.0.0.1', family: 4 }])
  const { connect } = harness(t, [at(`one.test:${far.port}`), at(`two.test:${far.port}`)], { resolver })
  const route: Route = { upstream: undefined, upstreamAddress: undefined, attempts: 0 }
  await assert.rejects(connect({ route }), { code: 'dns_error' })
  assert.equal(route.attempts, 2)
  const second = await connect()
  assert.equal(second.route.attempts, 1)
})

test('a name that is known only when the time is over is a timeout', async t => {
  const clock = { now: 0 }
  const resolver = async () => {
    clock.now = 50
    return [{ address: '127.0.0.1', family: 4 }]
  }
  const { connect } = harness(t, [at('late.test:1')], { resolver, now: () => clock.now })
  await assert.rejects(connect({ timeout: 50 }), { code: 'connect_timeout', message: /: 50 ms$/ })
})

test('localhost is resolved by the system, once for many connections', async t => {
  const far = await listen(t)
  const { pool, connect } = harness(t, [at(`localhost:${far.port}`)])
  const results = await many(3, connect)
  for (const { route } of results) {
    assert.deepEqual(route.upstreamAddress, { address: '127.0.0.1', port: far.port })
  }
  const { names } = pool.snapshot()
  assert.deepEqual(
    names.map(({ name, answers, failures }) => ({ name, answers, failures })),
    [{ name: 'localhost', answers: 1, failures: 0 }],
  )
})

test('an address is not looked up', async t => {
  const far = [await listen(t), await listen(t, '::1')]
  const resolver = () => assert.fail('asked')
  const { connect } = harness(
    t,
    far.map(({ host, port }) => at(host === '::1' ? `[::1]:${port}` : port)),
    {
      resolver,
    },
  )
  await many(2, connect)
  assert.deepEqual(counts(far), [1, 1])
})

test('a name whose addresses fail is asked for again soon', async t => {
  const far = await listen(t)
  const clock = { now: 0 }
  const answers = [['127.0.0.2'], ['127.0.0.1']]
  let asked = 0
  const resolver = async () => (answers[asked++] ?? []).map(address => ({ address, family: 4 }))
  const { pool, connect } = harness(t, [at(`moved.test:${far.port}`)], {
    resolver,
    now: () => clock.now,
  })
  await assert.rejects(connect(), { code: 'connect_refused' })
  clock.now = 1_000
  await assert.rejects(connect(), { code: 'connect_refused' })
  await until(() => pool.snapshot().names[0]?.answers === 2)
  assert.deepEqual((await connect()).route.upstreamAddress, { address: '127.0.0.1', port: far.port })
})

test('a flow of datagrams gets an address although another name has yet to be resolved', async t => {
  const resolver: Resolve = () => Promise.resolve([{ address: '127.0.0.1', family: 4 }])
  const { pool } = harness(t, [at('a.test:1'), at('b.test:2')], { resolver })
  const member = await pool.member(undefined)
  assert.deepEqual(member?.endpoint, { address: '127.0.0.1', port: 1 })
})

test('a flow of datagrams goes to another upstream where a name has no answer', async t => {
  const resolver: Resolve = () => Promise.reject(new Error('no answer'))
  const { pool } = harness(t, [at('a.test:1'), at(2), at('b.test:3')], { resolver })
  const member = await pool.member(undefined)
  assert.deepEqual(member?.endpoint, { address: '127.0.0.1', port: 2 })
  const alone = harness(t, [at('a.test:1'), at('b.test:3')], { resolver })
  assert.equal(await alone.pool.member(undefined), undefined)
})
