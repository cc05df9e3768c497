// The addresses of names: asked for once and kept fresh, kept at all when the name service fails, and used in turn.

import assert from 'node:assert/strict'
import type { LookupAddress } from 'node:dns'
import { test, type TestContext } from 'node:test'
import { Resolver, type Resolve, type ResolverOptions } from '../../../src/relay/upstreams/resolver.ts'
import { setName } from '../../support/names.ts'
import { until } from '../../support/sockets.ts'
import { atEnd } from '../../support/teardown.ts'

const INTERVAL = 30_000

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

interface Stage {
  readonly resolver: Resolver
  readonly service: Service
  readonly clock: { now: number }
  /** Lets the clock and all timers go on. */
  readonly pass: (milliseconds: number) => void
  /** The addresses as Node asks for them. */
  readonly lookup: (host?: string) => Promise<string[]>
}

function stage(t: TestContext, options: Partial<ResolverOptions> = {}): Stage {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const service = nameService()
  const clock = { now: 5_000 }
  const { resolve } = service
  const resolver = new Resolver({ interval: INTERVAL, resolve, now: () => clock.now, ...options })
  atEnd(t, () => resolver.close())
  return {
    resolver,
    service,
    clock,
    pass: milliseconds => {
      clock.now += milliseconds
      t.mock.timers.tick(milliseconds)
    },
    lookup: async (host = 'a.test') => (await ask(resolver, host)).map(({ address }) => address),
  }
}

function ask(resolver: Resolver, host: string): Promise<LookupAddress[]> {
  return new Promise((resolve, reject) => {
    resolver.lookup(host, { all: true }, (error, addresses) => {
      if (error) reject(error)
      else resolve(addresses as LookupAddress[]) // as it is with `all`
    })
  })
}

test('the first connections share one question, and later ones ask nobody', async t => {
  const { service, lookup } = stage(t)
  const early = [lookup(), lookup()]
  service.answer('192.0.2.1')
  assert.deepEqual(await Promise.all(early), [['192.0.2.1'], ['192.0.2.1']])
  assert.deepEqual(await lookup(), ['192.0.2.1'])
  assert.deepEqual(service.asked, ['a.test'])
})

test('each connection starts with another address, both families in turn', async t => {
  const { service, lookup } = stage(t)
  const first = lookup()
  service.answer('2001:db8::1', '192.0.2.1', '192.0.2.2')
  assert.deepEqual(
    [await first, await lookup(), await lookup(), await lookup()],
    [
      ['2001:db8::1', '192.0.2.1', '192.0.2.2'],
      ['192.0.2.1', '192.0.2.2', '2001:db8::1'],
      ['192.0.2.2', '2001:db8::1', '192.0.2.1'],
      ['2001:db8::1', '192.0.2.1', '192.0.2.2'],
    ],
  )
})

test('a socket that wants one address gets one, with its family', async t => {
  const { resolver, service } = stage(t)
  const found = new Promise<unknown[]>(resolve => {
    resolver.lookup('a.test', {}, (...answer) => resolve(answer))
  })
  service.answer('2001:db8::1', '192.0.2.1')
  assert.deepEqual(await found, [null, '2001:db8::1', 6])
})

test('a name is asked for again in the background, an interval after its last answer', async t => {
  const { service, lookup, pass } = stage(t)
  const first = lookup()
  service.answer('192.0.2.1')
  await first
  await until(() => service.asked.length === 1)
  pass(INTERVAL - 1)
  assert.equal(service.asked.length, 1)
  pass(1)
  assert.equal(service.asked.length, 2)
  assert.deepEqual(await lookup(), ['192.0.2.1'], 'nobody waits for the new answer')
  pass(10 * INTERVAL)
  assert.equal(service.asked.length, 2, 'never two questions at a time')
  service.answer('192.0.2.9')
  await until(() => service.asked.length === 2)
  assert.deepEqual(await lookup(), ['192.0.2.9'])
})

test('where the name service fails the last good answer stays, and the failures are counted', async t => {
  const { resolver, service, lookup, pass } = stage(t)
  const first = lookup()
  service.answer('192.0.2.1')
  await first
  for (const [n, failure] of [new Error('EAI_AGAIN'), 'no error at all'].entries()) {
    pass(INTERVAL)
    service.fail(failure)
    await until(() => resolver.snapshot()[0]?.failures === n + 1)
    assert.deepEqual(await lookup(), ['192.0.2.1'])
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
})

test('where there never was an answer each connection asks again, and fails as a look-up does', async t => {
  const { resolver, service, lookup, pass } = stage(t)
  for (const failure of [Object.assign(new Error('not found'), { code: 'ENOTFOUND' }), 'a string']) {
    const failed = lookup()
    service.fail(failure)
    await assert.rejects(failed, {
      syscall: 'getaddrinfo',
      hostname: 'a.test',
      message: failure instanceof Error ? 'not found' : 'a string',
      code: failure instanceof Error ? 'ENOTFOUND' : undefined,
    })
  }
  pass(10 * INTERVAL)
  resolver.doubt('a.test')
  assert.equal(service.asked.length, 2, 'nothing is asked in the background')
  const { age, answers, failures } = resolver.snapshot()[0] ?? {}
  assert.deepEqual({ age, answers, failures }, { age: undefined, answers: 0, failures: 2 })
})

test('a name whose addresses do not answer is asked for early, but not as often as they fail', async t => {
  const { resolver, service, lookup, pass } = stage(t)
  const first = lookup()
  service.answer('192.0.2.1')
  await first
  pass(999)
  resolver.doubt('a.test')
  assert.equal(service.asked.length, 1)
  pass(1)
  resolver.doubt('a.test')
  resolver.doubt('a.test')
  resolver.doubt('another.test')
  assert.deepEqual(service.asked, ['a.test', 'a.test'])
})

test('of one answer each address counts once, and 64 at most', async t => {
  const { service, lookup } = stage(t)
  const first = lookup()
  const many = Array.from({ length: 100 }, (_, n) => `192.0.2.${n}`)
  service.answer('192.0.2.0', ...many)
  assert.deepEqual(await first, many.slice(0, 64))
})

test('a resolver that is closed asks for nothing more in the background', async t => {
  const { resolver, service, lookup, pass } = stage(t)
  const first = lookup()
  service.answer('192.0.2.1')
  await first
  const second = lookup('b.test')
  resolver.close()
  service.answer('192.0.2.2')
  await second
  pass(10 * INTERVAL)
  assert.deepEqual(service.asked, ['a.test', 'b.test'])
})

test("the system's resolver is asked for all addresses of localhost", async t => {
  const { lookup } = stage(t, { resolve: undefined })
  const addresses = await lookup('localhost')
  assert.ok(addresses.length > 0)
  for (const address of addresses) assert.ok(address === '127.0.0.1' || address === '::1', address)
})

test("a name that the system's resolver does not know fails with its error", async t => {
  const { lookup } = stage(t, { resolve: undefined })
  setName(t, 'nowhere.test')
  await assert.rejects(lookup('nowhere.test'), {
    code: 'ENOTFOUND',
    syscall: 'getaddrinfo',
    message: 'getaddrinfo ENOTFOUND nowhere.test',
  })
})
