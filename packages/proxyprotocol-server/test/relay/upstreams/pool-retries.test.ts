// Which upstream is tried next, within which time, and that no byte is lost.

import assert from 'node:assert/strict'
import { Socket } from 'node:net'
import { test } from 'node:test'
import { ProxyProtocolError } from 'proxyprotocol'
import { closedPort, until } from 'test-support/sockets'
import type { Route } from '../../../src/relay/upstreams/index.ts'
import { holdName } from '../../support/names.ts'
import { chunk, listen } from '../../support/connections.ts'
import { at, counts, harness, listeners, portsOf } from '../../support/upstream-pool.ts'

test('a refused connection goes to another upstream with its header and payload whole', async t => {
  const main = await listen(t)
  const refused = await closedPort()
  const { connect } = harness(t, [
    at(refused, { name: 'gone' }),
    at(main.port, { name: 'there', header: 'v1' }),
  ])
  let asked = 0
  const headers: string[] = []
  const { route } = await connect({
    header: ({ name, header }) => {
      headers.push(`${name} ${header}`)
      return { version: header === 'v1' ? 1 : 2, family: 'UNSPEC' }
    },
    payload: () => {
      asked++
      return Buffer.from('hello')
    },
  })
  assert.equal((await chunk(await main.accept())).toString(), 'PROXY UNKNOWN\r\nhello')
  assert.deepEqual(headers, ['gone v2', 'there v1'])
  assert.equal(asked, 1)
  assert.deepEqual(route, {
    upstream: 'there',
    upstreamAddress: { address: '127.0.0.1', port: main.port },
    attempts: 2,
  })
})

test('so many others are tried and no more; the error and the route are those of the last', async t => {
  const refused = await Promise.all([closedPort(), closedPort(), closedPort(), closedPort()])
  for (const retries of [0, 1, 2, 3]) {
    const { connect } = harness(
      t,
      refused.map((port, n) => at(port, { name: `u${n}` })),
      { retries },
    )
    const route: Route = { upstream: undefined, upstreamAddress: undefined, attempts: 0 }
    await assert.rejects(connect({ route }), { code: 'connect_refused' })
    assert.deepEqual(route, { upstream: `u${retries}`, upstreamAddress: undefined, attempts: retries + 1 })
  }
  const two = harness(
    t,
    refused.slice(0, 2).map(port => at(port)),
    { retries: 100 },
  )
  const route: Route = { upstream: undefined, upstreamAddress: undefined, attempts: 0 }
  await assert.rejects(two.connect({ route }), { code: 'connect_refused' })
  assert.equal(route.attempts, 2, 'no upstream is tried twice')
})

test('when all are marked, the one that failed longest ago is tried rather than none', async t => {
  const clock = { now: 0 }
  const refused = await Promise.all([closedPort(), closedPort(), closedPort()])
  const health = { fails: 1, cooldown: 1_000_000 }
  const upstreams = refused.map((port, n) => at(port, { name: `u${n}` }))
  const { pool, connect } = harness(t, upstreams, { health, retries: 0, now: () => clock.now })
  const tried: (string | undefined)[] = []
  for (let i = 0; i < 6; i++) {
    clock.now++
    const route: Route = { upstream: undefined, upstreamAddress: undefined, attempts: 0 }
    await assert.rejects(connect({ route }), { code: 'connect_refused' })
    tried.push(route.upstream)
  }
  assert.deepEqual(tried, ['u0', 'u1', 'u2', 'u0', 'u1', 'u2'])
  assert.deepEqual(
    pool.snapshot().upstreams.map(({ state }) => state),
    ['down', 'down', 'down'],
  )
})

test('an upstream alone is never locked out by its mark', async t => {
  const port = await closedPort()
  const { pool, connect } = harness(t, [at(port)], { health: { fails: 1 } })
  for (let i = 0; i < 3; i++) await assert.rejects(connect(), { code: 'connect_refused' })
  assert.equal(pool.snapshot().upstreams[0]?.failures.connect_refused, 3)
})

test('an upstream that failed its checks is not tried, not even when it is the last', async t => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const port = await closedPort()
  const { pool, connect } = harness(t, [at(port)], { health: { check: { fall: 1, interval: 1_000 } } })
  pool.start()
  t.mock.timers.tick(1_000)
  await until(() => pool.snapshot().upstreams[0]?.state === 'down')
  const route: Route = { upstream: undefined, upstreamAddress: undefined, attempts: 0 }
  await assert.rejects(connect({ route }), { code: 'no_upstream', message: 'no upstream is available' })
  assert.deepEqual(route, { upstream: undefined, upstreamAddress: undefined, attempts: 0 })
  assert.deepEqual(pool.snapshot().upstreams[0]?.failures, {})
})

