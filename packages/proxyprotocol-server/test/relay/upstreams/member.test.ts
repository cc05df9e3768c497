// One member: what counts against it, and what is counted of it.

import assert from 'node:assert/strict'
import type { LookupAddress } from 'node:dns'
import { once } from 'node:events'
import type { Socket } from 'node:net'
import { test, type TestContext } from 'node:test'
import { ProxyProtocolError, type ErrorCode } from 'proxyprotocol'
import { parseAddress, settlePool, type PoolInit } from '../../../src/config/index.ts'
import { Member, type MemberTarget } from '../../../src/relay/upstreams/member.ts'
import { isUpstreamFault, mayTryAnother } from '../../../src/relay/upstreams/upstream-fault.ts'
import { pair } from '../../support/connections.ts'

const HEALTH = { fails: 3, window: 1_000, cooldown: 5_000 }

interface Harness {
  readonly member: Member
  readonly clock: { now: number }
  readonly told: unknown[]
}

function harness(
  health: PoolInit['health'] = HEALTH,
  address = '192.0.2.1:80',
  place: MemberTarget = {},
): Harness {
  const settled = settlePool({
    upstreams: [{ address: parseAddress(address, { role: 'upstream' }) }],
    health,
  })
  const [settings] = settled.upstreams
  assert.ok(settings)
  const clock = { now: 0 }
  const told: unknown[] = []
  const context = {
    ...{ ...settled, now: () => clock.now, onRoom: () => undefined },
    onChange: () => told.push('changed'),
  }
  const member = new Member(settings, place, { ...context, tell: (_, { kind }) => told.push(kind) })
  return { member, clock, told }
}

function fault(code: ErrorCode = 'connect_refused', cause?: Error): ProxyProtocolError {
  return new ProxyProtocolError(code, { cause })
}

async function fail(member: Member, error: Error = fault()): Promise<void> {
  await assert.rejects(
    member.attempt(() => Promise.reject(error)),
    error,
  )
}

async function succeed(t: TestContext, member: Member): Promise<Socket> {
  const [socket] = await pair(t)
  return member.attempt(() => Promise.resolve(socket))
}

test('connections that fail mark a member, and one that stands takes the mark away', async t => {
  const { member, told } = harness()
  for (let i = 0; i < 3; i++) await fail(member)
  assert.deepEqual(
    [member.state, member.isOpen, member.isMarked, member.isHealthy],
    ['down', false, true, true],
  )
  await succeed(t, member)
  assert.deepEqual([member.state, member.isOpen, member.isMarked], ['up', true, false])
  assert.deepEqual(told, ['changed', 'down', 'changed'], 'a second change within a second is told later')
  member.hush()
  assert.deepEqual(told.slice(3), ['up'])
})

test('every way in which connecting can fail counts against it', async () => {
  const { member } = harness({ ...HEALTH, fails: 1_000 })
  const codes = [
    'connect_refused',
    'connect_timeout',
    'connect_error',
    'dns_error',
    'tls_upstream_error',
  ] as const
  for (const code of codes) await fail(member, fault(code, new Error('the cause')))
  assert.deepEqual(member.snapshot().failures, Object.fromEntries(codes.map(code => [code, 1])))
})

test('what is not its fault does not: a client that left, a bug, a machine that lacks something', async () => {
  const { member } = harness({ ...HEALTH, fails: 1 })
  await fail(member, fault('aborted'))
  await fail(member, new TypeError('a bug'))
  const lacks = ['EMFILE', 'ENFILE', 'ENOBUFS', 'ENOMEM', 'EAI_MEMORY', 'EADDRNOTAVAIL', 'EADDRINUSE']
  for (const code of lacks) {
    await fail(member, fault('connect_error', Object.assign(new Error(code), { code })))
  }
  const { state, failures, lastFailure, active } = member.snapshot()
  assert.deepEqual(
    { state, failures, lastFailure, active },
    { state: 'up', failures: {}, lastFailure: undefined, active: 0 },
  )
})

for (const [code, counts, another] of [
  ['EMFILE', false, false],
  ['ENFILE', false, false],
  ['ENOBUFS', false, false],
  ['ENOMEM', false, false],
  ['EAI_MEMORY', false, false],
  ['EADDRNOTAVAIL', false, true],
  ['EADDRINUSE', false, true],
  ['EACCES', true, true],
  ['EPERM', true, true],
  ['EINVAL', true, true],
  ['EAGAIN', true, true],
  ['EAFNOSUPPORT', true, true],
  ['ENETUNREACH', true, true],
  ['EHOSTUNREACH', true, true],
  ['ECONNRESET', true, true],
  [undefined, true, true],
] as const) {
  test(`${code ?? 'an unknown error'} ${counts ? 'counts' : 'does not count'} against an upstream, and another one is ${another ? '' : 'not '}tried`, () => {
    const error = fault('connect_error', Object.assign(new Error('connect'), { code }))
    assert.deepEqual([isUpstreamFault(error), mayTryAnother(error)], [counts, another])
  })
}

test('it counts connections from their first moment to their close', async t => {
  const { member } = harness()
  const [socket] = await pair(t)
  const attempt = member.attempt(() => Promise.resolve(socket))
  assert.deepEqual([member.active, member.snapshot().total], [1, 0])
  await attempt
  assert.deepEqual([member.active, member.snapshot().total], [1, 1])
  socket.destroy()
  await once(socket, 'close')
  assert.deepEqual([member.active, member.snapshot().total], [0, 1])
})

