// The addresses of names: asked for once and kept fresh, kept at all when the name service fails, and for how long.

import assert from 'node:assert/strict'
import type { LookupAddress } from 'node:dns'
import { test, type TestContext } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { until } from 'test-support/sockets'
import type {
  ResolvedName,
  Resolve,
  WaitOptions,
} from '../../../../src/relay/upstreams/names/resolved-name.ts'
import { Resolver, type ResolverOptions } from '../../../../src/relay/upstreams/names/resolver.ts'
import { setName } from '../../../support/names.ts'
import { atEnd } from '../../../support/teardown.ts'

const INTERVAL = 30_000
const PATIENT: WaitOptions = { timeout: 1_000_000, signal: new AbortController().signal }

/** A name service that answers when the test says so. */
interface Service {
  readonly resolve: Resolve
  readonly asked: readonly string[]
  /** Answers the oldest question that is open. */
  readonly answer: (...addresses: string[]) => void
  readonly fail: (error: unknown) => void
}

function nameService(): Service {
  const asked: string[] = []
  const open: { give: (addresses: LookupAddress[]) => void; fail: (error: unknown) => void }[] = []
  return {
    asked,
    resolve: host => {
      asked.push(host)
      return new Promise((resolve, reject) => open.push({ give: resolve, fail: reject }))
    },
    answer: (...addresses) => {
      open.shift()?.give(addresses.map(address => ({ address, family: address.includes(':') ? 6 : 4 })))
    },
    fail: error => open.shift()?.fail(error),
  }
}

interface Harness {
  readonly resolver: Resolver
  readonly name: ResolvedName
  readonly service: Service
  readonly clock: { now: number }
  /** What a watcher has heard: addresses, or why there are none. */
  readonly heard: string[]
  /** Lets the clock and all timers go on. */
  readonly pass: (milliseconds: number) => void
}

function harness(t: TestContext, options: Partial<ResolverOptions> = {}): Harness {
  t.mock.timers.reset() // a test may have two of them
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const service = nameService()
  const clock = { now: 5_000 }
  const { resolve } = service
  const common = { interval: INTERVAL, staleAfter: undefined, resolve, now: () => clock.now }
  const resolver = new Resolver({ ...common, ...options })
  atEnd(t, () => resolver.close())
  const heard: string[] = []
  const name = resolver.name('a.test')
  name.watch({
    onAnswer: addresses => heard.push(addresses.map(({ address }) => address).join(' ')),
    onExpired: ({ message }) => heard.push(message),
  })
  return {
    ...{ resolver, name, service, clock, heard },
    pass: milliseconds => {
      clock.now += milliseconds
      t.mock.timers.tick(milliseconds)
    },
  }
}

test('the first connections share one question, and later ones ask none', async t => {
  const { name, service, heard } = harness(t)
  const early = [name.answered(PATIENT), name.answered(PATIENT)]
  service.answer('192.0.2.1')
  await Promise.all(early)
  await name.answered(PATIENT)
  assert.deepEqual([service.asked, heard], [['a.test'], ['192.0.2.1']])
})

test('upstreams with one name share it, and each hears of its answers', async t => {
  const { resolver, name, service, heard } = harness(t)
  assert.equal(resolver.name('a.test'), name)
  const others: number[] = []
  name.watch({ onAnswer: ({ length }) => others.push(length), onExpired: () => assert.fail() })
  resolver.start()
  resolver.start()
  service.answer('192.0.2.1', '192.0.2.2')
  await until(() => others.length === 1)
  assert.deepEqual([service.asked.length, heard], [1, ['192.0.2.1 192.0.2.2']])
  resolver.start()
  assert.equal(service.asked.length, 1, 'there is an answer')
})

test('a name has only the addresses that the local address can reach', async t => {
  const { resolver, service } = harness(t)
  const name = resolver.name('a.test', { source: '192.0.2.9' })
  assert.equal(resolver.name('a.test', { source: '192.0.2.8' }), name)
  name.start()
  service.answer('192.0.2.1', '2001:db8::1')
  await name.answered(PATIENT)
  assert.deepEqual(name.snapshot().addresses, ['192.0.2.1'])
  const failed = resolver.name('a.test', { source: '::1' }).answered(PATIENT)
  service.answer('192.0.2.1')
  await assert.rejects(failed, { code: 'dns_error', message: /a\.test has no IPv6 addresses$/ })
})

