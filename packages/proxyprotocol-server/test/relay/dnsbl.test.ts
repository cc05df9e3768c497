// Relays that ask block lists about their clients.

import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { encodeHeader, parseHeader, type HeaderInit } from 'proxyprotocol'
import { extensionTlv, readExtension } from 'proxyprotocol/server'
import { startDnsServer, type DnsServer, type Reply } from 'test-support/dns-server'
import { content } from 'test-support/sockets'
import { parseService, type BlockListsInit, type ServiceOptions } from '../../src/config/index.ts'
import { startRelay, type TestRelay } from '../support/relay.ts'
import { dial, listen, outcome, type Listener } from '../support/connections.ts'
import { atEnd } from '../support/teardown.ts'

const source = { address: '192.0.2.1', port: 56_324 }
const destination = { address: '198.51.100.7', port: 443 }
const listed = { '1.2.0.192.bl.example': ['127.0.0.2'], '1.0.0.127.bl.example': ['127.0.0.2'] }

interface Scene {
  readonly dns: DnsServer
  readonly relay: TestRelay
  readonly upstream: Listener
  /** What a client announced by this header, or one of its own, sends on to the upstream. */
  readonly send: (header?: HeaderInit) => Promise<Buffer>
}

async function scene(
  t: TestContext,
  table: Readonly<Record<string, Reply>>,
  dnsbl: Partial<BlockListsInit> & { sends?: string; direct?: true } = {},
): Promise<Scene> {
  const { sends = '', direct, ...settings } = dnsbl
  const dns = await startDnsServer(table)
  atEnd(t, () => dns.close())
  const upstream = await listen(t)
  const options: ServiceOptions = {
    dnsbl: { zones: ['bl.example'], servers: [dns.address], ...settings },
    ...(direct ? {} : { trust: ['127.0.0.1'] }),
  }
  const relay = await startRelay(t, `127.0.0.1:${upstream.port}${sends}`, {
    source: direct ? '127.0.0.1:0' : '127.0.0.1:0?pp=detect',
    ...options,
  })
  const send = async (header?: HeaderInit): Promise<Buffer> => {
    const client = dial(t, relay.port)
    if (header) client.write(encodeHeader(header))
    client.end('hello')
    const far = await upstream.accept()
    const received = await content(far)
    far.end()
    client.resume()
    return received
  }
  return { dns, relay, upstream, send }
}

function told(bytes: Buffer): string | undefined {
  return readExtension(parseHeader(bytes.subarray(0, -5)))?.dnsbl
}

test('a listed client is tagged with the zone for the upstream, and its record says so', async t => {
  const { relay, send } = await scene(t, listed)
  assert.equal(told(await send({ source, destination })), 'bl.example')
  const record = await relay.record()
  assert.equal(record.listing?.status, 'listed')
  assert.equal(record.reason, 'done')
  assert.equal(relay.listings?.listed, 1)
})

test('a client without a proxy in front is asked about by its own address', async t => {
  const { dns, send } = await scene(t, listed, { direct: true })
  assert.equal(told(await send()), 'bl.example')
  assert.deepEqual(dns.asked, ['1.0.0.127.bl.example'])
})

test('what the proxy in front says in the extension TLV stays, beside the listing', async t => {
  const { send } = await scene(t, listed)
  const bytes = await send({ source, destination, tlvs: [extensionTlv({ secretBits: 256 })] })
  const extension = readExtension(parseHeader(bytes.subarray(0, -5)))
  assert.deepEqual([extension?.secretBits, extension?.dnsbl], [256, 'bl.example'])
})

test('a version 1 header has no place for a listing, and an upstream without header none at all', async t => {
  for (const direct of [true, undefined]) {
    const header = direct ? undefined : { source, destination }
    const v1 = await scene(t, listed, { sends: '?pp=v1', ...(direct && { direct }) })
    assert.match((await v1.send(header)).toString(), /^PROXY TCP4 \S+ \S+ \d+ \d+\r\nhello$/)
    const none = await scene(t, listed, { sends: '?pp=noop', ...(direct && { direct }) })
    assert.equal((await none.send(header)).toString(), 'hello')
  }
})

