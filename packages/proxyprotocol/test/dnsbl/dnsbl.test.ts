import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { lookup, spamhaus } from '../../src/dnsbl/index.ts'
import type { Listing, LookupOptions, NameResolver } from '../../src/dnsbl/index.ts'
import { ADDRESS, codeOf, fake, NEVER, serve, unknown } from '../support/dnsbl.ts'

const CLEAR: Listing = { status: 'clear' }

const nibbles = `1.${'0.'.repeat(23)}8.b.d.0.1.0.0.2`
const names: readonly (readonly [address: string, name: string])[] = [
  ['192.0.2.1', '1.2.0.192.bl.example'],
  ['::ffff:192.0.2.1', '1.2.0.192.bl.example'],
  ['2001:db8::1', `${nibbles}.bl.example`],
]

for (const [address, name] of names) {
  test(`lookup() asks for exactly the reversed address under the zone: ${address}`, async t => {
    const { server, servers } = await serve(t, { [name]: ['127.0.0.2'] })
    const listing = await lookup(address, 'bl.example', { servers })
    const code = { code: '127.0.0.2', meaning: undefined }
    assert.deepEqual(listing, { status: 'listed', zone: 'bl.example', ...code, also: [] })
    assert.deepEqual(server.asked, [name])
  })
}

test('lookup() is clear when the name does not exist, and when it has no addresses', async t => {
  const { servers } = await serve(t, { '1.2.0.192.empty.example': [] })
  assert.deepEqual(await lookup(ADDRESS, 'missing.example', { servers }), CLEAR)
  assert.deepEqual(await lookup(ADDRESS, 'empty.example', { servers }), CLEAR)
  const none = { resolve4: async () => [] }
  assert.deepEqual(await lookup(ADDRESS, ['a.example', 'b.example'], { resolver: none }), CLEAR)
})

const listingCodes = Object.keys(spamhaus.zen.meanings).filter(code => code.startsWith('127.0.0.'))

test('Spamhaus lists with the codes of SBL, CSS, DROP, BCL, XBL and PBL', () => {
  assert.deepEqual(
    listingCodes.map(code => Number(code.split('.')[3])),
    [2, 3, 9, 30, 4, 5, 6, 7, 10, 11],
  )
})

for (const code of listingCodes) {
  test(`lookup() says what Spamhaus means by ${code}`, async t => {
    const { servers } = await serve(t, { '1.2.0.192.zen.spamhaus.org': [code] })
    const expected = {
      status: 'listed',
      zone: 'zen.spamhaus.org',
      code,
      meaning: spamhaus.zen.meanings[code],
      also: [],
    }
    assert.deepEqual(await lookup(ADDRESS, spamhaus.zen, { servers }), expected)
    assert.deepEqual(await lookup(ADDRESS, ['zen.spamhaus.org'], { servers }), expected)
  })
}

test('lookup() orders the codes of one answer by number, each once', async t => {
  const { servers } = await serve(t, {
    '1.2.0.192.zen.spamhaus.org': ['127.0.0.10', '127.0.0.4', '127.0.0.99', '127.0.0.4'],
  })
  const { meanings } = spamhaus.zen
  assert.deepEqual(await lookup(ADDRESS, spamhaus.zen, { servers }), {
    status: 'listed',
    zone: 'zen.spamhaus.org',
    code: '127.0.0.4',
    meaning: meanings['127.0.0.4'],
    also: [
      { code: '127.0.0.10', meaning: meanings['127.0.0.10'] },
      { code: '127.0.0.99', meaning: undefined },
    ],
  })
})

for (const code of ['127.255.255.252', '127.255.255.254', '127.255.255.255', '127.255.255.0']) {
  test(`lookup() takes the error code ${code} for neither listed nor clear`, async t => {
    const { servers } = await serve(t, {
      '1.2.0.192.zen.spamhaus.org': [code],
      '1.2.0.192.bl.example': ['127.0.0.2', code],
    })
    const answer = { code, meaning: spamhaus.zen.meanings[code] }
    const listing = await lookup(ADDRESS, 'zen.spamhaus.org', { servers })
    assert.deepEqual(listing, unknown('zone_error', 'zen.spamhaus.org', { answer }))
    const unnamed = { code, meaning: undefined }
    assert.deepEqual(
      await lookup(ADDRESS, 'bl.example', { servers }),
      unknown('zone_error', 'bl.example', { answer: unnamed }),
    )
  })
}

