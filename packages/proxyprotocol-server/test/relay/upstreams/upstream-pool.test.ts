// The pool against real listeners: who is picked, who is tried next, within which time, and what is lost by it: nothing.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, Socket } from 'node:net'
import { test, type TestContext } from 'node:test'
import { ProxyProtocolError, type Endpoint } from 'proxyprotocol'
import { parseAddress, settlePool, type PoolInit, type UpstreamInit } from '../../../src/config/index.ts'
import {
  UpstreamPool,
  type PoolOptions,
  type Resolve,
  type Route,
  type UpstreamRequest,
} from '../../../src/relay/upstreams/index.ts'
import { holdName, setName } from '../../support/names.ts'
import { chunk, closedPort, connectedSockets, listen, until, type Listener } from '../../support/sockets.ts'
import { atEnd } from '../../support/teardown.ts'

/** Where one connection went. */
interface Result {
  readonly route: Route
  readonly socket: Socket
}

interface Harness {
  readonly pool: UpstreamPool
  readonly connect: (request?: Partial<UpstreamRequest>) => Promise<Result>
}

/** An upstream at an address string, with what else is said of it. */
function at(address: string | number, init: Partial<UpstreamInit> = {}): UpstreamInit {
  const text = typeof address === 'number' ? `127.0.0.1:${address}` : address
  return { address: parseAddress(text, { role: 'upstream' }), ...init }
}

function harness(
  t: TestContext,
  upstreams: readonly UpstreamInit[],
  { now, resolver, ...init }: Partial<PoolInit> & PoolOptions = {},
): Harness {
  const pool = new UpstreamPool(settlePool({ ...init, upstreams }), { now, resolver })
  const made = connectedSockets(t)
  atEnd(t, async () => {
    pool.close()
    for (const socket of made()) socket.destroy()
    await until(() => pool.snapshot().upstreams.every(({ active }) => active === 0))
  })
  return {
    pool,
    connect: async request => {
      const route: Route = { upstream: undefined, upstreamAddress: undefined, attempts: 0 }
      const { signal } = new AbortController()
      const common = { source: undefined, header: () => undefined, payload: () => null, timeout: 5_000 }
      const socket = await pool.connect({ ...common, signal, route, ...request })
      return { route: request?.route ?? route, socket }
    },
  }
}

async function listeners(t: TestContext, count: number): Promise<Listener[]> {
  return Promise.all(Array.from({ length: count }, () => listen(t)))
}

function counts(all: readonly Listener[]): number[] {
  return all.map(({ accepted }) => accepted)
}

function portsOf(all: readonly Listener[]): number[] {
  return all.map(({ port }) => port)
}

async function many(count: number, connect: () => Promise<Result>): Promise<Result[]> {
  const results: Result[] = []
  for (let i = 0; i < count; i++) results.push(await connect())
  return results
}

test('90 connections over weights 5, 3 and 1 are exactly 50, 30 and 10', async t => {
  const far = await listeners(t, 3)
  const [a = 0, b = 0, c = 0] = portsOf(far)
  const { pool, connect } = harness(t, [at(a, { weight: 5 }), at(b, { weight: 3 }), at(c)])
  await many(90, connect)
  await until(() => counts(far).reduce((sum, count) => sum + count) === 90)
  assert.deepEqual(counts(far), [50, 30, 10])
  assert.deepEqual(
    pool.snapshot().upstreams.map(({ total, active }) => [total, active]),
    [
      [50, 50],
      [30, 30],
      [10, 10],
    ],
  )
})

test('least connections makes up for those that have ended', async t => {
  const far = await listeners(t, 2)
  const { pool, connect } = harness(
    t,
    portsOf(far).map(port => at(port)),
    { balance: 'least-connections' },
  )
  const first = await many(10, connect)
  const names = new Set(first.map(({ route }) => route.upstream))
  assert.equal(names.size, 2)
  const [emptied] = names
  for (const { route, socket } of first) {
    if (route.upstream !== emptied) continue
    socket.destroy()
    await once(socket, 'close')
  }
  const next = await many(5, connect)
  assert.deepEqual(new Set(next.map(({ route }) => route.upstream)), new Set([emptied]))
  assert.deepEqual(
    pool.snapshot().upstreams.map(({ active }) => active),
    [5, 5],
  )
})

test('source hash keeps a client where it was, by its address alone, however IPv4 is written', async t => {
  const far = await listeners(t, 4)
  const { connect } = harness(
    t,
    portsOf(far).map(port => at(port)),
    { balance: 'source-hash' },
  )
  async function served(source: Endpoint | undefined): Promise<string | undefined> {
    return (await connect({ source })).route.upstream
  }
  for (const address of ['192.0.2.1', '192.0.2.2', '192.0.2.3', '2001:db8::1', '2001:db8::2']) {
    const first = await served({ address, port: 1 })
    assert.equal(await served({ address, port: 2 }), first)
    if (address.includes('.')) assert.equal(await served({ address: `::ffff:${address}`, port: 3 }), first)
  }
  const pathless = [await served(undefined), await served({ path: '/run/app.sock' })]
  assert.equal(new Set(pathless).size, 2, 'clients without an address are dealt out')
})

