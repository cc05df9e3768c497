// abort() and the signal of the constructor end a server at once (contract 11 and 19).

import assert from 'node:assert/strict'
import { getEventListeners } from 'node:events'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { turns } from 'test-support/sockets'
import type { ProxyProtocolError } from '../../../src/codec/index.ts'
import { createServer } from '../../../src/server/index.ts'
import { counted, opened, over, readToEnd, createHarness } from '../../support/harness.ts'
import { HOST, NOTHING, LONG, dialOpen, untilAborted } from '../../support/open-connections.ts'

test('contract 19: abort() ends a long close() at once, with its reason as the cause', async t => {
  const harness = createHarness(t)
  const reasons: unknown[] = []
  const served = await harness.serve(async connection => {
    await untilAborted(connection)
    reasons.push(connection.signal.reason)
  })
  const client = dialOpen(harness, served)
  await opened(served)
  const closing = served.server.close({ drain: LONG })
  await turns()
  assert.equal(reasons.length, 0)
  const why = new Error('second SIGTERM')
  const result = await served.server.abort(why)
  assert.deepEqual(result, { drained: 0, forced: 1, stuck: [] })
  assert.equal(await closing, result)
  const [reason] = reasons as [ProxyProtocolError]
  assert.deepEqual([reason.code, reason.cause], ['aborted', why])
  assert.equal((await client.ended).end, 'ECONNRESET')
  assert.deepEqual(counted(served), { aborted: 1 })
})

test('contract 19: abort() alone is a close() without patience, with its reason as the cause', async t => {
  const harness = createHarness(t)
  const reasons: unknown[] = []
  const served = await harness.serve(
    async connection => {
      await untilAborted(connection)
      reasons.push(connection.signal.reason, connection.draining)
      await served.server.close({ drain: LONG }) // joins, and does not wait for itself
    },
    { timeouts: { abort: 10 } },
  )
  dialOpen(harness, served)
  await opened(served)
  const result = await served.server.abort('why')
  assert.equal(result.stuck.length, 1, 'a handler that waits for the end of its server never ends before it')
  const [reason, draining] = reasons as [ProxyProtocolError, boolean]
  assert.deepEqual([reason.code, reason.cause, draining], ['aborted', 'why', true])
  await over(served, 1)
})

test('contract 19: a close() from a listener of an aborting signal joins the one under way', async t => {
  const harness = createHarness(t)
  const results: unknown[] = []
  const served = await harness.serve(async connection => {
    connection.signal.addEventListener('abort', () => {
      results.push(served.server.close())
    })
    await untilAborted(connection)
  })
  dialOpen(harness, served)
  await opened(served)
  const result = await served.server.abort()
  assert.deepEqual(result, { drained: 0, forced: 1, stuck: [] })
  assert.equal(await results[0], result)
})

test('contract 19: abort() cuts readyDelay short', async t => {
  const harness = createHarness(t)
  const served = await harness.serve(untilAborted)
  const client = dialOpen(harness, served)
  await opened(served)
  const closing = served.server.close({ readyDelay: LONG, drain: LONG })
  await turn()
  await served.server.abort()
  assert.deepEqual(await closing, { drained: 0, forced: 1, stuck: [] })
  assert.equal((await client.ended).end, 'ECONNRESET')
})

test('contract 19: abort() right after a close() with readyDelay does not wait for it either', async t => {
  const harness = createHarness(t)
  const { server } = await harness.serve(untilAborted)
  const closing = server.close({ readyDelay: LONG })
  assert.deepEqual(await server.abort(), NOTHING)
  assert.deepEqual(await closing, NOTHING)
})

test('contract 19: an aborted signal of the constructor aborts the server', async t => {
  const harness = createHarness(t)
  const controller = new AbortController()
  const reasons: unknown[] = []
  const served = await harness.serve(
    async connection => {
      await untilAborted(connection)
      reasons.push(connection.signal.reason)
    },
    { signal: controller.signal },
  )
  const client = dialOpen(harness, served)
  await opened(served)
  const why = new Error('why')
  controller.abort(why)
  assert.equal(served.server.state, 'draining')
  assert.deepEqual(await served.server.close(), { drained: 0, forced: 1, stuck: [] })
  const [reason] = reasons as [ProxyProtocolError]
  assert.deepEqual([reason.code, reason.cause], ['aborted', why])
  assert.equal((await client.ended).end, 'ECONNRESET')
})

test('contract 19: a signal of the constructor that was aborted before makes a closed server', async t => {
  const options = { trust: [], signal: AbortSignal.abort() }
  const server = createHarness(t).watch(createServer(options, () => {}))
  assert.equal(server.state, 'draining')
  await assert.rejects(server.listen(0, HOST), { message: /^listen\(\) needs a new server/ })
  assert.deepEqual(await server.close(), NOTHING)
  assert.equal(server.state, 'closed')
})

test('contract 11: connections add no listener to the signal of the server, and close() takes its own away', async t => {
  const harness = createHarness(t)
  const { signal } = new AbortController()
  const served = await harness.serve(
    async connection => {
      assert.equal(connection.signal.aborted, false)
      await readToEnd(connection)
    },
    { signal },
  )
  const clients = Array.from({ length: 30 }, () => dialOpen(harness, served))
  await opened(served, 30)
  assert.equal(getEventListeners(signal, 'abort').length, 1)
  for (const { end } of clients) end()
  await served.server.close()
  assert.equal(getEventListeners(signal, 'abort').length, 0)
})