test('a name is asked for again in the background, an interval after its last answer', async t => {
  const { name, service, pass, heard } = harness(t)
  name.start()
  service.answer('192.0.2.1')
  await name.answered(PATIENT)
  await turn()
  pass(INTERVAL - 1)
  assert.equal(service.asked.length, 1)
  pass(1)
  assert.equal(service.asked.length, 2)
  await name.answered(PATIENT) // no connection waits for the new answer
  pass(10 * INTERVAL)
  assert.equal(service.asked.length, 2, 'never two questions at a time')
  service.answer('192.0.2.9')
  await until(() => heard.length === 2)
  assert.deepEqual(heard, ['192.0.2.1', '192.0.2.9'])
})

test('where the name service fails the last good answer stays, and the failures are counted', async t => {
  const { resolver, name, service, pass, heard } = harness(t)
  name.start()
  service.answer('192.0.2.1')
  await name.answered(PATIENT)
  await turn()
  for (const [n, failure] of [new Error('EAI_AGAIN'), 'no error at all'].entries()) {
    pass(INTERVAL)
    service.fail(failure)
    await until(() => resolver.snapshot()[0]?.failures === n + 1)
    await turn()
    await name.answered(PATIENT)
  }
  pass(INTERVAL)
  service.answer() // it exists, and has no addresses
  await until(() => resolver.snapshot()[0]?.failures === 3)
  assert.deepEqual(resolver.snapshot(), [
    {
      name: 'a.test',
      addresses: ['192.0.2.1'],
      age: 3 * INTERVAL,
      answers: 1,
      failures: 3,
      lastFailure: 'a.test has no addresses',
    },
  ])
  assert.deepEqual(heard, ['192.0.2.1'])
})

test('where there never was an answer each connection asks again, and fails as a look-up does', async t => {
  const { resolver, name, service, pass } = harness(t)
  const failures = [Object.assign(new Error('not found'), { code: 'ENOTFOUND' }), 'a string']
  for (const failure of failures) {
    const failed = name.answered(PATIENT)
    service.fail(failure)
    await assert.rejects(failed, (error: Error) => {
      assert.deepEqual([(error as { code?: string }).code, error.cause], ['dns_error', failure])
      assert.match(error.message, failure instanceof Error ? /not found$/ : /a string$/)
      return true
    })
  }
  pass(10 * INTERVAL)
  name.doubt()
  assert.equal(service.asked.length, 2, 'nothing is asked in the background')
  const { age, answers, failures: count } = resolver.snapshot()[0] ?? {}
  assert.deepEqual({ age, answers, count }, { age: undefined, answers: 0, count: 2 })
})

test('what is asked at the start may fail without harm', async t => {
  const { name, service } = harness(t)
  name.start()
  service.fail(new Error('not yet'))
  await turn()
  assert.equal(name.snapshot().lastFailure, 'not yet')
})

test('an answer is waited for no longer than asked, and not for a client that has left', async t => {
  const { name, pass } = harness(t)
  const leaving = new AbortController()
  const waits = [
    name.answered({ ...PATIENT, timeout: 100 }),
    name.answered({ ...PATIENT, signal: leaving.signal }),
  ]
  pass(100)
  leaving.abort()
  await assert.rejects(waits[0] ?? assert.fail(), { code: 'connect_timeout', message: /: 100 ms$/ })
  await assert.rejects(waits[1] ?? assert.fail(), { code: 'aborted' })
  await assert.rejects(name.answered({ ...PATIENT, signal: leaving.signal }), { code: 'aborted' })
})

test('a name whose addresses do not answer is asked for early, but not as often as they fail', async t => {
  const { name, service, pass } = harness(t)
  name.start()
  service.answer('192.0.2.1')
  await name.answered(PATIENT)
  await turn()
  pass(999)
  name.doubt()
  assert.equal(service.asked.length, 1)
  pass(1)
  name.doubt()
  name.doubt()
  assert.deepEqual(service.asked, ['a.test', 'a.test'])
  service.fail(new Error('down'))
  await turn()
})

