// The lines of the contract about upstreams, replies and the end.

import assert from 'node:assert/strict'
import dgram from 'node:dgram'
import type { LookupAddress } from 'node:dns'
import { test } from 'node:test'
import { decodeSpp, encodeSpp } from 'proxyprotocol'
import { until } from 'test-support/sockets'
import { answerAtOnce } from '../../../src/relay/upstreams/index.ts'
import { answering, peer, startDatagrams } from '../../support/datagrams.ts'
import { atEnd } from '../../support/teardown.ts'

type Target = Parameters<dgram.Socket['connect']>

test('contract U11: a late reply never reaches another client', async t => {
  const upstream = await peer(t)
  const relay = await startDatagrams(t, `udp://127.0.0.1:${upstream.port}?pp=noop`, { replies: 1 })
  const [one, two] = [await peer(t), await peer(t)]
  await one.send('one', relay.port)
  const [, first] = await upstream.take()
  await upstream.send('reply', first.port)
  await one.take()
  await relay.record()
  await two.send('two', relay.port)
  const [, second] = await upstream.take()
  await upstream.send('late', first.port)
  await upstream.send('reply', second.port)
  assert.equal(await two.text(), 'reply')
  assert.deepEqual([one.waiting.length, two.waiting.length], [0, 0])
})

test('contract U12: flows to an upstream of Spectrum share a socket, and a reply to no flow is dropped', async t => {
  const upstream = await peer(t)
  const relay = await startDatagrams(t, `udp://127.0.0.1:${upstream.port}?pp=spp`)
  const [one, two] = [await peer(t), await peer(t)]
  await one.send('one', relay.port)
  const [first, from] = await upstream.take()
  await two.send('two', relay.port)
  const [second, same] = await upstream.take()
  assert.equal(from.port, same.port)
  const asked = decodeSpp(first)
  assert.ok(asked.status === 'header')
  assert.deepEqual(asked.header.source, { address: '127.0.0.1', port: one.port })
  await upstream.send(second, from.port)
  assert.equal(await two.text(), 'two')
  await upstream.send(first, from.port)
  assert.equal(await one.text(), 'one')
  const stranger = { source: { address: '203.0.113.7', port: 1 }, destination: asked.header.destination }
  await upstream.send(encodeSpp(stranger, Buffer.from('x')), from.port)
  await upstream.send('no header', from.port)
  await until(() => relay.figures().dropped.reply_invalid === 1)
  assert.equal(relay.figures().dropped.reply_unknown, 1)
})

test('contract U13: only the upstream may answer', async t => {
  const [upstream, stranger] = [await peer(t), await peer(t)]
  const relay = await startDatagrams(t, `udp://127.0.0.1:${upstream.port}?pp=noop`)
  const client = await peer(t)
  await client.send('ping', relay.port)
  const [, from] = await upstream.take()
  await stranger.send('forged', from.port)
  await upstream.send('pong', from.port)
  const [reply, replier] = await client.take()
  assert.deepEqual([String(reply), replier.port], ['pong', relay.port])
  assert.equal(relay.figures().received, 2)
})

test('contract U13: a datagram that came before the socket was connected is no answer', async t => {
  const stranger = dgram.createSocket({ type: 'udp4', lookup: answerAtOnce })
  await new Promise<void>(resolve => void stranger.bind(0, '127.0.0.1', resolve))
  atEnd(t, () => new Promise<void>(resolve => void stranger.close(resolve)))
  const { mock } = t.mock.method(
    dgram.Socket.prototype,
    'connect',
    function (this: dgram.Socket, ...to: Target) {
      stranger.send('forged', this.address().port, '127.0.0.1') // at once, because the look-up is
      mock.restore()
      this.connect(...to)
    },
  )
  const upstream = await answering(t, () => 'pong')
  const relay = await startDatagrams(t, `udp://127.0.0.1:${upstream.port}?pp=noop`)
  const client = await peer(t)
  await client.send('ping', relay.port)
  assert.equal(await client.text(), 'pong')
  assert.equal(relay.figures().down.datagrams, 1)
})

