// The members of an upstream: they follow the answers about its name, and take what is known of them along.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { Socket } from 'node:net'
import { test, type TestContext } from 'node:test'
import { ProxyProtocolError } from 'proxyprotocol'
import { turns } from 'test-support/sockets'
import { parseAddress, settlePool, type PoolInit } from '../../../src/config/index.ts'
import type { Member } from '../../../src/relay/upstreams/member.ts'
import type { Abortable } from '../../../src/relay/upstreams/owned-connections.ts'
import { Resolver } from '../../../src/relay/upstreams/names/resolver.ts'
import type { UpstreamEvent } from '../../../src/relay/upstreams/index.ts'
import { UpstreamTls } from '../../../src/relay/upstreams/upstream-tls.ts'
import { Upstream } from '../../../src/relay/upstreams/upstream.ts'
import { pair } from '../../support/connections.ts'
import { atEnd } from '../../support/teardown.ts'

const REFUSED = new ProxyProtocolError('connect_refused')

interface Harness {
  readonly upstream: Upstream
  readonly resolver: Resolver
  readonly clock: { now: number }
  readonly events: UpstreamEvent[]
  /** The next answer of the name service. */
  readonly answer: (...addresses: string[]) => void
  /** Gives the upstream an answer. */
  readonly update: (...addresses: string[]) => void
  readonly member: (address: string) => Member
}

function harness(t: TestContext, init: Partial<PoolInit> = {}, address = 'app.test:80'): Harness {
  t.mock.timers.reset() // a test may have two of them
  t.mock.timers.enable({ apis: ['setTimeout', 'setInterval'] })
  const settled = settlePool({
    upstreams: [{ address: parseAddress(address, { role: 'upstream' }) }],
    ...init,
  })
  const { upstreams } = settled
  const [settings] = upstreams
  assert.ok(settings)
  const clock = { now: 1 }
  const events: UpstreamEvent[] = []
  let found: readonly string[] = []
  const resolve = async () => found.map(each => ({ address: each, family: each.includes(':') ? 6 : 4 }))
  const now = (): number => clock.now
  const resolver = new Resolver({ ...settled.resolve, resolve, now })
  const tls = new UpstreamTls(upstreams)
  const tell = (event: UpstreamEvent): unknown => events.push(event)
  const upstream = new Upstream(settings, {
    ...{ ...settled, resolver, tls, now, patience: 1, tell },
    ...{ onRoom: () => undefined, onChange: () => undefined },
  })
  atEnd(t, () => {
    upstream.close()
    resolver.close()
  })
  return {
    ...{ upstream, resolver, clock, events },
    answer: (...addresses) => (found = addresses),
    update: (...addresses) => {
      upstream.onAnswer(addresses.map(each => ({ address: each, family: 4 })))
    },
    member: host => upstream.members.find(each => each.place === host) ?? assert.fail(host),
  }
}

async function connected(t: TestContext, member: Member, of?: Abortable): Promise<Socket> {
  const [socket] = await pair(t)
  return member.attempt(() => Promise.resolve(socket), of)
}

/** An owner of a connection, and why it was aborted. */
function owner(): Abortable & { readonly messages: string[] } {
  const messages: string[] = []
  return { messages, abort: ({ code, message }) => void messages.push(`${code}: ${message}`) }
}

async function fail(member: Member, times = 3): Promise<void> {
  for (let i = 0; i < times; i++) {
    await assert.rejects(
      member.attempt(() => Promise.reject(REFUSED)),
      REFUSED,
    )
  }
}

function hosts({ members }: Pick<Upstream, 'members'>): (string | undefined)[] {
  return members.map(({ place }) => place)
}

function shown({ upstream }: Harness): unknown[] {
  return upstream.snapshot().members.map(({ address, state, total }) => [address, state, total])
}

for (const address of ['192.0.2.1:80', '[2001:db8::1]:80', 'unix:/run/app.sock']) {
  test(`${address} has one member, which is not looked up`, t => {
    const { upstream, resolver } = harness(t, {}, address)
    upstream.doubt()
    assert.deepEqual([hosts(upstream), upstream.members[0]?.resolve], [[undefined], undefined])
    assert.deepEqual([resolver.snapshot(), upstream.snapshot().resolution], [[], undefined])
    assert.equal(upstream.snapshot().members[0]?.address, address)
  })
}