test('a backup gets nothing while another is up, and everything while none is', async t => {
  const [spare] = await listeners(t, 1)
  const main = await listen(t)
  assert.ok(spare)
  const refused = await closedPort()
  const up = harness(t, [at(spare.port, { backup: true }), at(main.port)])
  await many(5, up.connect)
  assert.deepEqual([spare.accepted, main.accepted], [0, 5])
  const clock = { now: 0 }
  const down = harness(t, [at(spare.port, { backup: true }), at(refused)], { now: () => clock.now })
  const results = await many(5, down.connect)
  assert.deepEqual(
    results.map(({ route }) => route.attempts),
    [2, 2, 2, 1, 1],
    'three failures mark it',
  )
})

test('an upstream of weight 0 gets no connection, and one of several none at all is no_upstream', async t => {
  const far = await listeners(t, 2)
  const [a = 0, b = 0] = portsOf(far)
  const { connect } = harness(t, [at(a, { weight: 0 }), at(b)])
  await many(3, connect)
  assert.deepEqual(counts(far), [0, 3])
  await assert.rejects(harness(t, [at(a, { weight: 0 })]).connect(), { code: 'no_upstream' })
})

test('a refused connection goes to another upstream with its header and payload whole', async t => {
  const main = await listen(t)
  const refused = await closedPort()
  const { pool, connect } = harness(t, [
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
  assert.equal(pool.snapshot().retries, 1)
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
  assert.equal(route.attempts, 2, 'nobody is tried twice')
})

test('when all are marked, the one that failed longest ago is tried rather than nobody', async t => {
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

test('running out of local ports marks nobody, and another upstream is tried; running out of descriptors ends it', async t => {
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

test('an upstream without a host is on this machine', async t => {
  const far = await listen(t)
  const [here, refused] = [far.port, await closedPort()].map(port => ({
    address: { transport: 'tcp', host: undefined, port, pp: undefined, tls: undefined } as const,
  }))
  assert.ok(here && refused)
  const { connect } = harness(t, [refused, here])
  const { route } = await connect()
  assert.deepEqual([route.upstreamAddress, route.attempts], [{ address: '127.0.0.1', port: far.port }, 2])
})

test('a connection that is gone at once has the address of its upstream, but where only it can say that', async t => {
  const far = await listen(t)
  const made = connectedSockets(t)
  setName(t, 'upstream.test', '127.0.0.1')
  for (const [host, address] of [
    ['127.0.0.1', { address: '127.0.0.1', port: far.port }],
    ['upstream.test', { address: '127.0.0.1', port: far.port }],
    ['0.0.0.0', undefined],
  ] as const) {
    const { connect } = harness(t, [at(`${host}:${far.port}`)])
    const { route } = await connect({
      payload: () => {
        for (const socket of made()) socket.destroy()
        return null
      },
    })
    assert.deepEqual([route.attempts, route.upstreamAddress], [1, address])
  }
})

test('when the time is over, nobody else is tried', async t => {
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

/** A name with so many addresses, at a port where the first of them do not listen and the others do. */
async function named(t: TestContext, dead: number, live: number): Promise<Named> {
  const port = await closedPort()
  const all = Array.from({ length: dead + live }, (_, n) => `127.0.0.${n + 2}`)
  const accepted: (() => number)[] = []
  for (const address of all.slice(dead)) accepted.push(await listenAt(t, address, port))
  return {
    address: `app.test:${port}`,
    port,
    addresses: all,
    resolver: async () => all.map(address => ({ address, family: 4 })),
    accepted: () => accepted.map(each => each()),
  }
}

interface Named {
  readonly address: string
  readonly port: number
  readonly addresses: readonly string[]
  readonly resolver: Resolve
  readonly accepted: () => number[]
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
  const { pool, connect } = harness(t, [at(`one.test:${far.port}`), at(`two.test:${far.port}`)], { resolver })
  const route: Route = { upstream: undefined, upstreamAddress: undefined, attempts: 0 }
  await assert.rejects(connect({ route }), { code: 'dns_error' })
  assert.deepEqual([route.attempts, pool.snapshot().retries], [2, 1])
  const second = await connect()
  assert.deepEqual([second.route.attempts, pool.snapshot().retries], [1, 1])
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

test('a pool that follows another begins with its members and its marks', async t => {
  const { address, resolver } = await named(t, 1, 1)
  const refused = at(await closedPort(), { name: 'refused' })
  const settings = { resolver, health: { fails: 1, cooldown: 1_000_000 } }
  const before = harness(t, [at(address), refused], settings)
  await many(4, before.connect)
  const after = harness(t, [at('192.0.2.1:1', { name: 'new', backup: true }), refused, at(address)], settings)
  after.pool.inherit([before.pool])
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

test('an address is nobody to ask a name service for', async t => {
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
    retries: 0,
  })
})

/** Listens on a second address at a port that is in use on another; tells how many it has accepted. */
async function listenAt(t: TestContext, host: string, port: number): Promise<() => number> {
  let accepted = 0
  const server = createServer(socket => {
    accepted++
    atEnd(t, () => socket.destroy())
  })
  server.listen(port, host)
  await once(server, 'listening')
  atEnd(t, () => server.close())
  return () => accepted
}
