// What one upstream is known by: the mark of failed connections, one trial after the cooldown, and what checks say.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { Socket } from 'node:net'
import { test, type TestContext } from 'node:test'
import { ProxyProtocolError, type ErrorCode } from 'proxyprotocol'
import { parseAddress, settlePool, type PoolInit } from '../../../src/config/index.ts'
import { Upstream } from '../../../src/relay/upstreams/upstream.ts'
import { pair } from '../../support/sockets.ts'

const HEALTH = { fails: 3, window: 1_000, cooldown: 5_000 }
const CHECK = { interval: 1, timeout: 1, rise: 2, fall: 3, header: true }

/** An upstream, and a clock that stands until the test moves it. */
function upstreamAt(health: PoolInit['health'] = HEALTH): { upstream: Upstream; clock: { now: number } } {
  const address = parseAddress('192.0.2.1:80', { role: 'upstream' })
  const settled = settlePool({ upstreams: [{ address }], health })
  const [settings] = settled.upstreams
  assert.ok(settings)
  const clock = { now: 0 }
  return { upstream: new Upstream(settings, { ...settled, now: () => clock.now }), clock }
}

function fault(code: ErrorCode = 'connect_refused', cause?: Error): ProxyProtocolError {
  return new ProxyProtocolError(code, { cause })
}

async function fail(upstream: Upstream, error: Error = fault()): Promise<void> {
  await assert.rejects(
    upstream.attempt(() => Promise.reject(error)),
    error,
  )
}

async function succeed(t: TestContext, upstream: Upstream): Promise<Socket> {
  const [socket] = await pair(t)
  return upstream.attempt(() => Promise.resolve(socket))
}

test('it is up until so many connections in a row have failed', async () => {
  const { upstream } = upstreamAt()
  await fail(upstream)
  await fail(upstream)
  assert.equal(upstream.state, 'up')
  await fail(upstream)
  assert.equal(upstream.state, 'down')
  assert.equal(upstream.isOpen, false)
})

test('a connection that stands ends the row', async t => {
  const { upstream } = upstreamAt()
  await fail(upstream)
  await fail(upstream)
  await succeed(t, upstream)
  await fail(upstream)
  await fail(upstream)
  assert.equal(upstream.state, 'up')
})

test('failures that lie further apart than the window are no row', async () => {
  const { upstream, clock } = upstreamAt()
  for (const at of [0, 600, 1_200, 1_800]) {
    clock.now = at
    await fail(upstream)
    assert.equal(upstream.state, 'up')
  }
  clock.now = 2_000
  await fail(upstream)
  assert.equal(upstream.state, 'down')
})

test('with fails 0 nothing marks it, and failures are counted all the same', async () => {
  const { upstream } = upstreamAt({ ...HEALTH, fails: 0 })
  for (let i = 0; i < 10; i++) await fail(upstream)
  assert.equal(upstream.state, 'up')
  assert.deepEqual(upstream.snapshot().failures, { connect_refused: 10 })
})

test('after the cooldown one connection tries, and the others wait for what it finds', async t => {
  const { upstream, clock } = upstreamAt()
  for (let i = 0; i < 3; i++) await fail(upstream)
  clock.now = 4_999
  assert.equal(upstream.state, 'down')
  clock.now = 5_000
  assert.deepEqual([upstream.state, upstream.isOpen], ['probing', true])
  const [socket] = await pair(t)
  let stand: (socket: Socket) => void = () => {}
  const trial = upstream.attempt(() => new Promise<Socket>(resolve => (stand = resolve)))
  assert.deepEqual([upstream.state, upstream.isOpen], ['probing', false])
  stand(socket)
  await trial
  assert.deepEqual([upstream.state, upstream.isOpen], ['up', true])
})

test('a trial that fails starts the cooldown anew', async () => {
  const { upstream, clock } = upstreamAt()
  for (let i = 0; i < 3; i++) await fail(upstream)
  clock.now = 5_000
  await fail(upstream)
  clock.now = 9_999
  assert.equal(upstream.state, 'down')
  clock.now = 10_000
  assert.equal(upstream.state, 'probing')
})

test('a trial whose client went away has found out nothing, and the next one tries', async () => {
  const { upstream, clock } = upstreamAt()
  for (let i = 0; i < 3; i++) await fail(upstream)
  clock.now = 5_000
  await fail(upstream, fault('aborted'))
  assert.deepEqual([upstream.state, upstream.isOpen], ['probing', true])
})

test('an attempt that began before the mark and fails after it does not make it last longer', async () => {
  const { upstream, clock } = upstreamAt()
  let late: (error: Error) => void = () => {}
  const attempt = upstream.attempt(() => new Promise<Socket>((_, reject) => (late = reject)))
  for (let i = 0; i < 3; i++) await fail(upstream)
  clock.now = 4_000
  late(fault('connect_timeout'))
  await assert.rejects(attempt)
  clock.now = 5_000
  assert.equal(upstream.state, 'probing')
})

