// A pool that follows another, that closes, and that is looked at.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { closedPort } from 'test-support/sockets'
import { listen } from '../../support/connections.ts'
import { UpstreamPool } from '../../../src/relay/upstreams/upstream-pool.ts'
import { at, harness, many, named } from '../../support/upstream-pool.ts'

test('a pool that follows another begins with its members and its marks', async t => {
  const { address, resolver } = await named(t, 1, 1)
  const refused = at(await closedPort(), { name: 'refused' })
  const settings = { resolver, health: { fails: 1, cooldown: 1_000_000 } }
  const before = harness(t, [at(address), refused], settings)
  await many(4, before.connect)
  const after = harness(t, [at('192.0.2.1:1', { name: 'new', backup: true }), refused, at(address)], settings)
  UpstreamPool.inherit([after.pool], [before.pool])
  assert.deepEqual(
    after.pool
      .snapshot()
      .upstreams.map(({ name, state, members }) => [name, state, members.map(each => each.state)]),
    [
      ['new', 'up', ['up']],
      ['refused', 'down', ['down']],
      [address, 'up', ['down', 'up']],
    ],
  )
  const results = await many(4, after.connect)
  assert.deepEqual(
    results.map(({ route }) => route.attempts),
    [1, 1, 1, 1],
  )
})

test('a pool that is closed starts no checks', async t => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const far = await listen(t)
  const { pool } = harness(t, [at(far.port)], { health: { check: { interval: 10 } } })
  pool.close()
  pool.start()
  t.mock.timers.tick(1_000)
  await new Promise(setImmediate)
  assert.equal(far.accepted, 0)
})

test('a snapshot is plain data', async t => {
  const far = await listen(t)
  const { pool, connect } = harness(t, [at(far.port, { name: 'app' })])
  await connect()
  assert.deepEqual(JSON.parse(JSON.stringify(pool.snapshot())), {
    balance: 'round-robin',
    upstreams: [
      {
        name: 'app',
        address: `127.0.0.1:${far.port}`,
        weight: 1,
        backup: false,
        state: 'up',
        active: 1,
        total: 1,
        failures: {},
        members: [
          {
            address: `127.0.0.1:${far.port}`,
            weight: 1,
            state: 'up',
            active: 1,
            total: 1,
            failures: {},
          },
        ],
        memberChanges: 0,
        leftOut: 0,
      },
    ],
    names: [],
    ...{ queued: 0, queueSize: 100 },
  })
})

test('slowStart: an upstream that a reload adds starts slowly, and those that were there go on', t => {
  const health = { slowStart: 1_000_000 }
  const before = harness(t, [at('192.0.2.1:1')], { health }).pool
  const { pool } = harness(t, [at('192.0.2.1:1'), at('192.0.2.2:1', { weight: 2 })], { health })
  UpstreamPool.inherit([pool], [before])
  const weights = pool.snapshot().upstreams.map(({ members }) => members.map(({ weight }) => weight))
  assert.deepEqual(weights, [[1], [0.2]])
})

test('pools that follow others let only those upstreams leave that no pool has', t => {
  const pools = (...hosts: string[]): readonly UpstreamPool[] =>
    hosts.map(host => harness(t, [at(`${host}:1`)]).pool)
  const before = pools('192.0.2.1', '192.0.2.2', '192.0.2.3')
  UpstreamPool.inherit(pools('192.0.2.2', '192.0.2.1'), before)
  const states = before.map(pool => pool.snapshot().upstreams[0]?.members[0]?.state)
  assert.deepEqual(states, ['up', 'up', 'leaving'])
})

test('a name that two pools have is taken over from the one with an answer', async t => {
  const { address, resolver } = await named(t, 0, 1)
  const [unanswered, answered, again, after] = [0, 0, 0, 0].map(() => harness(t, [at(address)], { resolver }))
  assert.ok(unanswered && answered && again && after)
  await many(1, answered.connect)
  await many(1, again.connect)
  UpstreamPool.inherit([after.pool], [unanswered.pool, answered.pool, again.pool])
  assert.equal(after.pool.snapshot().upstreams[0]?.members.length, 1)
})
