// One relay between raw sockets: how it ends, what it resolves, and its own faults.

import assert from 'node:assert/strict'
import { Socket } from 'node:net'
import { test, type TestContext } from 'node:test'
import { closedPort, content, until } from 'test-support/sockets'
import { holdName, setName } from '../support/names.ts'
import { keepAlives, startOnSockets, startRelay } from '../support/relay.ts'
import {
  chunk,
  connectedSockets,
  dial,
  fill,
  listen,
  MEBIBYTE,
  outcome,
  random,
} from '../support/connections.ts'
import { split } from '../support/relay-bytes.ts'

/** Puts a bug into the relay, a second after it has begun to relay. */
function addBug(t: TestContext): Error {
  const bug = new TypeError('a bug')
  t.mock.method(Socket.prototype, 'setKeepAlive', () => {
    throw bug
  })
  return bug
}

test("the client's FIN passes, and a reply after it still comes back", async t => {
  const upstream = await listen(t)
  const relay = await startRelay(t, `127.0.0.1:${upstream.port}`)
  const [request, reply] = [random(MEBIBYTE), random(MEBIBYTE)]
  const client = dial(t, relay.port)
  const answered = outcome(client)
  client.end(request)
  const far = await upstream.accept()
  const { payload } = split(await content(far))
  assert.ok(payload.equals(request))
  far.end(reply)
  const { bytes, fin, error } = await answered
  assert.ok(bytes.equals(reply))
  assert.deepEqual({ fin, error }, { fin: true, error: undefined })
  const { bytesUp, bytesDown, reason } = await relay.record()
  assert.deepEqual({ bytesUp, bytesDown, reason }, { bytesUp: MEBIBYTE, bytesDown: MEBIBYTE, reason: 'done' })
})

test("the upstream's FIN passes, and the client can still send after it", async t => {
  const upstream = await listen(t)
  const relay = await startRelay(t, `127.0.0.1:${upstream.port}`)
  const [greeting, request] = [random(MEBIBYTE), random(MEBIBYTE)]
  const client = dial(t, relay.port)
  const far = await upstream.accept()
  const received = outcome(far)
  far.end(greeting)
  assert.ok((await content(client)).equals(greeting))
  client.end(request)
  const { bytes, fin, error } = await received
  assert.ok(split(bytes).payload.equals(request))
  assert.deepEqual({ fin, error }, { fin: true, error: undefined })
  assert.equal((await relay.record()).reason, 'done')
})

for (const payload of ['', 'hello']) {
  const what = payload === '' ? 'alone' : 'after its payload'
  test(`a FIN that comes ${what} while the upstream is connecting passes when it is connected`, async t => {
    const upstream = await listen(t)
    const name = holdName(t, 'upstream.test')
    const relay = await startOnSockets(t, `upstream.test:${upstream.port}`)
    const client = dial(t, relay.port)
    client.end(payload)
    await name.asked
    const [connection] = relay.server.connections
    await until(() => connection?.socket.readableLength === payload.length)
    // The FIN is read with the next poll for events, and 'end' follows it by a tick.
    if (payload === '') await until(() => connection?.socket.readableEnded === true)
    name.answer('127.0.0.1')
    const far = await upstream.accept()
    assert.equal(split(await content(far)).payload.toString(), payload)
    far.end('reply')
    assert.equal((await content(client)).toString(), 'reply')
    assert.equal((await relay.record()).reason, 'done')
  })
}

test('the drain deadline resets both sides, also of a connection that is still connecting', async t => {
  const upstream = await listen(t)
  const name = holdName(t, 'upstream.test')
  const connecting = await startRelay(t, `upstream.test:${upstream.port}`)
  const open = await startRelay(t, `127.0.0.1:${upstream.port}`)
  const early = outcome(dial(t, connecting.port))
  await name.asked
  const late = outcome(dial(t, open.port))
  const far = await upstream.accept()
  await chunk(far)
  const cut = outcome(far)
  await Promise.all([connecting, open].map(({ server }) => server.close({ drain: 0 })))
  for (const { fin, error } of await Promise.all([early, late, cut])) {
    assert.deepEqual({ fin, error }, { fin: false, error: 'ECONNRESET' })
  }
  for (const relay of [connecting, open]) {
    const { reason, error } = await relay.record()
    assert.deepEqual([reason, error?.code], ['drain_deadline', 'drain_deadline'])
  }
})