test('every way in which connecting can fail counts against it', async () => {
  const { upstream } = upstreamAt({ ...HEALTH, fails: 1_000 })
  const codes = [
    'connect_refused',
    'connect_timeout',
    'connect_error',
    'dns_error',
    'tls_upstream_error',
  ] as const
  for (const code of codes) await fail(upstream, fault(code, new Error('the cause')))
  assert.deepEqual(upstream.snapshot().failures, Object.fromEntries(codes.map(code => [code, 1])))
})

test('what is no fault of it does not: a client that left, a bug, a machine without descriptors', async () => {
  const { upstream } = upstreamAt({ ...HEALTH, fails: 1 })
  await fail(upstream, fault('aborted'))
  await fail(upstream, new TypeError('a bug'))
  for (const code of ['EMFILE', 'ENFILE', 'ENOBUFS', 'ENOMEM']) {
    await fail(upstream, fault('connect_error', Object.assign(new Error(code), { code })))
  }
  const { state, failures, lastFailure, active } = upstream.snapshot()
  assert.deepEqual(
    { state, failures, lastFailure, active },
    { state: 'up', failures: {}, lastFailure: undefined, active: 0 },
  )
})

test('it counts connections from their first moment to their close', async t => {
  const { upstream } = upstreamAt()
  const [socket] = await pair(t)
  const attempt = upstream.attempt(() => Promise.resolve(socket))
  assert.deepEqual([upstream.active, upstream.snapshot().total], [1, 0])
  await attempt
  assert.deepEqual([upstream.active, upstream.snapshot().total], [1, 1])
  socket.destroy()
  await once(socket, 'close')
  assert.deepEqual([upstream.active, upstream.snapshot().total], [0, 1])
})

test('so many failed checks in a row bring it down, so many good ones up again', async () => {
  const { upstream } = upstreamAt({ ...HEALTH, check: CHECK })
  const results = 'ffp' + 'fff' + 'pf' + 'pp'
  const states = [...results].map(result => {
    upstream.checked(CHECK, result === 'f' ? fault() : undefined)
    return upstream.state
  })
  assert.deepEqual(states, ['up', 'up', 'up', 'up', 'up', 'down', 'down', 'down', 'down', 'up'])
  const { checks } = upstream.snapshot()
  assert.deepEqual(
    { ...checks, lastFailure: checks?.lastFailure?.code },
    { passed: 4, failed: 6, streak: 2, verdict: 'up', lastFailure: 'connect_refused' },
  )
})

test('a connection that stands does not overrule the checks', async t => {
  const { upstream } = upstreamAt({ ...HEALTH, check: CHECK })
  for (let i = 0; i < 3; i++) upstream.checked(CHECK, fault())
  await succeed(t, upstream)
  assert.equal(upstream.state, 'down')
})

test('good checks take a mark away, those before it left out', async () => {
  const { upstream } = upstreamAt({ ...HEALTH, check: CHECK })
  for (let i = 0; i < 5; i++) upstream.checked(CHECK, undefined)
  for (let i = 0; i < 3; i++) await fail(upstream)
  upstream.checked(CHECK, undefined)
  assert.equal(upstream.state, 'down')
  upstream.checked(CHECK, undefined)
  assert.equal(upstream.state, 'up')
})

test('with weight 0 it is drained, and good or failed checks do not change that', () => {
  const address = parseAddress('192.0.2.1:80', { role: 'upstream' })
  const { upstreams, health } = settlePool({ upstreams: [{ address, weight: 0 }], health: HEALTH })
  const upstream = new Upstream(upstreams[0] ?? assert.fail(), { health, check: CHECK, now: () => 0 })
  for (const check of [undefined, fault(), fault(), fault()]) {
    assert.deepEqual([upstream.state, upstream.isOpen], ['drained', false])
    upstream.checked(CHECK, check)
  }
  assert.equal(upstream.snapshot().state, 'drained')
})

test('a snapshot is plain data, and says how long ago it failed', async () => {
  const { upstream, clock } = upstreamAt()
  await fail(upstream)
  clock.now = 40
  const snapshot = upstream.snapshot()
  assert.deepEqual(JSON.parse(JSON.stringify(snapshot)), {
    name: '192.0.2.1:80',
    address: '192.0.2.1:80',
    weight: 1,
    backup: false,
    state: 'up',
    active: 0,
    total: 0,
    failures: { connect_refused: 1 },
    lastFailure: { code: 'connect_refused', message: 'the upstream refused the connection', age: 40 },
  })
  assert.equal(snapshot.checks, undefined)
})