test('a name has one member that stands for all, until the first answer; each address of it is one then', t => {
  const { upstream, update, events } = harness(t)
  assert.deepEqual([upstream.members.length, upstream.members[0]?.name], [1, 'app.test:80'])
  assert.deepEqual(upstream.snapshot().members, [])
  update('192.0.2.2', '192.0.2.1')
  assert.deepEqual(hosts(upstream), ['192.0.2.1', '192.0.2.2'])
  const { memberChanges, state } = upstream.snapshot()
  assert.deepEqual([memberChanges, state, events], [0, 'up', []], 'the first members are no change')
})

test('what is known of a member stays as long as answers have it, in whatever order', async t => {
  const { upstream, update, member } = harness(t)
  update('192.0.2.1', '192.0.2.2')
  await fail(member('192.0.2.2'))
  update('192.0.2.2', '192.0.2.3', '192.0.2.1')
  assert.deepEqual(
    upstream.members.map(({ place, state }) => `${String(place)} ${state}`),
    ['192.0.2.1 up', '192.0.2.2 down', '192.0.2.3 up'],
  )
  const { memberChanges, state, failures, lastFailure } = upstream.snapshot()
  assert.deepEqual([memberChanges, state, failures], [1, 'up', { connect_refused: 3 }])
  assert.equal(lastFailure?.code, 'connect_refused')
})

test('a member that is gone from an answer is leaving until its last connection ends, and its counts stay', async t => {
  const all = harness(t)
  const { upstream, update, member } = all
  update('192.0.2.1', '192.0.2.2')
  const socket = await connected(t, member('192.0.2.1'))
  await fail(member('192.0.2.1'), 1)
  update('192.0.2.2')
  assert.deepEqual(hosts(upstream), ['192.0.2.2'])
  assert.deepEqual(shown(all), [
    ['192.0.2.2:80', 'up', 0],
    ['192.0.2.1:80', 'leaving', 1],
  ])
  assert.deepEqual([upstream.snapshot().active, socket.destroyed], [1, false])
  socket.destroy()
  await once(socket, 'close')
  assert.deepEqual(shown(all), [['192.0.2.2:80', 'up', 0]])
  const { active, total, failures, memberChanges } = upstream.snapshot()
  assert.deepEqual([active, total, failures, memberChanges], [0, 1, { connect_refused: 1 }, 1])
})

test('its limit is that of all members that get connections', t => {
  const address = parseAddress('app.test:80', { role: 'upstream' })
  const { upstream, update } = harness(t, { upstreams: [{ address, maxConnections: 5 }] })
  update('192.0.2.1', '192.0.2.2')
  assert.equal(upstream.snapshot().limit, 10)
  update('192.0.2.2')
  assert.equal(upstream.snapshot().limit, 5)
  assert.equal(harness(t).upstream.snapshot().limit, undefined)
})

test('resolve.drain ends the connections of a member that has left, also those made since, with upstream_removed', async t => {
  const { update, member } = harness(t, { resolve: { drain: 60_000 } })
  update('192.0.2.1', '192.0.2.2')
  const [first, staying] = [member('192.0.2.1'), member('192.0.2.2')]
  const [one, late, other] = [owner(), owner(), owner()]
  const socket = await connected(t, first, one)
  await connected(t, staying, other)
  let connect = (): void => undefined
  const connecting = first.attempt(
    () => new Promise<Socket>(resolve => (connect = () => void pair(t).then(([made]) => resolve(made)))),
    late,
  )
  update('192.0.2.2')
  t.mock.timers.tick(59_999)
  assert.deepEqual(one.messages, [])
  t.mock.timers.tick(1)
  const message =
    'upstream_removed: the upstream was removed and the connection did not end in time: 192.0.2.1:80, 60000 ms ago'
  assert.deepEqual([one.messages, late.messages], [[message], []])
  socket.destroy()
  await once(socket, 'close')
  connect()
  const lateSocket = await connecting
  t.mock.timers.tick(60_000)
  assert.deepEqual([one.messages, late.messages], [[message], [message]])
  lateSocket.destroy()
  await once(lateSocket, 'close')
  t.mock.timers.tick(60_000)
  assert.deepEqual([late.messages, other.messages], [[message], []])
})

test('resolve.drain spares a member that comes back in time', async t => {
  const { update, member } = harness(t, { resolve: { drain: 60_000 } })
  update('192.0.2.1', '192.0.2.2')
  const kept = owner()
  await connected(t, member('192.0.2.1'), kept)
  update('192.0.2.2')
  t.mock.timers.tick(59_999)
  update('192.0.2.1', '192.0.2.2')
  t.mock.timers.tick(60_000)
  assert.deepEqual(kept.messages, [])
})