test('checks are counted where there are checks, and the last failure of either kind is shown', async () => {
  const { member, clock } = harness({ ...HEALTH, check: { rise: 2, fall: 3 } })
  for (const result of 'ffpff') member.checked(result === 'f' ? fault('connect_timeout') : undefined)
  clock.now = 30
  await fail(member)
  clock.now = 40
  const { checks, lastFailure } = member.snapshot()
  assert.deepEqual(
    { ...checks, lastFailure: checks?.lastFailure?.age },
    { type: 'tcp', passed: 1, failed: 4, streak: 2, verdict: 'up', lastFailure: 40 },
  )
  assert.deepEqual([lastFailure?.code, lastFailure?.age], ['connect_refused', 10])
})

test('an address of a name is balanced by the name of its upstream and that address, and leads there alone', async () => {
  for (const found of [
    { address: '192.0.2.7', family: 4 },
    { address: '2001:db8::7', family: 6 },
  ]) {
    const { member } = harness(HEALTH, 'ssl://app.test:443', { found })
    assert.equal(member.name, `ssl://app.test:443 ${found.address}`)
    assert.equal(member.address, found.family === 4 ? '192.0.2.7:443' : '[2001:db8::7]:443')
    assert.deepEqual(member.endpoint, { address: found.address, port: 443 })
    const { lookup = assert.fail() } = member
    const answers = [true, false].map(
      all => new Promise(resolve => lookup('app.test', { all }, (...answer) => resolve(answer))),
    )
    assert.deepEqual(await Promise.all(answers), [
      [null, [found satisfies LookupAddress]],
      [null, found.address, found.family],
    ])
  }
})

test('a member that leaves says nothing of its changes, and goes on to do so when it stays', async () => {
  const { member, told } = harness({ ...HEALTH, fails: 1 })
  member.leave()
  await fail(member)
  assert.deepEqual([member.state, told], ['leaving', ['changed']])
  member.stay()
  assert.equal(member.state, 'down')
  member.checked(undefined)
  assert.deepEqual(told, ['changed', 'changed', 'up'])
  member.hush()
})

test('a snapshot is plain data, and says how long ago it failed', async () => {
  const { member, clock } = harness()
  await fail(member)
  clock.now = 40
  const snapshot = member.snapshot()
  assert.deepEqual(JSON.parse(JSON.stringify(snapshot)), {
    address: '192.0.2.1:80',
    weight: 1,
    state: 'up',
    active: 0,
    total: 0,
    failures: { connect_refused: 1 },
    lastFailure: { code: 'connect_refused', message: 'the upstream refused the connection', age: 40 },
  })
  assert.equal(snapshot.checks, undefined)
})

const DOWN = { ...HEALTH, check: { rise: 1, fall: 2 }, onDown: 'reset' } as const

/** An owner of a connection, and why it was aborted. */
function owner(): { readonly reasons: unknown[]; abort(reason: ProxyProtocolError): void } {
  const reasons: unknown[] = []
  return { reasons, abort: ({ code, message }) => void reasons.push(code, message) }
}

test('checks that find a member down abort its open connections, once, with what they found', async t => {
  const { member } = harness(DOWN)
  const [one, other, gone] = [owner(), owner(), owner()]
  for (const each of [one, other, gone]) {
    const [socket] = await pair(t)
    await member.attempt(() => Promise.resolve(socket), each)
    if (each !== gone) continue
    socket.destroy()
    await once(socket, 'close')
  }
  member.checked({ code: 'check_failed', message: 'expected +PONG, got "-LOADING"' })
  assert.deepEqual(one.reasons, [])
  member.checked({ code: 'check_failed', message: 'expected +PONG, got "-LOADING"' })
  const message =
    'the connection was aborted by the program: the upstream is down, expected +PONG, got "-LOADING"'
  assert.deepEqual(
    [one.reasons, other.reasons],
    [
      ['aborted', message],
      ['aborted', message],
    ],
  )
  assert.deepEqual(gone.reasons, [])
})

test('connections stay open if they may, and where failed connections alone speak against a member', async t => {
  const kept = harness({ ...DOWN, onDown: 'keep' }).member
  const marked = harness({ ...DOWN, fails: 1 }).member
  const owners = [owner(), owner()]
  for (const [at, member] of [kept, marked].entries()) {
    const [socket] = await pair(t)
    await member.attempt(() => Promise.resolve(socket), owners[at])
  }
  for (let i = 0; i < 2; i++) kept.checked(fault())
  await fail(marked)
  assert.deepEqual([kept.state, marked.state], ['down', 'down'])
  assert.deepEqual(
    owners.map(({ reasons }) => reasons),
    [[], []],
  )
})

test('a member that is up again starts slowly, also one that was about to leave its name', t => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const { member } = harness({ ...DOWN, slowStart: 900 })
  assert.equal(member.weight, 1)
  for (let i = 0; i < 2; i++) member.checked(fault())
  member.checked(undefined)
  assert.deepEqual([member.state, member.weight], ['up', 0.1])
  t.mock.timers.tick(100)
  assert.equal(member.weight, 0.2)
  member.leave()
  t.mock.timers.tick(100)
  assert.equal(member.weight, 0.2)
  member.stay()
  t.mock.timers.tick(100)
  assert.equal(member.weight, 0.3)
  member.hush()
})

test('a member with weight 0 stays drained whatever its slow start', () => {
  const { member } = harness({ ...DOWN, slowStart: 900 })
  const drained = new Member(
    { ...member.settings, weight: 0 },
    {},
    {
      ...{ health: { ...HEALTH, onDown: 'keep', slowStart: 900 }, now: () => 0 },
      ...{ tell: () => undefined, onChange: () => undefined, onRoom: () => undefined },
    },
  )
  drained.beginSlowly()
  assert.deepEqual([drained.state, drained.weight], ['drained', 0])
  drained.hush()
})
