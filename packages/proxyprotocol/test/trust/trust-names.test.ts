// trustNames(): who is trusted follows what names resolve to, and a name without a recent answer is not trusted.

import assert from 'node:assert/strict'
import { Resolver } from 'node:dns/promises'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import { turns, until } from 'test-support/sockets'
import { untyped } from 'test-support/untyped'
import { connect } from '../../src/client/index.ts'
import { createServer, type NameTrust, trustNames, type TrustResolver } from '../../src/server/index.ts'
import { compileTrust } from '../../src/trust/trust.ts'
import { createHarness, type Harness } from '../support/harness.ts'
import { DESTINATION, SOURCE } from '../support/headers.ts'

/** Long enough that no refresh comes by itself during a test. */
const NEVER = 1_000_000

function trusts(trust: NameTrust, address: string): boolean {
  return compileTrust(trust)({ address, transport: 'tcp' })
}

function fault(code: string): Error {
  return Object.assign(new Error(`query ${code}`), { code })
}

type Answer = (name: string) => Promise<readonly string[]>

/** A resolver that answers IPv4 questions by a function, and knows no IPv6. */
function resolverOf(resolve4: Answer): TrustResolver {
  return { resolve4, resolve6: () => Promise.reject(fault('ENODATA')) }
}

/** Trust in the name `lb` that a test closes at its end. */
function trustLb(harness: Harness, resolver: TrustResolver, refresh = NEVER): NameTrust {
  const trust = trustNames(['lb'], { resolver, refresh })
  harness.defer(() => trust.close())
  return trust
}

async function warned(harness: Harness): Promise<string[]> {
  return (await harness.warnings()).map(({ name, message }) => `${name}: ${message}`)
}

const UNRESOLVED = 'ProxyProtocolWarning: trustNames() does not trust lb until it resolves: '

test('trustNames() trusts the addresses of names of both families, and the networks beside them', async t => {
  const harness = createHarness(t)
  const asked: string[] = []
  const resolver = {
    resolve4: (name: string) => (asked.push(name), Promise.resolve(['192.0.2.1', '192.0.2.2'])),
    resolve6: () => Promise.resolve(['2001:db8::1', 'fe80::1%eth0']),
  }
  const trust = trustNames(['lb.internal', '10.0.0.0/8', 'traefik'], { resolver, refresh: NEVER })
  harness.defer(() => trust.close())
  await trust.ready()
  assert.deepEqual(asked, ['lb.internal', 'traefik'])
  for (const address of ['192.0.2.1', '::ffff:192.0.2.2', '2001:db8::1', 'fe80::1%eth1', '10.1.2.3']) {
    assert.equal(trusts(trust, address), true, address)
  }
  for (const address of ['192.0.2.3', '2001:db8::2', '11.0.0.1'])
    assert.equal(trusts(trust, address), false, address)
  assert.equal(trust({ address: undefined, transport: 'unix' }), false)
})

test('trustNames() trusts no name before its first answer', async t => {
  const harness = createHarness(t)
  const trust = trustLb(
    harness,
    resolverOf(() => Promise.resolve(['192.0.2.1'])),
  )
  assert.equal(trusts(trust, '192.0.2.1'), false)
  await trust.ready()
  assert.equal(trusts(trust, '192.0.2.1'), true)
})

test('trustNames() looks names up again, and forgets addresses that are not in the new answer', async t => {
  const harness = createHarness(t)
  let address = '192.0.2.1'
  const trust = trustLb(
    harness,
    resolverOf(() => Promise.resolve([address])),
    1,
  )
  await trust.ready()
  assert.equal(trusts(trust, '192.0.2.1'), true)
  address = '192.0.2.2'
  await until(() => trusts(trust, '192.0.2.2'))
  assert.equal(trusts(trust, '192.0.2.1'), false)
})

test('trustNames() asks the system by default', async t => {
  const harness = createHarness(t)
  const trust = trustNames(['localhost'])
  harness.defer(() => trust.close())
  await trust.ready()
  assert.equal(trusts(trust, '127.0.0.1'), true)
})

test('trustNames() takes a Resolver of node:dns', t => {
  const harness = createHarness(t)
  const resolver = new Resolver()
  trustLb(harness, resolver)
  harness.defer(() => resolver.cancel())
})

