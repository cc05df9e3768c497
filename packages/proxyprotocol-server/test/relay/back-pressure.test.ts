// How far a relay reads ahead when one side is slower than the other.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { content, until } from 'test-support/sockets'
import { holdName } from '../support/names.ts'
import { startOnSockets } from '../support/relay.ts'
import {
  connectedSockets,
  dial,
  largestBuffer,
  listen,
  MEBIBYTE,
  random,
  sha256,
} from '../support/connections.ts'
import { split } from '../support/relay-bytes.ts'

/** What the two sides of a transfer of 32 MiB may hold in this process: a chunk of 64 KiB and a high-water mark, each way. */
const BOUND = 256 * 1024
const BIG = 32 * MEBIBYTE

test('an upstream that does not read stops the client, and gets every byte when it goes on', async t => {
  const upstream = await listen(t)
  const relay = await startOnSockets(t, `127.0.0.1:${upstream.port}`)
  const made = connectedSockets(t)
  const payload = random(BIG)
  const client = dial(t, relay.port)
  const far = await upstream.accept()
  const [connection] = relay.server.connections
  assert.ok(connection)
  const held = [connection.socket, ...made()]
  const stopped = once(connection.socket, 'pause')
  client.end(payload)
  const received = stopped.then(() => content(far))
  assert.ok((await largestBuffer(held, received)) < BOUND)
  assert.equal(sha256(split(await received).payload), sha256(payload))
})

test('a client that does not read stops the upstream, and gets every byte when it goes on', async t => {
  const upstream = await listen(t)
  const made = connectedSockets(t)
  const relay = await startOnSockets(t, `127.0.0.1:${upstream.port}`)
  const payload = random(BIG)
  const client = dial(t, relay.port)
  const far = await upstream.accept()
  const [near] = made()
  const [connection] = relay.server.connections
  assert.ok(connection && near)
  const stopped = once(near, 'pause')
  far.end(payload)
  const received = stopped.then(() => content(client))
  assert.ok((await largestBuffer([connection.socket, near], received)) < BOUND)
  assert.equal(sha256(await received), sha256(payload))
})

test('both directions can stand still at once and go on again', async t => {
  const upstream = await listen(t)
  const made = connectedSockets(t)
  const relay = await startOnSockets(t, `127.0.0.1:${upstream.port}?pp=noop`)
  const [up, down] = [random(BIG), random(BIG)]
  const client = dial(t, relay.port)
  const far = await upstream.accept()
  const [near] = made()
  const [connection] = relay.server.connections
  assert.ok(connection && near)
  const stopped = Promise.all([once(near, 'pause'), once(connection.socket, 'pause')])
  client.end(up)
  far.end(down)
  const received = stopped.then(() => Promise.all([content(far), content(client)]))
  assert.ok((await largestBuffer([connection.socket, near], received)) < 2 * BOUND)
  const [gotUp, gotDown] = await received
  assert.deepEqual([sha256(gotUp), sha256(gotDown)], [sha256(up), sha256(down)])
})

test('a client that is too fast for a connecting upstream is read no further than the high-water mark', async t => {
  const upstream = await listen(t)
  const name = holdName(t, 'upstream.test')
  const relay = await startOnSockets(t, `upstream.test:${upstream.port}?pp=noop`)
  const payload = random(BIG)
  const client = dial(t, relay.port)
  client.end(payload)
  await name.asked
  const [connection] = relay.server.connections
  assert.ok(connection)
  const { socket } = connection
  await until(() => socket.readableLength >= socket.readableHighWaterMark)
  const received = upstream.accept().then(content)
  name.answer('127.0.0.1')
  assert.ok((await largestBuffer([socket], received)) < BOUND)
  assert.equal(sha256(await received), sha256(payload))
})
