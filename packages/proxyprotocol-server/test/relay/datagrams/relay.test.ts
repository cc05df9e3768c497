// The flows of a relay of datagrams, between real sockets.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decodeDatagram, encodeDatagram } from 'proxyprotocol'
import { until } from 'test-support/sockets'
import { answering, peer, startDatagrams } from '../../support/datagrams.ts'

test('a datagram goes to the upstream behind a version 2 header about its client, and the reply comes back bare', async t => {
  const upstream = await peer(t)
  const relay = await startDatagrams(t, `udp://127.0.0.1:${upstream.port}`)
  const client = await peer(t)
  await client.send('ping', relay.port)
  const [datagram, from] = await upstream.take()
  const result = decodeDatagram(datagram)
  assert.ok(result.status === 'header')
  const { header, payload } = result
  assert.equal(header.transport, 'DGRAM')
  assert.deepEqual(header.source, { address: '127.0.0.1', port: client.port })
  assert.deepEqual(header.destination, { address: '127.0.0.1', port: relay.port })
  assert.equal(String(payload), 'ping')
  await upstream.send('pong', from.port)
  const [reply, replier] = await client.take()
  assert.equal(String(reply), 'pong')
  assert.equal(replier.port, relay.port)
  const { up, down } = relay.figures()
  assert.deepEqual({ up, down }, { up: { datagrams: 1, bytes: 4 }, down: { datagrams: 1, bytes: 4 } })
})

test('pp=noop on both sides relays payload alone', async t => {
  const upstream = await answering(t, bytes => `got ${String(bytes)}`)
  const relay = await startDatagrams(t, `udp://127.0.0.1:${upstream.port}?pp=noop`)
  const client = await peer(t)
  await client.send('ping', relay.port)
  assert.equal(await client.text(), 'got ping')
})

test('contract U1: an untrusted peer, a datagram without a header and a source port of 0 are dropped and counted', async t => {
  const upstream = await peer(t)
  const to = `udp://127.0.0.1:${upstream.port}?pp=noop`
  const refusing = await startDatagrams(t, to, { listen: 'udp://127.0.0.1:0?pp=v2', trust: ['192.0.2.1'] })
  const relay = await startDatagrams(t, to, { listen: 'udp://127.0.0.1:0?pp=v2', trust: ['127.0.0.1'] })
  const proxy = await peer(t)
  const header = {
    source: { address: '203.0.113.7', port: 0 },
    destination: { address: '192.0.2.1', port: 53 },
  }
  await proxy.send(encodeDatagram(header, Buffer.from('x')), refusing.port)
  await proxy.send('no header', relay.port)
  await proxy.send(Buffer.from('0d0a0d0a000d0a515549540a2f120000', 'hex'), relay.port)
  await proxy.send(encodeDatagram(header, Buffer.from('x')), relay.port)
  await until(() => refusing.figures().received === 1 && relay.figures().received === 3)
  assert.equal(refusing.figures().dropped.untrusted_peer, 1)
  const { header_missing, header_invalid, source_port } = relay.figures().dropped
  assert.deepEqual(
    { header_missing, header_invalid, source_port },
    { header_missing: 1, header_invalid: 1, source_port: 1 },
  )
  assert.deepEqual([upstream.waiting.length, proxy.waiting.length], [0, 0])
})