test('trustNames() drops a name at once that no longer exists, and says so once until it does again', async t => {
  const harness = createHarness(t)
  let exists = true
  let answers = 0
  const trust = trustLb(
    harness,
    resolverOf(
      () => (answers++, exists ? Promise.resolve(['192.0.2.1']) : Promise.reject(fault('ENOTFOUND'))),
    ),
    1,
  )
  for (let round = 0; round < 2; round++) {
    exists = true
    await until(() => trusts(trust, '192.0.2.1'))
    exists = false
    await until(() => !trusts(trust, '192.0.2.1'))
    const seen = answers
    await until(() => answers > seen + 2)
    assert.deepEqual(await warned(harness), [`${UNRESOLVED}it has no address`])
  }
})

test('trustNames() keeps an address while the name service fails twice, and drops it at the third failure', async t => {
  const harness = createHarness(t)
  let failures = 0
  let fails = false
  const trusted: boolean[] = []
  const trust: NameTrust = trustLb(
    harness,
    resolverOf(() => {
      if (!fails) return Promise.resolve(['192.0.2.1'])
      trusted[failures++] = trusts(trust, '192.0.2.1')
      return Promise.reject(fault('ESERVFAIL'))
    }),
    1,
  )
  await trust.ready()
  fails = true
  await until(() => failures > 4)
  assert.deepEqual(trusted.slice(0, 5), [true, true, true, false, false])
  assert.deepEqual(await warned(harness), [`${UNRESOLVED}query ESERVFAIL`])
})

test('trustNames() says at once that a name cannot be resolved at the start', async t => {
  const harness = createHarness(t)
  const trust = trustLb(
    harness,
    resolverOf(() => Promise.reject(fault('ETIMEOUT'))),
  )
  await trust.ready()
  assert.equal(trusts(trust, '192.0.2.1'), false)
  assert.deepEqual(await warned(harness), [`${UNRESOLVED}query ETIMEOUT`])
})

/** Trust in `lb` whose look-ups the test answers. */
function trustLate(harness: Harness, refresh: number) {
  const late: ((answer: readonly string[]) => void)[] = []
  const resolver = resolverOf(() => new Promise(resolve => late.push(resolve)))
  return { trust: trustLb(harness, resolver, refresh), late }
}

test('trustNames() takes an answer that comes after the next refresh, and asks once meanwhile', async t => {
  const harness = createHarness(t)
  const { trust, late } = trustLate(harness, 20)
  let isWarned = false
  process.once('warning', () => (isWarned = true))
  await until(() => isWarned)
  assert.equal(late.length, 1)
  late[0]?.(['192.0.2.1'])
  await turns()
  assert.equal(trusts(trust, '192.0.2.1'), true)
  assert.deepEqual(await warned(harness), [`${UNRESOLVED}no answer in time`])
})

test('trustNames() takes a resolver that throws for one family for a failure, whatever the other one does', async t => {
  const harness = createHarness(t)
  const trust = trustLb(harness, {
    resolve4: () => Promise.reject(fault('ESERVFAIL')),
    resolve6: () => {
      throw fault('ENOSYS')
    },
  })
  await trust.ready()
  assert.equal((await warned(harness)).length, 1)
})

test('trustNames() counts a question without an answer as a failure, and takes no answer that comes after a newer question', async t => {
  const harness = createHarness(t)
  const { trust, late } = trustLate(harness, 1)
  await until(() => late.length > 4)
  late[0]?.(['192.0.2.1'])
  await turns()
  assert.equal(trusts(trust, '192.0.2.1'), false)
  assert.deepEqual(await warned(harness), [`${UNRESOLVED}no answer in time`])
})

for (const [name, answer, why] of [
  ['a network', ['0.0.0.0/0'], 'the answer must have addresses, got "0.0.0.0/0"'],
  ["'unix'", ['unix'], 'the answer must have addresses, got "unix"'],
  ['one wrong address among others', ['192.0.2.1', 'x'], 'the answer must have addresses, got "x"'],
] as const) {
  test(`trustNames() takes an answer with ${name} for a failure`, async t => {
    const harness = createHarness(t)
    const trust = trustLb(
      harness,
      resolverOf(() => Promise.resolve(answer)),
    )
    await trust.ready()
    assert.equal(trusts(trust, '192.0.2.1'), false)
    assert.deepEqual(await warned(harness), [UNRESOLVED + why])
  })
}

