// The lines of the contract about clients, their headers and their flows.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decodeDatagram, encodeDatagram, encodeHeader, encodeSpp } from 'proxyprotocol'
import { until } from 'test-support/sockets'
import { answering, peer, startDatagrams } from '../../support/datagrams.ts'

const destination = { address: '192.0.2.1', port: 53 }
const LISTEN = { listen: 'udp://127.0.0.1:0?pp=v2', trust: ['127.0.0.1'] } as const

function from(address: string, payload: string, port = 5_353): Uint8Array {
  return encodeDatagram({ source: { address, port }, destination }, Buffer.from(payload))
}

test('contract U3: LOCAL goes on as LOCAL, and its answer comes back without a header', async t => {
  const upstream = await answering(t)
  const relay = await startDatagrams(t, `udp://127.0.0.1:${upstream.port}`, LISTEN)
  const proxy = await peer(t)
  await proxy.send(encodeDatagram({ command: 'LOCAL' }, Buffer.from('check')), relay.port)
  const [datagram] = await upstream.take()
  const result = decodeDatagram(datagram)
  assert.ok(result.status === 'header')
  assert.equal(result.header.command, 'LOCAL')
  assert.deepEqual((await proxy.take())[0], datagram)
  await relay.relay.server.abort()
  assert.deepEqual(relay.records[0]?.source, { address: '127.0.0.1', port: proxy.port })
})

test('contract U5: replies carry the 38 bytes of Spectrum, and nothing with version 2', async t => {
  const upstream = await answering(t)
  const to = `udp://127.0.0.1:${upstream.port}?pp=noop`
  const trust = ['127.0.0.1']
  const spp = await startDatagrams(t, to, { listen: 'udp://127.0.0.1:0?pp=spp', trust })
  const v2 = await startDatagrams(t, to, LISTEN)
  const proxy = await peer(t)
  const query = encodeSpp({ source: { address: '203.0.113.7', port: 5_353 }, destination }, Buffer.from('q'))
  await proxy.send(query, spp.port)
  assert.deepEqual((await proxy.take())[0], Buffer.from(query))
  await proxy.send(from('203.0.113.7', 'q'), v2.port)
  assert.equal(await proxy.text(), 'q')
  const unnamed = encodeSpp({ source: { address: '203.0.113.7', port: 0 }, destination }, Buffer.from('q'))
  await proxy.send(unnamed, spp.port)
  await proxy.send('V', spp.port)
  await until(() => spp.figures().received === 4)
  const { source_port, header_missing, header_invalid } = spp.figures().dropped
  assert.deepEqual([source_port, header_missing + header_invalid], [1, 1])
})

test('contract U6: two clients behind one port of a proxy have a flow each', async t => {
  const upstream = await peer(t)
  const relay = await startDatagrams(t, `udp://127.0.0.1:${upstream.port}?pp=noop`, LISTEN)
  const proxy = await peer(t)
  await proxy.send(from('203.0.113.7', 'one'), relay.port)
  const [, one] = await upstream.take()
  await proxy.send(from('203.0.113.8', 'two'), relay.port)
  const [, two] = await upstream.take()
  await proxy.send(from('203.0.113.7', 'again'), relay.port)
  const [, again] = await upstream.take()
  assert.notEqual(one.port, two.port)
  assert.equal(again.port, one.port)
  assert.equal(relay.figures().flows.active, 2)
})

test('contract U6: with unsafe-first a known peer is never parsed again, and a full table refuses the next', async t => {
  const upstream = await answering(t)
  const relay = await startDatagrams(t, `udp://127.0.0.1:${upstream.port}?pp=noop`, {
    ...{ listen: 'udp://127.0.0.1:0?pp=unsafe-first', trust: 'anyone', limits: { flows: 1 } },
  })
  const [proxy, other] = [await peer(t), await peer(t)]
  const header = encodeHeader({
    version: 1,
    family: 'INET',
    source: { address: '203.0.113.66', port: 5_353 },
    destination,
  })
  await proxy.send(header, relay.port)
  const forged = from('10.0.0.1', 'as admin')
  await proxy.send(forged, relay.port)
  assert.deepEqual((await proxy.take())[0], Buffer.from(forged))
  await other.send(header, relay.port)
  await until(() => relay.figures().dropped.limit_flows === 1)
  await relay.relay.server.abort()
  assert.deepEqual(relay.records[0]?.source, { address: '203.0.113.66', port: 5_353 })
})

test('contract U6: with unsafe-first a peer is forged neither after its flow has ended nor by a datagram without header', async t => {
  const upstream = await answering(t)
  const relay = await startDatagrams(t, `udp://127.0.0.1:${upstream.port}?pp=noop`, {
    ...{ listen: 'udp://127.0.0.1:0?pp=unsafe-first', trust: 'anyone', replies: 1 },
  })
  const proxy = await peer(t)
  await proxy.send('no header', relay.port)
  await proxy.send(from('203.0.113.66', 'hello'), relay.port)
  assert.equal(await proxy.text(), 'hello')
  assert.equal((await relay.record()).reason, 'done')
  const forged = from('10.0.0.1', 'as admin')
  await proxy.send(forged, relay.port)
  assert.deepEqual((await proxy.take())[0], Buffer.from(forged))
  assert.deepEqual((await relay.record(1)).source, { address: '203.0.113.66', port: 5_353 })
  assert.equal(relay.figures().dropped.header_missing, 1)
})

