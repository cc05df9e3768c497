// What happens at the deadline of close(), and how it is reported (contract 12, 17 and 18).

import assert from 'node:assert/strict'
import { EventEmitter, once } from 'node:events'
import { test } from 'node:test'
import { gate } from 'test-support/gate'
import { until } from 'test-support/sockets'
import type { ProxyProtocolError } from '../../../src/codec/index.ts'
import { counted, opened, over, readToEnd, createHarness } from '../../support/harness.ts'
import { LONG, dialEnded, dialOpen, untilAborted } from '../../support/open-connections.ts'

test('contract 17: at the deadline handlers are aborted with drain_deadline and sockets are reset', async t => {
  const harness = createHarness(t)
  const reasons: unknown[] = []
  const served = await harness.serve(async connection => {
    await untilAborted(connection)
    reasons.push((connection.signal.reason as ProxyProtocolError).code, connection.state)
    connection.signal.throwIfAborted()
  })
  const client = dialOpen(harness, served)
  await opened(served)
  assert.deepEqual(await served.server.close({ drain: 10 }), { drained: 0, forced: 1, stuck: [] })
  assert.deepEqual(reasons, ['drain_deadline', 'closing'])
  assert.equal((await client.ended).end, 'ECONNRESET')
  assert.deepEqual(counted(served), { drain_deadline: 1 })
})

test('contract 17: without patience handlers are aborted in the turn of the close(), and no timer is waited for', async t => {
  const harness = createHarness(t)
  const served = await harness.serve(untilAborted)
  const client = dialOpen(harness, served)
  const [connection] = await opened(served)
  const closing = served.server.close({ drain: 0 })
  await new Promise<void>(resolve => {
    process.nextTick(resolve)
  })
  assert.equal(connection?.reason, 'drain_deadline')
  assert.deepEqual(await closing, { drained: 0, forced: 1, stuck: [] })
  assert.equal((await client.ended).end, 'ECONNRESET')
})

test('contract 17: a connection that waits for the FIN of its peer is reset at the deadline', async t => {
  const harness = createHarness(t)
  const served = await harness.serve(() => {})
  await dialEnded(harness, served)
  assert.equal([...served.server.connections][0]?.state, 'closing')
  assert.deepEqual(await served.server.close({ drain: 10 }), { drained: 0, forced: 1, stuck: [] })
  assert.deepEqual(counted(served), { drain_deadline: 1 })
})

test('contract 17: handlers that end their side in the moment of the deadline are closed and counted', async t => {
  const harness = createHarness(t)
  const go = new EventEmitter().setMaxListeners(100)
  const served = await harness.serve(async ({ socket }) => {
    await once(go, 'go')
    socket.end()
  })
  const clients = Array.from({ length: 40 }, () => dialOpen(harness, served))
  await opened(served, 40)
  go.emit('go')
  assert.deepEqual(await served.server.abort(), { drained: 0, forced: 40, stuck: [] })
  for (const { end } of clients) end()
  await Promise.all(clients.map(({ ended }) => ended))
  assert.deepEqual(counted(served), { aborted: 40 })
})

test('contract 12: a handler that ignores the abort is reported as stuck, and stays in connections', async t => {
  const harness = createHarness(t)
  const release = gate()
  const served = await harness.serve(() => release.promise, { timeouts: { abort: 20 } })
  const clients = [dialOpen(harness, served), dialOpen(harness, served)]
  await opened(served, 2)
  const { drained, forced, stuck } = await served.server.close({ drain: 10 })
  assert.deepEqual([drained, forced, stuck.length], [0, 0, 2])
  assert.equal(served.server.state, 'closed')
  const left = [...served.server.connections]
  assert.deepEqual(
    stuck.map(({ id }) => id),
    left.map(({ id }) => id),
  )
  for (const { age } of stuck) assert.ok(age >= 20 && age < LONG)
  for (const { ended } of clients) assert.equal((await ended).end, 'ECONNRESET')
  for (const { socket, reason } of left)
    assert.deepEqual([socket.destroyed, reason], [true, 'drain_deadline'])
  assert.equal(served.server.stats().active, 2)
  assert.deepEqual(counted(served), {})
  release.open()
  await over(served, 2)
  assert.equal(served.server.connections.size, 0)
  assert.deepEqual(counted(served), { drain_deadline: 2 })
})

test('contract 18: drained, forced and stuck tell apart what became of each connection', async t => {
  const harness = createHarness(t)
  const release = gate()
  const handlers = [readToEnd, untilAborted, () => release.promise]
  let next = 0
  const served = await harness.serve(async connection => handlers[next++]?.(connection), {
    timeouts: { abort: 20 },
  })
  const clients = handlers.map(() => dialOpen(harness, served))
  await opened(served, 3)
  harness.dial(served.port)
  await until(() => served.server.connections.size === 4)
  const closing = served.server.close({ drain: 100 })
  for (const { end } of clients) end()
  const { drained, forced, stuck } = await closing
  assert.deepEqual([drained, forced, stuck.length], [1, 2, 1])
  release.open()
  await over(served, 4)
  assert.deepEqual(counted(served), { done: 1, aborted: 1, drain_deadline: 2 })
})
