// Relays behind other proxies: whose headers are believed, and what of them goes on.

import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import {
  encodeHeader,
  parseHeader,
  readTlvs,
  tlv,
  tlvType,
  type HeaderInit,
  type ProxyHeader,
  type Tlv,
} from 'proxyprotocol'
import { extensionTlv, readExtension } from 'proxyprotocol/server'
import { until } from 'test-support/sockets'
import type { ServiceOptions } from '../../src/config/index.ts'
import { passed, startRelay, type TestRelay } from '../support/relay.ts'
import { chunk, dial, listen, outcome, type Listener } from '../support/connections.ts'

const source = { address: '192.0.2.1', port: 56_324 }
const destination = { address: '198.51.100.7', port: 443 }
const trust = ['127.0.0.1']

interface Chain {
  readonly relay: TestRelay
  readonly upstream: Listener
  /** Sends a header as the proxy in front does; resolves with all that the upstream is sent. */
  readonly send: (header: HeaderInit | Uint8Array, payload?: string) => Promise<Buffer>
}

async function startChain(t: TestContext, sends = '', options: ServiceOptions = {}): Promise<Chain> {
  const upstream = await listen(t)
  const relay = await startRelay(t, `127.0.0.1:${upstream.port}${sends}`, {
    source: '127.0.0.1:0?pp=detect',
    trust,
    ...options,
  })
  const send = (header: HeaderInit | Uint8Array, payload = ''): Promise<Buffer> => {
    const bytes = header instanceof Uint8Array ? header : encodeHeader(header)
    return passed(t, relay, upstream, Buffer.concat([bytes, Buffer.from(payload)]))
  }
  return { relay, upstream, send }
}

/** Types and values, to be compared. */
function shown({ tlvs }: Pick<ProxyHeader, 'tlvs'>): readonly [type: number, hex: string][] {
  return tlvs.map(({ type, value }) => [type, Buffer.from(value).toString('hex')])
}

for (const version of [1, 2] as const) {
  test(`the client of a version ${version} header goes on in either version, and its payload after it`, async t => {
    const v2 = await startChain(t)
    const bytes = await v2.send({ version, source, destination }, 'hello')
    const header = parseHeader(bytes.subarray(0, -5))
    assert.equal(bytes.subarray(-5).toString(), 'hello')
    assert.ok(header.version === 2 && header.family === 'INET')
    assert.deepEqual([header.source, header.destination], [source, destination])
    const v1 = await startChain(t, '?pp=v1')
    const line = 'PROXY TCP4 192.0.2.1 198.51.100.7 56324 443\r\n'
    assert.equal((await v1.send({ version, source, destination }, 'hello')).toString(), `${line}hello`)
    const noop = await startChain(t, '?pp=noop')
    assert.equal((await noop.send({ version, source, destination }, 'hello')).toString(), 'hello')
  })
}

test("a record names the peer, the client behind it, and the front proxy's id of the connection", async t => {
  const { relay, send } = await startChain(t)
  await send({ source, destination, tlvs: [tlv.uniqueId('front-7')] }, 'hello')
  const record = await relay.record()
  assert.ok(record.peer && 'address' in record.peer)
  assert.equal(record.peer.address, '127.0.0.1')
  assert.deepEqual([record.source, record.destination], [source, destination])
  assert.equal(Buffer.from(record.uniqueId ?? []).toString(), 'front-7')
  assert.deepEqual([record.reason, record.bytesUp], ['done', 5])
})

test('UNIX paths and datagram transports go on as they came, and are UNKNOWN in version 1', async t => {
  const v2 = await startChain(t)
  const v1 = await startChain(t, '?pp=v1')
  const unix = { source: { path: '/run/client' }, destination: { path: '/run/app' } }
  const header = parseHeader(await v2.send(unix))
  assert.ok(header.family === 'UNIX')
  assert.deepEqual([header.source, header.destination], [unix.source, unix.destination])
  const datagrams = parseHeader(await v2.send({ source, destination, transport: 'DGRAM' }))
  assert.equal(datagrams.transport, 'DGRAM')
  assert.equal((await v1.send(unix)).toString(), 'PROXY UNKNOWN\r\n')
})