for (const code of ['203.0.113.9', '128.0.0.1', '0.0.0.0', '127.0.0.1']) {
  test(`lookup() takes ${code}, which no list gives, for neither listed nor clear`, async t => {
    const { servers } = await serve(t, { '1.2.0.192.bl.example': [code, '127.0.0.2'] })
    const listing = await lookup(ADDRESS, 'bl.example', { servers })
    assert.deepEqual(
      listing,
      unknown('foreign_answer', 'bl.example', { answer: { code, meaning: undefined } }),
    )
  })
}

test('lookup() takes an answer that is not an IPv4 address for foreign', async () => {
  const resolver = { resolve4: async () => ['127.0.0.2.example'] }
  const listing = await lookup(ADDRESS, 'bl.example', { resolver })
  const answer = { code: '127.0.0.2.example', meaning: undefined }
  assert.deepEqual(listing, unknown('foreign_answer', 'bl.example', { answer }))
})

test('lookup() takes 127.0.0.1 for listed in a zone that gives it a meaning', async t => {
  const { servers } = await serve(t, { '1.2.0.192.bl.example': ['127.0.0.1'] })
  const zone = { name: 'bl.example', meanings: { '127.0.0.1': 'open proxy' } }
  const listing = await lookup(ADDRESS, zone, { servers })
  const code = { code: '127.0.0.1', meaning: 'open proxy' }
  assert.deepEqual(listing, { status: 'listed', zone: 'bl.example', ...code, also: [] })
})

for (const [reply, reason] of [
  ['SERVFAIL', 'server_failure'],
  ['REFUSED', 'refused'],
] as const) {
  test(`lookup() does not know when the server answers ${reply}`, async t => {
    const { servers } = await serve(t, { '1.2.0.192.bl.example': reply })
    const listing = await lookup(ADDRESS, 'bl.example', { servers })
    assert.ok(listing.status === 'unknown', listing.status)
    assert.equal(codeOf(listing.cause), `E${reply}`)
    assert.deepEqual(listing, unknown(reason, 'bl.example', { cause: listing.cause }))
  })
}

test("lookup() does not know when the resolver's own time ran out", async () => {
  const cause = Object.assign(new Error('query timed out'), { code: 'ETIMEOUT' })
  const resolver = { resolve4: () => Promise.reject(cause) }
  const listing = await lookup(ADDRESS, 'bl.example', { resolver })
  assert.deepEqual(listing, unknown('timeout', 'bl.example', { cause }))
})

const thrown: readonly (readonly [what: string, cause: unknown])[] = [
  ['an error', new Error('bad luck')],
  ['an error of another code', Object.assign(new Error('no server'), { code: 'ECONNREFUSED' })],
  ['a bare object', { code: 'EOTHER' }],
  ['a string', 'down'],
  ['null', null],
  ['nothing', undefined],
]

for (const [what, cause] of thrown) {
  test(`lookup() keeps whatever else the resolver threw as the cause: ${what}`, async () => {
    const thrower = (): never => {
      throw cause
    }
    const expected = unknown('resolver_error', 'bl.example', { cause })
    assert.deepEqual(await lookup(ADDRESS, 'bl.example', { resolver: { resolve4: thrower } }), expected)
    const rejecter = { resolve4: async () => thrower() }
    assert.deepEqual(await lookup(ADDRESS, 'bl.example', { resolver: rejecter }), expected)
  })
}

test('lookup() asks all zones before any of them has answered', async t => {
  const { server, servers } = await serve(t, {
    '1.2.0.192.a.example': 'SILENCE',
    '1.2.0.192.b.example': 'SILENCE',
  })
  const controller = new AbortController()
  const options = { servers, signal: controller.signal, timeout: 60_000 }
  const listing = lookup(ADDRESS, ['a.example', 'b.example'], options)
  await server.queries(2)
  controller.abort()
  await listing
  assert.deepEqual([...new Set(server.asked)].sort(), ['1.2.0.192.a.example', '1.2.0.192.b.example'])
})