test('an upstream that takes nothing after the client has ended is given up, and the record says so', async t => {
  const upstream = await listen(t)
  const made = connectedSockets(t)
  const relay = await startOnSockets(t, `127.0.0.1:${upstream.port}`)
  const client = dial(t, relay.port)
  const far = await upstream.accept()
  await chunk(far)
  const [near] = made()
  assert.ok(near)
  await fill(near)
  far.end()
  client.end('the last')
  await outcome(client)
  await until(() => near.timeout !== undefined)
  near.emit('timeout')
  const { reason, error } = await relay.record()
  assert.deepEqual([reason, error?.code], ['half_close_timeout', 'half_close_timeout'])
  assert.equal(near.destroyed, true)
})

test('closing the relay lets a connection finish', async t => {
  const upstream = await listen(t)
  const relay = await startRelay(t, `127.0.0.1:${upstream.port}`)
  const client = dial(t, relay.port)
  const far = await upstream.accept()
  await chunk(far)
  const closed = relay.server.close()
  client.end('late')
  assert.equal((await content(far)).toString(), 'late')
  far.end('reply')
  assert.equal((await content(client)).toString(), 'reply')
  assert.deepEqual(await closed, { drained: 1, forced: 0, stuck: [] })
})

test('a name with two upstream addresses is tried to the end', async t => {
  const upstream = await listen(t)
  setName(t, 'localhost', '::1', '127.0.0.1')
  const relay = await startRelay(t, `localhost:${upstream.port}`)
  const client = dial(t, relay.port)
  client.end('hello')
  assert.equal(split(await content(await upstream.accept())).payload.toString(), 'hello')
})

test('a name whose addresses all refuse is refused', async t => {
  const port = await closedPort()
  setName(t, 'localhost', '::1', '127.0.0.1')
  const relay = await startRelay(t, `localhost:${port}`)
  const { fin } = await outcome(dial(t, relay.port))
  assert.equal(fin, false)
  assert.equal((await relay.record()).reason, 'connect_refused')
})

test('a name to listen at stands for its first address', async t => {
  const upstream = await listen(t)
  setName(t, 'localhost', '::1', '127.0.0.1')
  const relay = await startRelay(t, `127.0.0.1:${upstream.port}`, { source: 'localhost:0' })
  assert.deepEqual(relay.server.address, { address: '::1', family: 'IPv6', port: relay.port })
})

test('both sides are asked for a sign of life after a minute of silence', async t => {
  assert.deepEqual(await keepAlives(t), [
    [true, 60_000],
    [true, 60_000],
  ])
})

test('a fault of the relay itself resets both sides and is reported once, with its connection', async t => {
  const upstream = await listen(t)
  const faults: unknown[][] = []
  const relay = await startOnSockets(t, `127.0.0.1:${upstream.port}`, {
    onError: (error, connection) => faults.push([error, connection?.id]),
  })
  const bug = addBug(t)
  const client = outcome(dial(t, relay.port))
  const far = await upstream.accept()
  const cut = outcome(far)
  assert.equal((await client).error, 'ECONNRESET')
  const { id, reason, error } = await relay.record()
  assert.deepEqual({ reason, error }, { reason: 'handler_error', error: undefined })
  assert.deepEqual(faults, [[bug, id]])
  assert.equal((await cut).error, 'ECONNRESET')
  await until(() => relay.server.connections.size === 0)
  assert.equal(relay.server.stats().closed.handler_error, 1)
})

test('without onError a fault of the relay itself becomes one warning', async t => {
  const upstream = await listen(t)
  const relay = await startOnSockets(t, `127.0.0.1:${upstream.port}`, { onError: undefined })
  addBug(t)
  await outcome(dial(t, relay.port))
  await relay.record()
  await until(() => relay.warnings.length > 0)
  assert.deepEqual(
    relay.warnings.splice(0).map(({ name }) => name),
    ['ProxyProtocolWarning'],
  )
})