test('LOCAL goes on as LOCAL with an id of its own and nothing of its block, and as UNKNOWN in version 1', async t => {
  const v2 = await startChain(t)
  const tooLong: Tlv = { type: tlvType.uniqueId, value: new Uint8Array(129) } // which LOCAL may have, and no other
  const bytes = encodeHeader({ command: 'LOCAL', tlvs: [{ ...tooLong, type: 0xe3 }] })
  bytes[16] = tooLong.type
  const header = parseHeader(await v2.send(bytes))
  assert.equal(header.command, 'LOCAL')
  const { id } = await v2.relay.record()
  assert.deepEqual(shown(header), [[tlvType.uniqueId, id.replaceAll('-', '')]])
  const v1 = await startChain(t, '?pp=v1')
  assert.equal((await v1.send({ command: 'LOCAL' })).toString(), 'PROXY UNKNOWN\r\n')
})

test('UNKNOWN stays unknown: the front proxy is never passed off as the client', async t => {
  const v2 = await startChain(t)
  const header = parseHeader(await v2.send(Buffer.from('PROXY UNKNOWN\r\n')))
  assert.deepEqual([header.command, header.family], ['PROXY', 'UNSPEC'])
  const v1 = await startChain(t, '?pp=v1')
  assert.equal((await v1.send({ family: 'UNSPEC' })).toString(), 'PROXY UNKNOWN\r\n')
})

test('TLVs about the client go on in their order, in place of our own; what has no known meaning does not', async t => {
  const { relay, send } = await startChain(t)
  const passed = [
    tlv.uniqueId('front-7'),
    tlv.authority('example.org'),
    tlv.alpn('h2'),
    tlv.ssl({ version: 'TLSv1.3', cipher: 'TLS_AES_128_GCM_SHA256' }),
    tlv.aws('vpce-08d2bf15fac5001c9'),
    tlv.azure(7),
    tlv.gcp(8n),
  ]
  const dropped = [tlv.noop(3), tlv.netns('blue'), { type: 0xe5, value: Buffer.from('secret') }]
  const header = parseHeader(await send({ source, destination, tlvs: [...dropped, ...passed] }))
  assert.deepEqual(shown(header), shown({ tlvs: passed }))
  const plain = parseHeader(await send({ source, destination }))
  assert.deepEqual(shown(plain), [[tlvType.uniqueId, (await relay.record(1)).id.replaceAll('-', '')]])
})

test('which TLVs go on is an option', async t => {
  const { send } = await startChain(t, '', { pass: [0xe5] })
  const own = { type: 0xe5, value: Buffer.from('ours') }
  const header = parseHeader(await send({ source, destination, tlvs: [tlv.authority('example.org'), own] }))
  assert.deepEqual(
    header.tlvs.map(({ type }) => type),
    [tlvType.uniqueId, 0xe5],
  )
})

test('the extension of the Python library goes on', async t => {
  const { send } = await startChain(t)
  const extension = {
    secretBits: 256,
    dnsbl: 'bl.example',
    peercert: { subject: 'me' },
    compression: undefined,
  }
  const header = parseHeader(await send({ source, destination, tlvs: [extensionTlv(extension)] }))
  assert.deepEqual(readExtension(header), extension)
})

test('of the extension of the Python library, TLVs of unknown types do not go on', async t => {
  const { send } = await startChain(t)
  const [known, unknown] = [4, 9].map(type => ({ type, value: Uint8Array.of(0x78) }))
  assert.ok(known && unknown)
  const tlvs = [tlv.extension([unknown, known])]
  assert.deepEqual(readTlvs(parseHeader(await send({ source, destination, tlvs }))).extension, [known])
})