test('a member that comes back while it is leaving is the same; one that comes back later is new', async t => {
  const { upstream, update, member } = harness(t, { health: { check: {} } })
  upstream.start()
  update('192.0.2.1', '192.0.2.2')
  const before = member('192.0.2.1')
  const socket = await connected(t, before)
  update('192.0.2.2')
  update('192.0.2.1', '192.0.2.2')
  assert.deepEqual([member('192.0.2.1') === before, before.state], [true, 'up'])
  socket.destroy()
  await once(socket, 'close')
  update('192.0.2.2')
  update('192.0.2.1', '192.0.2.2')
  assert.notEqual(member('192.0.2.1'), before)
  assert.equal(upstream.snapshot().memberChanges, 4)
})

test('of an answer that is too long members stay first; it is told once, and the number is shown', t => {
  const { upstream, update, events } = harness(t, { resolve: { maxMembers: 2 } })
  update('192.0.2.8', '192.0.2.9')
  update('192.0.2.1', '192.0.2.2', '192.0.2.9')
  assert.deepEqual(hosts(upstream), ['192.0.2.9', '192.0.2.1'])
  update('192.0.2.1', '192.0.2.2', '192.0.2.3', '192.0.2.9')
  assert.equal(upstream.snapshot().leftOut, 2)
  assert.deepEqual(events, [{ kind: 'left_out', upstream: 'app.test:80', members: 2, leftOut: 1 }])
  update('192.0.2.1')
  assert.equal(upstream.snapshot().leftOut, 0)
  update('192.0.2.1', '192.0.2.2', '192.0.2.3')
  assert.equal(events.length, 2)
})

test('it hears of each member that goes down, with its address and the reason, and when it is up again', async t => {
  const { update, member, events, clock } = harness(t)
  update('192.0.2.1', '192.0.2.2')
  await fail(member('192.0.2.2'))
  t.mock.timers.tick(1_000)
  clock.now = 5_001
  await connected(t, member('192.0.2.2'))
  const [down, up] = events
  assert.ok(down?.kind === 'down')
  assert.deepEqual(
    [down.upstream, down.address, down.failure.code],
    ['app.test:80', '192.0.2.2:80', 'connect_refused'],
  )
  assert.deepEqual(up, { kind: 'up', upstream: 'app.test:80', address: '192.0.2.2:80', downFor: 5_000 })
})

test('a name that cannot be looked up is down, and up again with its first answer', async t => {
  const { upstream, answer, events, resolver } = harness(t)
  const [nobody = assert.fail()] = upstream.members
  const wait = { timeout: 100, signal: new AbortController().signal }
  for (let i = 0; i < 3; i++) await assert.rejects(nobody.resolved(wait), { code: 'dns_error' })
  const { state, failures, members, resolution } = upstream.snapshot()
  assert.deepEqual([state, failures, members, resolution?.failures], ['down', { dns_error: 3 }, [], 3])
  answer('192.0.2.1')
  await nobody.resolved(wait)
  assert.deepEqual([hosts(upstream), upstream.snapshot().state], [['192.0.2.1'], 'up'])
  assert.deepEqual(
    events.map(({ kind, ...each }) => [kind, 'address' in each && each.address]),
    [
      ['down', undefined],
      ['up', undefined],
    ],
  )
  assert.equal(resolver.snapshot()[0]?.answers, 1)
})

test('with staleAfter an answer that is too old does not count: no client gets a connection until there is another', async t => {
  const { upstream, answer, update, events, resolver, clock } = harness(t, {
    resolve: { staleAfter: 60_000 },
  })
  answer('192.0.2.1')
  resolver.start()
  await turns(1)
  answer()
  clock.now += 59_999
  t.mock.timers.tick(59_999)
  const healthy = (): boolean | undefined => upstream.members[0]?.isHealthy
  assert.equal(healthy(), true)
  clock.now += 1
  t.mock.timers.tick(1)
  assert.deepEqual([healthy(), upstream.members.length], [false, 1])
  const { state, members, lastFailure } = upstream.snapshot()
  assert.deepEqual([state, members], ['down', []])
  assert.match(lastFailure?.message ?? '', /the last answer about app\.test is older than 60000 ms$/)
  t.mock.timers.tick(1_000)
  clock.now += 500
  update('192.0.2.1')
  assert.deepEqual([upstream.snapshot().state, hosts(upstream)], ['up', ['192.0.2.1']])
  assert.deepEqual(
    events.map(event => [event.kind, 'downFor' in event && event.downFor]),
    [
      ['down', false],
      ['up', 500],
    ],
  )
})