test('contract U6: with unsafe-first replies keep a peer known, as they keep the session of nginx', async t => {
  t.mock.timers.enable({ apis: ['setInterval'] })
  const upstream = await peer(t)
  const relay = await startDatagrams(t, `udp://127.0.0.1:${upstream.port}?pp=noop`, {
    ...{ listen: 'udp://127.0.0.1:0?pp=unsafe-first', trust: 'anyone' },
    timeouts: { flow: '2s', confirmed: '2s' },
  })
  const proxy = await peer(t)
  await proxy.send(from('203.0.113.66', 'hello'), relay.port)
  const [, { port }] = await upstream.take()
  for (let second = 0; second < 5; second++) {
    t.mock.timers.tick(1_000)
    await upstream.send('news', port)
    await proxy.take()
  }
  const forged = from('10.0.0.1', 'as admin')
  await proxy.send(forged, relay.port)
  assert.deepEqual((await upstream.take())[0], Buffer.from(forged))
})

test('contract U7: a flow is confirmed by a datagram after a reply, and each kind has its timeout', async t => {
  t.mock.timers.enable({ apis: ['setInterval'] })
  const upstream = await answering(t)
  const relay = await startDatagrams(t, `udp://127.0.0.1:${upstream.port}?pp=noop`, {
    timeouts: { flow: '1s', confirmed: '1h' },
  })
  const [once, again] = [await peer(t), await peer(t)]
  await again.send('one', relay.port)
  await again.text()
  await again.send('two', relay.port)
  await again.text()
  assert.deepEqual([relay.figures().flows.active, relay.figures().flows.confirmed], [1, 1])
  await once.send('one', relay.port)
  await once.text()
  for (let second = 0; second < 3; second++) t.mock.timers.tick(1_000)
  const { reason, peer: ended } = await relay.record()
  assert.equal(reason, 'idle_timeout')
  assert.deepEqual(ended, { address: '127.0.0.1', port: once.port })
  assert.deepEqual([relay.figures().flows.active, relay.figures().flows.confirmed], [1, 1])
})

test('contract U8: a full table gives up its oldest new flow, and refuses if all are confirmed', async t => {
  const upstream = await answering(t)
  const relay = await startDatagrams(t, `udp://127.0.0.1:${upstream.port}?pp=noop`, { limits: { flows: 2 } })
  const clients = [await peer(t), await peer(t), await peer(t), await peer(t)] as const
  for (const client of clients.slice(0, 3)) {
    await client.send('one', relay.port)
    await client.text()
  }
  const { reason, peer: evicted } = await relay.record()
  assert.deepEqual([reason, evicted], ['evicted', { address: '127.0.0.1', port: clients[0].port }])
  for (const client of clients.slice(1, 3)) {
    await client.send('two', relay.port)
    await client.text()
  }
  await clients[3].send('one', relay.port)
  await until(() => relay.figures().dropped.limit_flows === 1)
  assert.equal(relay.figures().flows.confirmed, 2)
})

test('contract U9: one source has so many flows, and so many new ones in a time', async t => {
  const upstream = await answering(t)
  const relay = await startDatagrams(t, `udp://127.0.0.1:${upstream.port}?pp=noop`, {
    ...LISTEN,
    limits: { perSource: 2 },
    rate: { connections: 3, per: '1h', exempt: ['203.0.113.9'] },
  })
  const proxy = await peer(t)
  const send = (address: string, port: number): Promise<void> =>
    proxy.send(from(address, 'x', port), relay.port)
  for (const port of [1, 2, 3]) await send('203.0.113.7', port)
  await until(() => relay.figures().dropped.limit_source === 1)
  await send('203.0.113.7', 4)
  await until(() => relay.figures().dropped.limit_rate === 1)
  for (const port of [1, 2, 3, 4]) await send('203.0.113.9', port)
  await until(() => relay.figures().flows.active === 6)
})

test('allow and deny judge the client of the header, and a client over them gets no flow', async t => {
  const upstream = await answering(t)
  const relay = await startDatagrams(t, `udp://127.0.0.1:${upstream.port}?pp=noop`, {
    ...{ ...LISTEN, deny: ['203.0.113.0/24'] },
  })
  const proxy = await peer(t)
  await proxy.send(from('203.0.113.7', 'no'), relay.port)
  await proxy.send(from('198.51.100.7', 'yes'), relay.port)
  assert.equal(await proxy.text(), 'yes')
  assert.equal(relay.figures().dropped.denied_acl, 1)
  assert.equal(relay.relay.reloadNetworks(), undefined)
  assert.equal(relay.relay.reloadCertificates(), false)
})

test('TLVs go on if they are passed', async t => {
  const upstream = await peer(t)
  const relay = await startDatagrams(t, `udp://127.0.0.1:${upstream.port}`, LISTEN)
  const proxy = await peer(t)
  const tlvs = [
    { type: 0x05, value: Buffer.from('id') },
    { type: 0xe5, value: Buffer.from('x') },
  ]
  const header = { source: { address: '203.0.113.7', port: 1 }, destination, tlvs }
  await proxy.send(encodeDatagram(header, Buffer.from('x')), relay.port)
  const result = decodeDatagram((await upstream.take())[0])
  assert.ok(result.status === 'header')
  assert.deepEqual(
    result.header.tlvs.map(({ type }) => type),
    [0x05],
  )
})