test('trustNames() takes whatever a resolver throws for a failure', async t => {
  const harness = createHarness(t)
  const trust = trustLb(harness, resolverOf(() => { throw 'no' })) // prettier-ignore
  await trust.ready()
  assert.deepEqual(await warned(harness), [`${UNRESOLVED}"no"`])
})

test('trustNames() trusts no name after close(), and takes no answer that is on its way', async t => {
  const harness = createHarness(t)
  let answer: ((addresses: readonly string[]) => void) | undefined
  const trust = trustNames(['lb', '10.0.0.0/8'], {
    resolver: resolverOf(() => new Promise(resolve => (answer = resolve))),
  })
  trust.close()
  answer?.(['192.0.2.1'])
  await turns()
  assert.deepEqual([trusts(trust, '192.0.2.1'), trusts(trust, '10.0.0.1')], [false, true])
  await trust.ready()
  assert.deepEqual(await warned(harness), [])
})

test('trustNames() is a trust setting: a server believes peers whose address a name has', async t => {
  const harness = createHarness(t)
  for (const [address, seen] of [
    ['127.0.0.1', SOURCE.address],
    ['192.0.2.1', ''],
  ] as const) {
    const trust = trustLb(
      harness,
      resolverOf(() => Promise.resolve([address])),
    )
    await trust.ready()
    const server = harness.watch(
      createServer({ trust }, ({ socket }) => void socket.end(String(socket.remoteAddress))),
    )
    const { port } = (await server.listen(0, '127.0.0.1')) as AddressInfo
    const client = await connect({ host: '127.0.0.1', port }, { source: SOURCE, destination: DESTINATION })
    assert.equal(await text(client).catch(() => ''), seen)
  }
})

for (const [names, name, message] of [
  [
    undefined,
    'TypeError',
    "names must be a list of host names, got undefined; did you mean trustNames(['traefik'])?",
  ],
  [
    'lb',
    'TypeError',
    'names must be a list of host names, got "lb"; did you mean trustNames([\'traefik\'])?',
  ],
  [[], 'TypeError', "names must be a list of host names, got []; did you mean trustNames(['traefik'])?"],
  ...(
    [
      '',
      '-_ ',
      'a..b',
      '10.0.0',
      '1',
      '0x7f',
      '127.1',
      'a.0x',
      'http://a',
      '*.a',
      'anyone',
      42,
      null,
      'ä',
    ] as const
  ).map(
    entry =>
      [
        [entry],
        'TypeError',
        new RegExp(`^names\\b.*${JSON.stringify(entry).replace(/[.*]/g, '\\$&')}`),
      ] as const,
  ),
  [['lb', '10.0.0.1/8'], 'RangeError', /^names\b.*"10\.0\.0\.1\/8"/],
] as const) {
  test(`trustNames() refuses ${JSON.stringify(names)}`, () => {
    assert.throws(() => trustNames(untyped(names)), { name, message })
  })
}

test('trustNames() refuses options that are wrong or not known', () => {
  const make = (options: unknown): NameTrust => trustNames(['lb'], untyped(options))
  assert.throws(() => make({ interval: 1 }), /^TypeError: .*interval/)
  assert.throws(() => make({ refresh: 0 }), {
    name: 'RangeError',
    message: 'refresh must be milliseconds from 1 to 2147483647, got 0',
  })
  assert.throws(() => make({ refresh: '5s' }), /^RangeError: refresh must be milliseconds/)
  assert.throws(
    () => make({ resolver: { resolve4: () => [] } }),
    /^TypeError: resolver must have resolve4\(\) and resolve6\(\), got /,
  )
  assert.throws(() => make({ resolver: null }), /^TypeError: resolver must have/)
})

test('trust: a name in a list is refused, and the error names trustNames()', () => {
  assert.throws(() => compileTrust(['10.0.0.0/8', 'lb.internal']), {
    name: 'TypeError',
    message:
      'trust must have addresses and networks, got the name "lb.internal"; ' +
      'did you mean trust: trustNames(["10.0.0.0/8", "lb.internal"])?',
  })
  assert.throws(() => compileTrust(untyped('traefik')), {
    name: 'TypeError',
    message: `trust must be a list of CIDRs, 'anyone' or a function, got "traefik"; did you mean trustNames(["traefik"]) or 'anyone'?`,
  })
})