test('the same upstream of another relay begins with what was known of each address', async t => {
  const before = harness(t)
  before.answer('192.0.2.1', '192.0.2.2')
  before.resolver.start()
  await turns(1)
  await fail(before.member('192.0.2.2'))
  const after = harness(t)
  after.resolver.inherit(before.resolver.names)
  after.upstream.inherit(before.upstream)
  assert.deepEqual(shown(after), [
    ['192.0.2.1:80', 'up', 0],
    ['192.0.2.2:80', 'down', 0],
  ])
  assert.deepEqual(
    [after.events, after.upstream.snapshot().failures],
    [[], {}],
    'counters are added up elsewhere',
  )
})

test('resolve.drain ends connections of relays before it too, when an address leaves or the upstream is removed', async t => {
  const all = [1, 2, 3].map(() => harness(t, { resolve: { drain: 60_000 } }))
  const [first, second, third] = all as [Harness, Harness, Harness] // as many
  const owners: ReturnType<typeof owner>[] = []
  const sockets: Socket[] = []
  for (const each of [first, second]) {
    each.update('192.0.2.1', '192.0.2.2')
    for (const address of ['192.0.2.1', '192.0.2.2']) {
      const of = owner()
      owners.push(of)
      sockets.push(await connected(t, each.member(address), of))
    }
  }
  const ended = (): number[] => owners.map(({ messages }) => messages.length)
  second.upstream.inherit(first.upstream)
  third.upstream.inherit(second.upstream)
  third.update('192.0.2.2')
  t.mock.timers.tick(30_000)
  third.update('192.0.2.1', '192.0.2.2')
  t.mock.timers.tick(60_000)
  assert.deepEqual(ended(), [0, 0, 0, 0])
  third.update('192.0.2.2')
  t.mock.timers.tick(60_000)
  assert.deepEqual(ended(), [1, 0, 1, 0])
  third.upstream.keep(new Set())
  t.mock.timers.tick(60_000)
  assert.deepEqual(ended(), [2, 1, 2, 1])
  await Promise.all(sockets.map(socket => once(socket.destroy(), 'close')))
})

test('a relay without connections does not hide those of the relay before it', async t => {
  const all = [1, 2, 3].map(() => harness(t, { resolve: { drain: 60_000 } }))
  const [first, second, third] = all as [Harness, Harness, Harness] // as many
  first.update('192.0.2.1')
  const of = owner()
  const socket = await connected(t, first.member('192.0.2.1'), of)
  second.upstream.inherit(first.upstream)
  third.upstream.inherit(second.upstream)
  third.upstream.keep(new Set())
  t.mock.timers.tick(60_000)
  assert.equal(of.messages.length, 1)
  await once(socket.destroy(), 'close')
})

test('with weight 0 it is drained, and so is each member, whatever is known of them', async t => {
  const upstreams = [{ address: parseAddress('app.test:80', { role: 'upstream' }), weight: 0 }]
  const { upstream, update, member } = harness(t, { upstreams })
  update('192.0.2.1', '192.0.2.2')
  await fail(member('192.0.2.1'))
  const { state, members } = upstream.snapshot()
  assert.deepEqual([state, members.map(each => each.state)], ['drained', ['drained', 'drained']])
  update('192.0.2.1')
  assert.equal(upstream.snapshot().state, 'drained')
})

test('slowStart: a new address of a name starts slowly, the first answer does not', t => {
  const { upstream, update, member } = harness(t, { health: { slowStart: 900 } })
  update('10.0.0.1')
  assert.equal(member('10.0.0.1').weight, 1)
  update('10.0.0.1', '10.0.0.2')
  assert.deepEqual([member('10.0.0.1').weight, member('10.0.0.2').weight], [1, 0.1])
  t.mock.timers.tick(100)
  assert.equal(member('10.0.0.2').weight, 0.2)
  const successor = harness(t, { health: { slowStart: 900 } })
  successor.update('10.0.0.1', '10.0.0.2')
  successor.upstream.inherit(upstream)
  assert.deepEqual(
    successor.upstream.members.map(({ weight }) => weight),
    [1, 0.2],
  )
})