test('with staleAfter the last answer is forgotten when it is so old, and the name is asked for on', async t => {
  const { name, service, pass, heard } = harness(t, { staleAfter: 2 * INTERVAL })
  name.start()
  service.answer('192.0.2.1')
  await name.answered(PATIENT)
  await turn()
  pass(INTERVAL)
  service.fail(new Error('down'))
  await turn()
  pass(INTERVAL - 1)
  assert.deepEqual(heard, ['192.0.2.1'])
  pass(1)
  assert.deepEqual([heard.length, name.snapshot().addresses, name.snapshot().age], [2, [], 2 * INTERVAL])
  assert.match(heard[1] ?? '', /the last answer about a\.test is older than 60000 ms$/)
  service.fail(new Error('still down'))
  await turn()
  pass(INTERVAL)
  service.answer('192.0.2.1')
  await until(() => heard.length === 3)
  assert.equal(heard[2], '192.0.2.1')
})

test('an answer in time begins the time anew', async t => {
  const { name, service, pass, heard } = harness(t, { staleAfter: INTERVAL + 1 })
  name.start()
  for (let i = 1; i < 5; i++) {
    service.answer('192.0.2.1')
    await until(() => heard.length === i)
    await turn()
    pass(INTERVAL)
  }
  assert.equal(heard.length, 4)
})

test('a successor begins with the last answer, which gets no younger, and asks an interval later', async t => {
  const before = harness(t, { staleAfter: 3 * INTERVAL })
  before.name.start()
  before.service.answer('192.0.2.1')
  await before.name.answered(PATIENT)
  before.resolver.close()
  const after = harness(t, { staleAfter: 3 * INTERVAL })
  after.clock.now = before.clock.now + INTERVAL
  after.resolver.name('other.test')
  after.resolver.inherit(before.resolver.names)
  assert.deepEqual([after.heard, after.name.snapshot().age], [['192.0.2.1'], INTERVAL])
  after.resolver.inherit(before.resolver.names)
  after.name.start()
  assert.deepEqual([after.heard.length, after.service.asked], [1, []])
  after.pass(INTERVAL)
  assert.deepEqual(after.service.asked, ['a.test'])
  after.pass(INTERVAL)
  assert.equal(after.heard.length, 2, 'it is too old three intervals after it came')
})

test('a successor of one whose answer is too old has no addresses, and asks on', async t => {
  const before = harness(t, { staleAfter: 10 })
  before.name.start()
  before.service.answer('192.0.2.1')
  await before.name.answered(PATIENT)
  before.pass(10)
  const after = harness(t)
  after.resolver.inherit(before.resolver.names)
  assert.deepEqual([after.heard, after.name.snapshot().addresses], [[], []])
  after.pass(INTERVAL)
  assert.deepEqual(after.service.asked, ['a.test'])
})

test('a resolver that is closed asks for nothing more in the background, and forgets nothing', async t => {
  const { resolver, name, service, pass, heard } = harness(t, { staleAfter: 10 })
  const first = name.answered(PATIENT)
  resolver.close()
  service.answer('192.0.2.2')
  await first
  await turn()
  pass(10 * INTERVAL)
  assert.deepEqual([service.asked, heard], [['a.test'], ['192.0.2.2']])
})

test("the system's resolver is asked for all addresses of localhost", async t => {
  const { name, resolver } = harness(t, { resolve: undefined })
  const local = resolver.name('localhost')
  await local.answered(PATIENT)
  const { addresses } = local.snapshot()
  assert.ok(addresses.length > 0)
  for (const address of addresses) assert.ok(address === '127.0.0.1' || address === '::1', address)
  assert.deepEqual(name.snapshot().addresses, [])
})

test("a name that the system's resolver does not know fails with its error", async t => {
  const { resolver } = harness(t, { resolve: undefined })
  setName(t, 'nowhere.test')
  await assert.rejects(resolver.name('nowhere.test').answered(PATIENT), {
    code: 'dns_error',
    message: /getaddrinfo ENOTFOUND nowhere\.test$/,
  })
})