test('lookup() prefers a listing to what could not be said, and to what is clear', async t => {
  const { servers } = await serve(t, {
    '1.2.0.192.broken.example': 'SERVFAIL',
    '1.2.0.192.lists.example': ['127.0.0.2'],
    '1.2.0.192.too.example': ['127.0.0.3'],
  })
  const zones = ['clear.example', 'broken.example', 'lists.example', 'too.example']
  const listing = await lookup(ADDRESS, zones, { servers })
  assert.ok(listing.status === 'listed', listing.status)
  assert.equal(listing.zone, 'lists.example')
})

test('lookup() names the first zone that could not say, and is clear only if all are', async t => {
  const { servers } = await serve(t, {
    '1.2.0.192.refused.example': 'REFUSED',
    '1.2.0.192.broken.example': 'SERVFAIL',
  })
  const zones = ['clear.example', 'refused.example', 'broken.example', 'too.example']
  const listing = await lookup(ADDRESS, zones, { servers })
  assert.ok(listing.status === 'unknown', listing.status)
  assert.equal(listing.zone, 'refused.example')
  assert.equal(listing.reason, 'refused')
})

test('lookup() lets the order of the zones decide, not the order of the answers', async () => {
  let answerFirst: (records: string[]) => void = () => undefined
  const resolver = fake({
    '1.2.0.192.a.example': new Promise(resolve => (answerFirst = resolve)),
    '1.2.0.192.b.example': Promise.resolve(['127.0.0.3']),
  })
  const listing = lookup(ADDRESS, ['a.example', 'b.example'], { resolver })
  await setImmediate()
  answerFirst(['127.0.0.2'])
  const code = { code: '127.0.0.2', meaning: undefined }
  assert.deepEqual(await listing, { status: 'listed', zone: 'a.example', ...code, also: [] })
})

test('lookup() does not wait for the zones behind the one that lists', async () => {
  const resolver: NameResolver = {
    resolve4: name => (name.endsWith('a.example') ? Promise.resolve(['127.0.0.2']) : NEVER.resolve4(name)),
  }
  const listing = await lookup(ADDRESS, ['a.example', 'b.example'], { resolver })
  assert.equal(listing.status, 'listed')
})

test('lookup() refuses what is not an address, no zones and wrong zones', async () => {
  await assert.rejects(lookup('client.example', 'bl.example'), {
    name: 'TypeError',
    message: /^address must be /,
  })
  await assert.rejects(lookup(ADDRESS, 'bl example'), { name: 'TypeError', message: /^zone must be / })
  await assert.rejects(lookup(ADDRESS, []), {
    name: 'RangeError',
    message: 'zones must have at least one zone, got none',
  })
})

for (const timeout of [0, -1, NaN, Infinity, 2 ** 31]) {
  test(`lookup() refuses a timeout of ${timeout}`, async () => {
    const message = `timeout must be milliseconds from 1 to 2147483647, got ${timeout}`
    await assert.rejects(lookup(ADDRESS, 'bl.example', { timeout }), { name: 'RangeError', message })
  })
}

test('lookup() refuses options of the wrong type', async () => {
  // What a caller without types may pass.
  const wrong = (options: object): LookupOptions => options
  await assert.rejects(lookup(ADDRESS, 'bl.example', wrong({ timeout: '1' })), {
    name: 'RangeError',
    message: 'timeout must be milliseconds from 1 to 2147483647, got "1"',
  })
  await assert.rejects(lookup(ADDRESS, 'bl.example', wrong({ resolver: {} })), {
    name: 'TypeError',
    message: 'resolver must be an object with resolve4(), got {  }',
  })
  await assert.rejects(lookup(ADDRESS, 'bl.example', wrong({ servers: '127.0.0.1' })), {
    name: 'TypeError',
    message: 'servers must be a list of addresses, got "127.0.0.1"',
  })
})

test('lookup() refuses servers that cannot be asked', async () => {
  await assert.rejects(lookup(ADDRESS, 'bl.example', { servers: [] }), {
    name: 'RangeError',
    message: 'servers must have at least one address, got none',
  })
  await assert.rejects(lookup(ADDRESS, 'bl.example', { servers: ['127.0.0.1', 'localhost'] }), {
    name: 'TypeError',
    message: /^name server must be an IP address with or without a port, .*, got "localhost"$/,
  })
  await assert.rejects(lookup(ADDRESS, 'bl.example', { servers: ['127.0.0.1'], resolver: NEVER }), {
    name: 'TypeError',
    message: 'servers must be undefined beside a resolver, got both',
  })
})