test('contract U14: eight datagrams wait while the upstream is looked up, and no more', async t => {
  const upstream = await peer(t)
  let answer: (addresses: LookupAddress[]) => void = () => undefined
  const relay = await startDatagrams(t, `udp://upstream.test:${upstream.port}?pp=noop`, {
    resolver: () => new Promise(resolve => (answer = resolve)),
  })
  const client = await peer(t)
  for (let n = 1; n <= 9; n++) await client.send(String(n), relay.port)
  await until(() => relay.figures().dropped.pending_full === 1)
  answer([{ address: '127.0.0.1', family: 4 }])
  for (let n = 1; n <= 8; n++) assert.equal(await upstream.text(), String(n))
  assert.equal(relay.figures().up.datagrams, 8)
})

test('a name without an answer ends the flow, and its datagrams are dropped', async t => {
  const relay = await startDatagrams(t, 'udp://upstream.test:53', { resolver: () => Promise.resolve([]) })
  const client = await peer(t)
  await client.send('one', relay.port)
  assert.deepEqual(await relay.record().then(({ reason, upstream }) => [reason, upstream]), [
    'aborted',
    undefined,
  ])
  assert.equal(relay.figures().dropped.no_upstream, 1)
})

test('contract U15: 65,507 bytes go through as they are, and are dropped as oversize if a header comes before them', async t => {
  const upstream = await answering(t)
  const relay = await startDatagrams(t, `udp://127.0.0.1:${upstream.port}?pp=noop`)
  const headed = await startDatagrams(t, `udp://127.0.0.1:${upstream.port}`)
  const client = await peer(t)
  const bytes = Buffer.alloc(65_507, 'x')
  await client.send(bytes, relay.port)
  assert.deepEqual((await client.take())[0], bytes)
  await client.send(bytes, headed.port)
  await until(() => headed.figures().dropped.oversize === 1)
  assert.equal(headed.figures().up.datagrams, 0)
})

test('contract U16: a closed port ends the flow, and counts against the upstream', async t => {
  const gone = await peer(t)
  const relay = await startDatagrams(t, `udp://127.0.0.1:${gone.port}?pp=noop`, { health: { fails: 1 } })
  await gone.close()
  const client = await peer(t)
  await client.send('one', relay.port)
  assert.equal((await relay.record()).reason, 'connect_refused')
  const [upstream] = relay.relay.upstreams().upstreams
  assert.deepEqual([upstream?.state, upstream?.failures], ['down', { connect_refused: 1 }])
})

test('contract U16: a closed port of Spectrum ends all flows to it, and is one failure', async t => {
  const gone = await peer(t)
  const relay = await startDatagrams(t, `udp://127.0.0.1:${gone.port}?pp=spp`)
  const [one, two] = [await peer(t), await peer(t)]
  await one.send('one', relay.port)
  await gone.take()
  await gone.close()
  await two.send('two', relay.port)
  const reasons = [(await relay.record()).reason, (await relay.record(1)).reason]
  assert.deepEqual(reasons, ['connect_refused', 'connect_refused'])
  assert.deepEqual(relay.relay.upstreams().upstreams[0]?.failures, { connect_refused: 1 })
})

test('contract U17: a flow keeps its upstream, and the next flow gets the other one', async t => {
  const [first, second] = [await answering(t, () => 'first'), await answering(t, () => 'second')]
  const to = [first, second].map(({ port }) => `udp://127.0.0.1:${port}?pp=noop`)
  const relay = await startDatagrams(t, to)
  const answers = new Set<string>()
  for (const client of [await peer(t), await peer(t)]) {
    await client.send('one', relay.port)
    const answer = await client.text()
    answers.add(answer)
    await client.send('two', relay.port)
    assert.equal(await client.text(), answer)
  }
  assert.equal(answers.size, 2)
})