test('a checksum is computed anew, and there is one only where one came', async t => {
  const { send } = await startChain(t)
  const tlvs = [tlv.authority('example.org')]
  const inbound = encodeHeader({ source, destination, tlvs }, { checksum: true })
  const header = parseHeader(await send(inbound)) // which verifies it
  const checksums = (each: ProxyHeader): readonly Tlv[] =>
    each.tlvs.filter(({ type }) => type === tlvType.checksum)
  const [before] = checksums(parseHeader(inbound))
  const [after, ...more] = checksums(header)
  assert.ok(before && after && more.length === 0)
  assert.notDeepEqual(after.value, before.value)
  assert.deepEqual(checksums(parseHeader(await send({ source, destination, tlvs }))), [])
})

test('a header that would be longer than a header can be is refused before the upstream is connected to', async t => {
  const { relay, upstream } = await startChain(t, '', { limits: { headerBytes: 65_551 }, pass: [0xe5] })
  const largest = 65_551 - 28 - 3
  const client = dial(t, relay.port)
  client.write(encodeHeader({ source, destination, tlvs: [{ type: 0xe5, value: new Uint8Array(largest) }] }))
  const { fin } = await outcome(client)
  assert.equal(fin, false)
  const { reason, error } = await relay.record()
  assert.equal(reason, 'header_invalid')
  assert.match(
    error?.message ?? '',
    /malformed: it cannot be sent on: a header has at most 65551 bytes, this one would/,
  )
  assert.equal(upstream.accepted, 0)
  assert.equal(relay.server.stats().closed.header_invalid, 1)
})

test('who is not trusted, or sends no header, reaches no upstream', async t => {
  const { relay: untrusting, upstream } = await startChain(t)
  const strangers = await startRelay(t, `127.0.0.1:${upstream.port}`, {
    source: '127.0.0.1:0?pp=detect',
    trust: ['192.0.2.1'],
  })
  const cases = [
    [strangers, encodeHeader({ source, destination }), 'untrusted_peer'],
    [untrusting, 'GET / HTTP/1.1\r\n\r\n', 'header_missing'],
    [untrusting, 'PROXY TCP4 192.0.2.1\r\n', 'header_invalid'],
  ] as const
  for (const [relay, bytes, reason] of cases) {
    const client = dial(t, relay.port)
    client.write(bytes)
    await outcome(client)
    await until(() => relay.server.stats().closed[reason] === 1)
    assert.deepEqual(relay.records, [])
  }
  assert.equal(upstream.accepted, 0)
})

test('a version that the listen address does not name is refused', async t => {
  const upstream = await listen(t)
  const relay = await startRelay(t, `127.0.0.1:${upstream.port}`, { source: '127.0.0.1:0?pp=v2', trust })
  const client = dial(t, relay.port)
  client.write(encodeHeader({ version: 1, source, destination }))
  await outcome(client)
  await until(() => relay.server.stats().closed.header_missing === 1)
})

test('100 probes that send nothing open no upstream connection and are no warning', async t => {
  const { relay, upstream } = await startChain(t)
  await Promise.all(
    Array.from({ length: 100 }, async (_, i) => {
      const client = dial(t, relay.port)
      await new Promise(resolve => client.once('connect', resolve))
      const closed = outcome(client)
      if (i % 2 === 0) client.end()
      else client.resetAndDestroy()
      await closed
    }),
  )
  await until(() => relay.server.stats().active === 0 && relay.server.stats().accepted === 100)
  const { probe, client_reset: resets } = relay.server.stats().closed
  assert.equal(probe + resets, 100)
  assert.ok(probe >= 50)
  assert.deepEqual([relay.records.length, upstream.accepted], [0, 0])
})

test('without a header to wait for the upstream is connected to at once, and may speak first', async t => {
  const upstream = await listen(t)
  const relay = await startRelay(t, `127.0.0.1:${upstream.port}?pp=noop`)
  const client = dial(t, relay.port)
  const far = await upstream.accept()
  far.write('220 ready')
  assert.equal((await chunk(client)).toString(), '220 ready')
})