test('after the cooldown the pool tries a marked upstream itself, and clients go to others until it was good', async t => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const [main, spare] = await listeners(t, 2)
  assert.ok(main && spare)
  const upstreams = [at(main.port, { name: 'main' }), at(spare.port, { name: 'spare', backup: true })]
  const { pool, connect } = harness(t, upstreams, { health: { fails: 1, cooldown: 100 } })
  pool.start()
  const failing = t.mock.method(Socket.prototype, 'connect', function (this: Socket) {
    failing.mock.restore()
    return this.destroy(Object.assign(new Error('refused'), { code: 'ECONNREFUSED' }))
  })
  assert.deepEqual((await connect()).route.upstream, 'spare')
  t.mock.timers.tick(100)
  const socket = await main.accept()
  assert.deepEqual((await connect()).route.upstream, 'spare', 'it is not known yet')
  socket.resume().end()
  await until(() => pool.snapshot().upstreams[0]?.state === 'up')
  assert.deepEqual((await connect()).route.upstream, 'main')
})

test('running out of local ports marks no upstream, and another upstream is tried; running out of descriptors ends it', async t => {
  const far = await listeners(t, 2)
  for (const [code, outcome] of [
    ['EADDRNOTAVAIL', 2],
    ['EMFILE', undefined],
  ] as const) {
    const { pool, connect } = harness(
      t,
      portsOf(far).map(port => at(port)),
      { health: { fails: 1 } },
    )
    const failing = t.mock.method(Socket.prototype, 'connect', function (this: Socket) {
      failing.mock.restore()
      return this.destroy(Object.assign(new Error(`connect ${code}`), { code, syscall: 'connect' }))
    })
    const attempts = connect().then(({ route }) => route.attempts)
    if (outcome === undefined) await assert.rejects(attempts, { code: 'connect_error' })
    else assert.equal(await attempts, outcome)
    const states = pool.snapshot().upstreams.map(({ state, failures }) => [state, failures])
    assert.deepEqual(states, [
      ['up', {}],
      ['up', {}],
    ])
  }
})

test('a silent upstream takes its share of the time and leaves the rest to the others', async t => {
  const [main] = await listeners(t, 1)
  assert.ok(main)
  holdName(t, 'silent.test')
  const { pool, connect } = harness(t, [at('silent.test:1'), at(main.port)])
  const started = performance.now()
  const { route } = await connect({ timeout: 400 })
  const took = performance.now() - started
  assert.deepEqual([route.upstream, route.attempts], [`127.0.0.1:${main.port}`, 2])
  assert.ok(took >= 199 && took < 400, `${took} ms`)
  assert.match(pool.snapshot().upstreams[0]?.lastFailure?.message ?? '', /: 200 ms$/)
})

test('when the time is over, no other upstream is tried', async t => {
  const far = await listeners(t, 1)
  const clock = { now: 0 }
  const refused = await closedPort()
  const { connect } = harness(t, [at(refused), ...portsOf(far).map(port => at(port))], {
    now: () => clock.now,
  })
  const attempt = connect({ timeout: 50 })
  clock.now = 50
  await assert.rejects(attempt, { code: 'connect_refused' })
  assert.deepEqual(counts(far), [0])
})

test('a client that leaves ends the attempt, and no other upstream is tried', async t => {
  const far = await listeners(t, 1)
  const name = holdName(t, 'slow.test')
  const { pool, connect } = harness(t, [at('slow.test:1'), ...portsOf(far).map(port => at(port))])
  const leaving = new AbortController()
  const attempt = connect({ signal: leaving.signal })
  await name.asked
  leaving.abort()
  await assert.rejects(attempt, { code: 'aborted' })
  assert.deepEqual(counts(far), [0])
  assert.deepEqual(pool.snapshot().upstreams[0]?.failures, {})
})

test('a header that cannot be made ends the request, before anybody is connected to', async t => {
  const far = await listeners(t, 2)
  const { pool, connect } = harness(
    t,
    portsOf(far).map(port => at(port)),
  )
  const fault = new ProxyProtocolError('header_invalid')
  await assert.rejects(
    connect({
      header: () => {
        throw fault
      },
    }),
    fault,
  )
  assert.deepEqual(counts(far), [0, 0])
  assert.deepEqual(pool.snapshot().upstreams[0]?.failures, {})
})
