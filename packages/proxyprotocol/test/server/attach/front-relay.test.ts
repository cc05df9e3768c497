// front() relays bytes, ends and resets, and gives up when it cannot connect.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { Socket } from 'node:net'
import { test, type TestContext } from 'node:test'
import { closedPort, content, listenRaw, outcome, text, turns, until } from 'test-support/sockets'
import type { ProxyServer } from '../../../src/server/index.ts'
import { V2 } from '../../support/headers.ts'
import { counted, over, createHarness } from '../../support/harness.ts'
import { dialWithHeader, raw, serve } from '../../support/fronted.ts'

/** More than the kernel takes for sockets that are not read. */
const BIG = 32 << 20

/** Both outer ends of a connection whose target has got the first byte. */
async function relayed(
  t: TestContext,
): Promise<{ readonly server: ProxyServer; readonly client: Socket; readonly socket: Socket }> {
  const { harness, server, port, accept } = await raw(t)
  const client = harness.dial(port)
  client.write(Buffer.concat([V2, Buffer.from('x')]))
  const socket = await accept()
  assert.equal(await text(socket, 1), 'x')
  return { server, client, socket }
}

test('front() relays both ways to the last byte, with half-closed ends', async t => {
  const { harness, server, port, accept } = await raw(t)
  const up = Buffer.alloc(BIG, 'up')
  const down = Buffer.alloc(BIG, 'down')
  const client = dialWithHeader(harness, port)
  client.end(up)
  const socket = await accept()
  assert.ok((await content(socket)).equals(up))
  socket.end(down)
  assert.ok((await content(client)).equals(down))
  await over({ server }, 1)
  assert.deepEqual(counted({ server }), { done: 1 })
})

test('front() passes on a FIN that came right behind the header', async t => {
  const { harness, port, accept } = await raw(t)
  const client = harness.dial(port)
  client.end(V2)
  const socket = await accept()
  assert.equal((await content(socket)).length, 0)
  socket.end('answer')
  assert.equal(await text(client), 'answer')
})

test('front() reads no more from a client than its target takes', async t => {
  const { harness, port, accept } = await raw(t)
  const client = dialWithHeader(harness, port)
  client.end(Buffer.alloc(BIG))
  const socket = await accept()
  await turns(100)
  assert.ok(client.writableLength > 0, 'it has not swallowed everything')
  assert.equal((await content(socket)).length, BIG)
  socket.end()
  await text(client)
})

test('front() resets the target when the client resets', async t => {
  const { server, client, socket } = await relayed(t)
  client.resetAndDestroy()
  assert.equal((await outcome(socket)).end, 'ECONNRESET')
  await over({ server }, 1)
  assert.deepEqual(counted({ server }), { client_reset: 1 })
})

test('front() resets the client when the target resets', async t => {
  const { server, client, socket } = await relayed(t)
  socket.write('half')
  await once(client, 'readable')
  socket.resetAndDestroy()
  assert.equal((await outcome(client)).end, 'ECONNRESET')
  await over({ server }, 1)
  assert.deepEqual(counted({ server }), { upstream_reset: 1 })
})

test('front() resets both ends at the deadline of close()', async t => {
  const { server, client, socket } = await relayed(t)
  const [result, ...ends] = await Promise.all([server.close({ drain: 0 }), outcome(client), outcome(socket)])
  assert.deepEqual(result, { drained: 0, forced: 1, stuck: [] })
  assert.deepEqual(
    ends.map(({ end }) => end),
    ['ECONNRESET', 'ECONNRESET'],
  )
})

test('front() resets the client when nothing listens behind it', async t => {
  const harness = createHarness(t)
  const { server, port } = await serve(harness, { address: '127.0.0.1', port: await closedPort() })
  const client = dialWithHeader(harness, port)
  assert.equal((await outcome(client)).end, 'ECONNRESET')
  await over({ server }, 1)
  assert.deepEqual(counted({ server }), { connect_refused: 1 })
})

test('front() calls what else can go wrong with connecting a connect_error', async t => {
  const harness = createHarness(t)
  const { server, port } = await serve(harness, { address: '127.255.255.255', port: 80 }) // the broadcast address
  const client = dialWithHeader(harness, port)
  await outcome(client)
  await over({ server }, 1)
  assert.deepEqual(counted({ server }), { connect_error: 1 })
})

test('front() gives up connecting after five seconds', async t => {
  const harness = createHarness(t)
  const { port: silent } = await listenRaw(harness)
  const { server, port } = await serve(
    harness,
    { address: '127.0.0.1', port: silent },
    { timeouts: { header: 4_000 } },
  )
  const { setTimeout: set } = globalThis
  t.mock.method(globalThis, 'setTimeout', (callback: () => void, wait: number) => {
    if (wait === 5_000) process.nextTick(callback) // before loopback could answer
    return set(callback, wait)
  })
  const client = dialWithHeader(harness, port)
  assert.equal((await outcome(client)).end, 'ECONNRESET')
  await over({ server }, 1)
  assert.deepEqual(counted({ server }), { connect_timeout: 1 })
})

test('front() gives up connecting when the server is aborted', async t => {
  const { harness, server, port } = await raw(t)
  const client = dialWithHeader(harness, port)
  await until(() => [...server.connections].some(({ state }) => state === 'open'))
  await server.abort()
  await outcome(client)
  assert.deepEqual(counted({ server }), { aborted: 1 })
})