test('a client that no list knows, or of which nothing is known in time, gets in without a tag', async t => {
  const { relay, send } = await scene(
    t,
    { '1.2.0.192.bl.example': 'SILENCE' },
    { timeout: 300, action: 'reject' },
  )
  assert.equal(told(await send({ source, destination })), undefined)
  assert.equal(told(await send({ source: { ...source, address: '192.0.2.2' }, destination })), undefined)
  assert.deepEqual([relay.listings?.unknown.timeout, relay.listings?.clear], [1, 1])
  assert.deepEqual(
    [(await relay.record(0)).listing?.status, (await relay.record(1)).listing?.status],
    ['unknown', 'clear'],
  )
})

test('with reject a listed client is reset, for the reason denied_dnsbl, and no upstream hears of it', async t => {
  const { relay, upstream } = await scene(t, listed, { action: 'reject' })
  const client = dial(t, relay.port)
  client.write(encodeHeader({ source, destination }))
  assert.equal((await outcome(client)).error, 'ECONNRESET')
  const { reason, error, listing } = await relay.record()
  assert.deepEqual([reason, listing?.status], ['denied_dnsbl', 'listed'])
  assert.equal(error?.message, 'the source address is listed in a DNSBL: bl.example')
  assert.equal(upstream.accepted, 0)
})

test('with log no connection waits for an answer, and the record has what came until then', async t => {
  const { relay, send } = await scene(
    t,
    { '1.2.0.192.bl.example': 'SILENCE' },
    { action: 'log', timeout: 60_000 },
  )
  assert.equal(told(await send({ source, destination })), undefined)
  assert.equal((await relay.record()).listing, undefined)
  const answered = await scene(t, listed, { action: 'log' })
  const client = dial(t, answered.relay.port)
  client.write(encodeHeader({ source, destination }))
  const far = await answered.upstream.accept()
  while (answered.relay.listings?.listed === 0) await new Promise(setImmediate)
  client.end()
  assert.equal(told(Buffer.concat([await content(far), Buffer.from('hello')])), undefined)
  far.end()
  client.resume()
  assert.equal((await answered.relay.record()).listing?.status, 'listed')
})

test('a service that asks no lists has no answers', async t => {
  const relay = await startRelay(t, '127.0.0.1:1')
  assert.equal(relay.listings, undefined)
})

test('clients that end while a list is being asked are reset as such', async t => {
  const { dns, relay, upstream } = await scene(t, { '1.2.0.192.bl.example': 'SILENCE' }, { timeout: 60_000 })
  const client = dial(t, relay.port)
  client.write(encodeHeader({ source, destination }))
  await dns.queries(1)
  client.resetAndDestroy()
  const { reason } = await relay.record()
  assert.equal(reason, 'client_reset')
  assert.equal(upstream.accepted, 0)
})

test("what is wrong with a service's block lists is said", () => {
  const parse = (dnsbl: BlockListsInit): unknown => parseService(':1', '127.0.0.1:2', { dnsbl })
  assert.throws(() => parse({ zones: [] }), /dnsbl\.zones/)
  assert.throws(
    () => parse({ zones: ['bl example'] }),
    /dnsbl\.zones\[0\]: "bl example" is not the name of a zone/,
  )
  assert.throws(
    () => parse({ zones: ['bl.example'], servers: ['localhost'] }),
    /dnsbl\.servers\[0\]: name server must be an IP address .*, got "localhost"/,
  )
  assert.throws(
    () => parse({ zones: ['bl.example'], timeout: 5 }),
    /dnsbl\.timeout must be an integer from 10 to/,
  )
})

test("a customer's name of a Spamhaus zone brings the zone's meanings, which keep the key out of sight", async t => {
  const { zones } =
    parseService(':1', '127.0.0.1:2', { dnsbl: { zones: ['KEY.zen.dq.spamhaus.net'] } }).dnsbl ?? {}
  const [zone] = zones ?? []
  assert.ok(typeof zone === 'object')
  assert.deepEqual(
    [zone.name, zone.meanings['127.0.0.4']],
    ['KEY.zen.dq.spamhaus.net', 'XBL: infected or exploited machine'],
  )
  const table = { '1.2.0.192.key.zen.dq.spamhaus.net': ['127.0.0.4'] }
  const { send } = await scene(t, table, { zones: ['key.zen.dq.spamhaus.net'] })
  assert.equal(told(await send({ source, destination })), 'XBL: infected or exploited machine')
})
