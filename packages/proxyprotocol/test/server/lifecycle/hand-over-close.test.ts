// close() and abort() of servers after handOver() (contract 2 and 16 to 19).

import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { outcome, text, turns, until } from 'test-support/sockets'
import { untilAborted } from '../../support/open-connections.ts'
import type { ProxyProtocolError } from '../../../src/codec/index.ts'
import { createServer, type Connection, type ProxyServer } from '../../../src/server/index.ts'
import { V2 } from '../../support/headers.ts'
import { counted, opened, readToEnd, createHarness, type Harness } from '../../support/harness.ts'
import { HOST, named } from '../../support/handed-over.ts'

/** Milliseconds that no test waits for. */
const LONG = 60_000

/** A server with one open connection, and one that waits for its header, which has handed its socket over. */
async function handedOver(
  t: TestContext,
  options: { drain?: number } = {},
): Promise<{ harness: Harness; old: ProxyServer; result: Promise<unknown>; end: () => void }> {
  const harness = createHarness(t)
  const old = harness.watch(createServer({ trust: 'anyone' }, readToEnd))
  const { port } = (await old.listen(0, HOST)) as { port: number }
  const client = harness.dial(port)
  client.resume().write(V2)
  harness.dial(port).resume()
  await opened({ server: old })
  await until(() => old.connections.size === 2)
  const result = old.handOver(named(harness, 'next'), options)
  return { harness, old, result, end: () => client.end() }
}

test('close() after handOver() ends its patience: waiting headers at once, the rest at the deadline', async t => {
  const { old, result, end } = await handedOver(t)
  await turns()
  assert.equal(old.connections.size, 2)
  const closing = old.close({ drain: LONG })
  await until(() => old.connections.size === 1)
  end()
  assert.deepEqual(await closing, { drained: 1, forced: 1, stuck: [] })
  assert.equal(await result, await closing)
  assert.deepEqual(counted({ server: old }), { done: 1, aborted: 1 })
})

test('close() in the same turn as handOver() closes', async t => {
  const { old, result } = await handedOver(t)
  assert.deepEqual(await old.close({ drain: 0 }), { drained: 0, forced: 2, stuck: [] })
  await result
  assert.deepEqual(counted({ server: old }), { drain_deadline: 1, aborted: 1 })
})

test('close() after handOver() never makes its drain longer', async t => {
  const { old } = await handedOver(t, { drain: 30 })
  await turns()
  assert.deepEqual(await old.close({ drain: LONG }), { drained: 0, forced: 2, stuck: [] })
  assert.deepEqual(counted({ server: old }), { drain_deadline: 1, aborted: 1 })
})

test('wrong options of a close() after handOver() are refused, and change nothing', async t => {
  const { old } = await handedOver(t)
  await assert.rejects(old.close({ drain: -1 }), { name: 'RangeError', message: /^drain must be / })
  await turns()
  assert.equal(old.connections.size, 2)
})

test('abort() after handOver() ends the old server alone, with its reason as the cause', async t => {
  const harness = createHarness(t)
  const reasons: unknown[] = []
  const handler = async (connection: Connection): Promise<void> => {
    await untilAborted(connection)
    reasons.push(connection.signal.reason)
  }
  const [old, next] = [1, 2].map(() => harness.watch(createServer({ trust: 'anyone' }, handler)))
  assert.ok(old && next)
  const { port } = (await old.listen(0, HOST)) as { port: number }
  harness.dial(port).resume().write(V2)
  await opened({ server: old })
  const result = old.handOver(next, { drain: LONG })
  harness.dial(port).resume().write(V2)
  await opened({ server: next })
  const why = new Error('why')
  assert.deepEqual(await old.abort(why), { drained: 0, forced: 1, stuck: [] })
  await result
  const [reason] = reasons as [ProxyProtocolError]
  assert.deepEqual([reasons.length, reason.code, reason.cause], [1, 'aborted', why])
  assert.deepEqual([next.state, next.connections.size], ['listening', 1])
})

test('close() of the successor stops listening and leaves the old server alone', async t => {
  const harness = createHarness(t)
  const [old, next] = [named(harness, 'old'), named(harness, 'next')]
  const { port } = (await old.listen(0, HOST)) as { port: number }
  const client = harness.dial(port)
  client.write(V2)
  await opened({ server: old })
  const result = old.handOver(next)
  await next.close()
  assert.equal((await outcome(harness.dial(port))).end, 'ECONNREFUSED')
  assert.deepEqual([old.state, old.connections.size], ['draining', 1])
  client.end()
  assert.equal(await text(client), 'old')
  assert.deepEqual(await result, { drained: 1, forced: 0, stuck: [] })
})

test('a signal that listen() was given goes with the socket, and ends the server that has it', async t => {
  const harness = createHarness(t)
  const [old, next] = [named(harness, 'old'), named(harness, 'next')]
  const controller = new AbortController()
  await old.listen({ port: 0, host: HOST, signal: controller.signal })
  await old.handOver(next)
  controller.abort()
  await until(() => next.state === 'closed')
  assert.equal(old.state, 'closed')
})
