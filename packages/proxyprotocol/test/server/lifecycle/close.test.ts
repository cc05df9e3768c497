// close() stops listening, and resolves when the last connection has ended (contract 2 and 16 to 18).

import assert from 'node:assert/strict'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { gate } from 'test-support/gate'
import { outcome, text, turns, until } from 'test-support/sockets'
import { createServer } from '../../../src/server/index.ts'
import { V2 } from '../../support/headers.ts'
import { counted, opened, over, readToEnd, createHarness, type Harness } from '../../support/harness.ts'
import { HOST, NOTHING, LONG, dialOpen } from '../../support/open-connections.ts'

test('contract 2: close() before listen() closes, and [Symbol.asyncDispose]() joins', async t => {
  const server = createHarness(t).watch(createServer({ trust: [] }, () => {}))
  const closing = server.close()
  assert.equal(server.state, 'draining')
  await server[Symbol.asyncDispose]()
  assert.deepEqual(await closing, NOTHING)
  assert.equal(server.state, 'closed')
})

test('contract 2: [Symbol.asyncDispose]() closes a server that was not closed', async t => {
  const { server } = await createHarness(t).serve(() => {})
  await server[Symbol.asyncDispose]()
  assert.equal(server.state, 'closed')
})

/** A server with one open connection, whose handler reads to the end. */
async function serveOne(harness: Harness) {
  const served = await harness.serve(readToEnd)
  const client = dialOpen(harness, served)
  await opened(served)
  return { served, client }
}

test('contract 2: close() is idempotent and joins, also after the end', async t => {
  const harness = createHarness(t)
  const { served, client } = await serveOne(harness)
  const [first, second] = [served.server.close(), served.server.close({ drain: 0 })]
  client.end()
  const result = await first
  assert.deepEqual(result, { drained: 1, forced: 0, stuck: [] })
  assert.equal(await second, result)
  assert.equal(await served.server.close(), result)
  assert.equal(await served.server.abort(), result)
  await assert.rejects(served.server.close({ drain: -1 }), /^RangeError: drain must be/)
  assert.equal((await client.ended).end, 'FIN')
})

test('contract 16: close() stops listening at once', async t => {
  const harness = createHarness(t)
  const { served, client } = await serveOne(harness)
  const closing = served.server.close()
  await Promise.resolve()
  assert.equal(served.server.address, null)
  assert.equal((await outcome(harness.dial(served.port))).end, 'ECONNREFUSED')
  client.end()
  await closing
})

test('contract 18: close() resolves after the finally of the last handler, the moment it has ended', async t => {
  const harness = createHarness(t)
  const steps: string[] = []
  const release = gate()
  const served = await harness.serve(async ({ socket }) => {
    try {
      await text(socket)
    } finally {
      await release.promise
      await turns()
      steps.push('finally')
    }
  })
  const clients = [dialOpen(harness, served), dialOpen(harness, served)]
  await opened(served, 2)
  const closing = served.server.close({ drain: LONG }).then(result => {
    steps.push('closed')
    return result
  })
  for (const { end } of clients) end()
  await turns()
  assert.deepEqual(steps, [])
  release.open()
  assert.deepEqual(await closing, { drained: 2, forced: 0, stuck: [] })
  assert.deepEqual(steps, ['finally', 'finally', 'closed'])
  for (const { ended } of clients) assert.equal((await ended).end, 'FIN')
  assert.deepEqual(counted(served), { done: 2 })
})

test('contract 16: connections that wait for their header are closed at once', async t => {
  const harness = createHarness(t)
  const started: unknown[] = []
  const served = await harness.serve(connection => void started.push(connection))
  const ended = [harness.dial(served.port), harness.dial(served.port)].map(client => {
    client.write(V2.subarray(0, 20))
    return outcome(client)
  })
  await until(() => served.server.connections.size === 2)
  assert.deepEqual(await served.server.close({ drain: LONG }), { drained: 0, forced: 2, stuck: [] })
  for (const { end } of await Promise.all(ended)) assert.equal(end, 'ECONNRESET')
  assert.deepEqual(counted(served), { aborted: 2 })
  assert.deepEqual([started, served.rejected], [[], []], 'the client is not to blame')
})

test('contract 17: handlers see draining, which is a hint and aborts nothing', async t => {
  const harness = createHarness(t)
  const seen: unknown[] = []
  const go = gate()
  const served = await harness.serve(async connection => {
    seen.push(connection.draining)
    await go.promise
    seen.push(connection.draining, connection.signal.aborted, connection.reason)
    connection.socket.end('bye')
    await text(connection.socket)
  })
  const client = dialOpen(harness, served)
  await opened(served)
  const closing = served.server.close({ drain: LONG })
  go.open()
  client.end()
  assert.deepEqual(await client.ended, { text: 'bye', end: 'FIN' })
  assert.deepEqual(await closing, { drained: 1, forced: 0, stuck: [] })
  assert.deepEqual(seen, [false, true, false, undefined])
})

test('contract 16: during readyDelay the server goes on accepting, as draining', async t => {
  const harness = createHarness(t)
  const seen: unknown[] = []
  const served = await harness.serve(async connection => {
    seen.push(connection.draining)
    await readToEnd(connection)
  })
  const closing = served.server.close({ readyDelay: 100 })
  assert.equal(served.server.state, 'draining')
  const client = dialOpen(harness, served)
  await opened(served)
  assert.notEqual(served.server.address, null)
  await until(() => served.server.address === null)
  client.end()
  assert.deepEqual(await closing, { drained: 1, forced: 0, stuck: [] })
  assert.deepEqual(seen, [true])
  assert.equal((await client.ended).end, 'FIN')
})

test('contract 16: connections that end during readyDelay are not counted as drained', async t => {
  const harness = createHarness(t)
  const { served, client } = await serveOne(harness)
  const closing = served.server.close({ readyDelay: 50 })
  client.end()
  await over(served, 1)
  assert.notEqual(served.server.address, null)
  assert.deepEqual(await closing, NOTHING)
})

test('contract 2: wrong options of close() are refused by name, and change nothing', async t => {
  const { server } = await createHarness(t).serve(() => {})
  for (const [options, name] of [
    [{ drain: -1 }, 'drain'],
    [{ drain: NaN }, 'drain'],
    [{ drain: Infinity }, 'drain'],
    [{ readyDelay: 2 ** 31 }, 'readyDelay'],
  ] as const) {
    const message = new RegExp(`^${name} must be milliseconds from 0 to 2147483647, got `)
    await assert.rejects(server.close(options), { name: 'RangeError', message })
  }
  assert.equal(server.state, 'listening')
})

test('contract 23: stats() is a snapshot', async t => {
  const harness = createHarness(t)
  const served = await harness.serve(readToEnd)
  const before = served.server.stats()
  const client = dialOpen(harness, served)
  await opened(served)
  assert.deepEqual([before.accepted, before.active], [0, 0])
  assert.deepEqual([served.server.stats().accepted, served.server.stats().active], [1, 1])
  client.end()
  await over(served, 1)
  assert.equal(before.closed.done, 0)
  assert.equal(served.server.stats().closed.done, 1)
})

test('contract 18: a server that is closed lets its process end', async t => {
  const harness = createHarness(t)
  const server = harness.watch(createServer({ trust: 'anyone' }, readToEnd))
  const { port } = (await server.listen(0, HOST)) as AddressInfo
  await outcome(harness.dial(port).end(V2))
  await server.close({ drain: LONG })
  assert.equal(process.getActiveResourcesInfo().includes('Timeout'), false)
})
