// A reset of one side reaches the other as a reset, and never as an end.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { Socket } from 'node:net'
import { test, type TestContext } from 'node:test'
import { closedPort, content, until } from 'test-support/sockets'
import { holdName, setName } from '../support/names.ts'
import { startOnSockets, startRelay, type TestRelay } from '../support/relay.ts'
import {
  chunk,
  connectedSockets,
  dial,
  listen,
  MEBIBYTE,
  outcome,
  random,
  type Listener,
} from '../support/connections.ts'

const BIG = 32 * MEBIBYTE

/** The outer ends of a connection whose upstream has got the first bytes. */
async function begun(t: TestContext, relay: TestRelay, upstream: Listener): Promise<[Socket, Socket]> {
  const client = dial(t, relay.port)
  client.write('begun')
  const far = await upstream.accept()
  await chunk(far)
  return [client, far]
}

async function isReset(socket: Socket, cut: () => void): Promise<void> {
  const ended = outcome(socket)
  cut()
  const { fin, error } = await ended
  assert.deepEqual({ fin, error }, { fin: false, error: 'ECONNRESET' })
}

test("a client's reset reaches the upstream as a reset, never as an end", async t => {
  const upstream = await listen(t)
  const relay = await startRelay(t, `127.0.0.1:${upstream.port}`)
  for (let i = 0; i < 40; i++) {
    const [client, far] = await begun(t, relay, upstream)
    // A reset finds some with a reply on its way, and some that have ended their own side.
    if (i % 3 === 1) far.write('reply')
    if (i % 3 === 2) far.end('reply')
    if (i % 3 !== 0) await chunk(client)
    await isReset(far, () => client.resetAndDestroy())
    const record = await relay.record(i)
    assert.equal(record.reason, 'client_reset')
    assert.equal(record.error?.code, 'client_reset')
  }
})

test("an upstream's reset reaches the client as a reset, never as an end", async t => {
  const upstream = await listen(t)
  const relay = await startRelay(t, `127.0.0.1:${upstream.port}`)
  for (let i = 0; i < 40; i++) {
    const [client, far] = await begun(t, relay, upstream)
    if (i % 3 === 1) {
      far.write('reply')
      await chunk(client)
    }
    if (i % 3 === 2) {
      client.end()
      await content(far)
    }
    await isReset(client, () => far.resetAndDestroy())
    const record = await relay.record(i)
    assert.equal(record.reason, 'upstream_reset')
    assert.match(record.error?.message ?? '', /ECONNRESET/)
  }
})

test('a reset that arrives together with the last data is not an end, in either direction', async t => {
  const upstream = await listen(t)
  const relay = await startRelay(t, `127.0.0.1:${upstream.port}`)
  const payload = random(BIG)
  for (let i = 0; i < 40; i++) {
    const client = dial(t, relay.port)
    const far = await upstream.accept()
    await chunk(far)
    const [failing, other] = i % 2 === 0 ? [client, far] : [far, client]
    const cut = outcome(other)
    // Every other time something is under way to the failing side, which writes nothing any more then.
    if (i % 4 > 1) other.write(payload)
    failing.write('the last', () => failing.resetAndDestroy())
    const { fin, error } = await cut
    assert.deepEqual({ fin, error }, { fin: false, error: 'ECONNRESET' })
    assert.equal((await relay.record(i)).reason, i % 2 === 0 ? 'client_reset' : 'upstream_reset')
  }
})

test('a reset behind the data that came while the upstream was connecting is not an end', async t => {
  const upstream = await listen(t)
  const name = holdName(t, 'upstream.test')
  const relay = await startOnSockets(t, `upstream.test:${upstream.port}?pp=noop`)
  const client = dial(t, relay.port)
  await name.asked
  const [connection] = relay.server.connections
  assert.ok(connection)
  const { socket } = connection
  const first = upstream.accept().then(far => ({ port: far.remotePort, cut: outcome(far) }))
  client.write('the last', () => client.resetAndDestroy())
  await until(() => socket.readableLength > 0 || socket.destroyed)
  name.answer('127.0.0.1')
  assert.equal((await relay.record()).reason, 'client_reset')
  // Node before 24 learns of the reset only when the upstream is connected; later ones give the attempt up, of which the
  // upstream may see a connection without a byte.
  const later = dial(t, upstream.port)
  await once(later, 'connect')
  const { port, cut } = await first
  if (port === later.localPort) return
  const { bytes, fin } = await cut
  assert.ok(!fin || bytes.length === 0)
})

test('upstreams that reset as soon as they are connected to fail their own connection each, and nothing else', async t => {
  const upstream = await listen(t)
  const relay = await startRelay(t, `127.0.0.1:${upstream.port}`)
  const cuts = Array.from({ length: 50 }, async () => {
    const client = dial(t, relay.port)
    client.write('hello')
    return outcome(client)
  })
  for (let i = 0; i < 50; i++) (await upstream.accept()).resetAndDestroy()
  for (const { fin } of await Promise.all(cuts)) assert.equal(fin, false)
  await relay.record(49)
  // The kernel reports a reset that overtakes the handshake's end as a failed connect.
  for (const { reason } of relay.records) assert.match(reason, /^(upstream_reset|connect_error)$/)
})

test('a refused upstream resets the client', async t => {
  const port = await closedPort()
  const relay = await startRelay(t, `127.0.0.1:${port}`)
  const client = dial(t, relay.port)
  client.write('hello')
  const { fin, error } = await outcome(client)
  assert.deepEqual({ fin, error }, { fin: false, error: 'ECONNRESET' })
  const { reason, error: fault, bytesUp, peer, local } = await relay.record()
  assert.equal(reason, 'connect_refused')
  assert.match(fault?.message ?? '', new RegExp(`ECONNREFUSED 127\\.0\\.0\\.1:${port}`))
  assert.equal(bytesUp, 0)
  assert.deepEqual(local, { address: '127.0.0.1', port: relay.port })
  assert.ok(peer && 'address' in peer)
  assert.equal(peer.address, '127.0.0.1')
})

test('an upstream whose name does not resolve resets the client', async t => {
  setName(t, 'upstream.test')
  const relay = await startRelay(t, 'upstream.test:80')
  const { fin } = await outcome(dial(t, relay.port))
  assert.equal(fin, false)
  const { reason, error } = await relay.record()
  assert.equal(reason, 'dns_error')
  assert.match(error?.message ?? '', /ENOTFOUND upstream\.test/)
})

test('a client that resets while the upstream is connecting ends the attempt', async t => {
  t.mock.timers.enable({ apis: ['setTimeout'] }) // no deadline ends it
  const upstream = await listen(t)
  const name = holdName(t, 'upstream.test')
  const made = connectedSockets(t)
  const relay = await startRelay(t, `upstream.test:${upstream.port}`)
  const client = dial(t, relay.port)
  await name.asked
  client.resetAndDestroy()
  const { reason, error } = await relay.record()
  assert.equal(reason, 'probe')
  assert.equal(error?.code, 'probe')
  name.answer('127.0.0.1')
  dial(t, upstream.port)
  await upstream.accept()
  assert.equal(upstream.accepted, 1, 'the upstream saw an attempt that was given up')
  assert.deepEqual(made(), [])
})