test('contract U18: nothing is sent that was not received, and replyFactor bounds what a new flow gets', async t => {
  const upstream = await peer(t)
  const relay = await startDatagrams(t, `udp://127.0.0.1:${upstream.port}?pp=noop`, { replyFactor: 3 })
  const client = await peer(t)
  await client.send('1234', relay.port)
  const [, { port }] = await upstream.take()
  await upstream.send(Buffer.alloc(12, 'a'), port)
  await upstream.send('b', port)
  await until(() => relay.figures().dropped.reply_factor === 1)
  assert.equal((await client.text()).length, 12)
  await client.send('x', relay.port)
  await upstream.take()
  await upstream.send(Buffer.alloc(1_000, 'c'), port)
  assert.equal((await client.text()).length, 1_000)
  assert.equal(client.waiting.length, 0)
})

test('contract U19: replies: 2 ends a flow after two, once each request has one', async t => {
  const upstream = await peer(t)
  const relay = await startDatagrams(t, `udp://127.0.0.1:${upstream.port}?pp=noop`, { replies: 2 })
  const client = await peer(t)
  for (const text of ['1', '2', '3']) await client.send(text, relay.port)
  const [, { port }] = await upstream.take()
  await until(() => relay.figures().up.datagrams === 3)
  for (const text of ['1', '2']) await upstream.send(text, port)
  await until(() => relay.figures().down.datagrams === 2)
  assert.equal(relay.figures().flows.active, 1)
  await upstream.send('3', port)
  const { reason, up, down } = await relay.record()
  assert.deepEqual([reason, up.datagrams, down.datagrams], ['done', 3, 3])
})

test('contract U20: close() takes no new flows, lets others go on, and resolves when none is left', async t => {
  const upstream = await answering(t)
  const relay = await startDatagrams(t, `udp://127.0.0.1:${upstream.port}?pp=noop`, { replies: 2 })
  const [client, late] = [await peer(t), await peer(t)]
  await client.send('one', relay.port)
  await client.text()
  const closed = relay.relay.server.close({ drain: 3_600_000 })
  assert.equal(relay.relay.server.state, 'draining')
  await late.send('late', relay.port)
  await until(() => relay.figures().dropped.draining === 1)
  await client.send('two', relay.port)
  assert.equal(await client.text(), 'two')
  assert.deepEqual(await closed, { drained: 1, forced: 0, stuck: [] })
  assert.equal(relay.relay.server.state, 'closed')
  assert.equal(relay.relay.server.address, null)
})

test('contract U20: at the deadline the rest ends, and a readyDelay takes new flows until it is over', async t => {
  const upstream = await answering(t)
  const relay = await startDatagrams(t, `udp://127.0.0.1:${upstream.port}?pp=noop`)
  const slow = await startDatagrams(t, `udp://127.0.0.1:${upstream.port}?pp=noop`)
  const client = await peer(t)
  await client.send('one', relay.port)
  await client.text()
  assert.deepEqual(await relay.relay.server.close({ drain: 1 }), { drained: 0, forced: 1, stuck: [] })
  assert.equal(relay.records[0]?.reason, 'drain_deadline')
  const closing = slow.relay.server.close({ readyDelay: 3_600_000, drain: Infinity })
  await client.send('two', slow.port)
  assert.equal(await client.text(), 'two')
  void slow.relay.server.close({ drain: 0 })
  assert.deepEqual(await slow.relay.server.abort(), { drained: 0, forced: 1, stuck: [] })
  assert.equal((await closing).forced, 1)
})

test('contract U22: errors of any socket have a listener', async t => {
  const upstream = await answering(t)
  const errors: unknown[] = []
  const relay = await startDatagrams(t, `udp://127.0.0.1:${upstream.port}?pp=noop`, {
    onError: error => errors.push(error),
  })
  const unreachable = await startDatagrams(t, [
    { address: `udp://127.0.0.1:${upstream.port}`, source: '192.0.2.77' },
  ])
  const client = await peer(t)
  await client.send('one', unreachable.port)
  assert.equal((await unreachable.record()).reason, 'aborted')
  assert.equal(unreachable.figures().dropped.no_upstream, 1)
  await client.send('two', relay.port)
  assert.equal(await client.text(), 'two')
  assert.deepEqual(errors, [])
})
