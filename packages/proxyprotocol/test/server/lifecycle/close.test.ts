// How a server goes away: whom it waits for, whom it ends, and what it says about it (contract 2, 12 and 16 to 19).

import assert from 'node:assert/strict'
import { EventEmitter, getEventListeners, once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { pipeline } from 'node:stream/promises'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import type { ProxyProtocolError } from '../../../src/codec/index.ts'
import { createServer, type Connection } from '../../../src/server/index.ts'
import { gate } from '../../support/gate.ts'
import { V2 } from '../../support/headers.ts'
import { outcome, text, turns, until } from '../../support/sockets.ts'
import {
  counted,
  opened,
  over,
  readToEnd,
  createHarness,
  type Served,
  type Harness,
} from '../../support/harness.ts'

const HOST = '127.0.0.1'
const NOTHING = { drained: 0, forced: 0, stuck: [] }
/** Milliseconds that a drain may take which the test expects to end early; to wait for it would be a failure. */
const LONG = 60_000

/** An open client of a server. */
function dialOpen(
  harness: Harness,
  { port }: Served,
): { ended: ReturnType<typeof outcome>; end: () => void } {
  const client = harness.dial(port)
  client.write(V2)
  return { ended: outcome(client), end: () => client.end() }
}

async function untilAborted({ signal }: Connection): Promise<void> {
  if (!signal.aborted) await once(signal, 'abort')
}

test('contract 2: close() before listen() closes, and [Symbol.asyncDispose]() joins', async t => {
  const server = createHarness(t).watch(createServer({ trust: [] }, () => {}))
  const closing = server.close()
  assert.equal(server.state, 'draining')
  await server[Symbol.asyncDispose]()
  assert.deepEqual(await closing, NOTHING)
  assert.equal(server.state, 'closed')
})

test('contract 2: [Symbol.asyncDispose]() closes a server that nobody has closed', async t => {
  const { server } = await createHarness(t).serve(() => {})
  await server[Symbol.asyncDispose]()
  assert.equal(server.state, 'closed')
})

test('contract 2: close() is idempotent and joins, also after the end', async t => {
  const harness = createHarness(t)
  const served = await harness.serve(readToEnd)
  const client = dialOpen(harness, served)
  await opened(served)
  const [first, second] = [served.server.close(), served.server.close({ drain: 0 })]
  client.end()
  const result = await first
  assert.deepEqual(result, { drained: 1, forced: 0, stuck: [] })
  assert.equal(await second, result)
  assert.equal(await served.server.close(), result)
  assert.equal(await served.server.abort(), result)
  assert.equal((await client.ended).end, 'FIN')
})

test('contract 16: close() stops listening at once', async t => {
  const harness = createHarness(t)
  const served = await harness.serve(readToEnd)
  const client = dialOpen(harness, served)
  await opened(served)
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
  assert.deepEqual([started, served.rejected], [[], []], 'nobody is to blame')
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
  const client = harness.dial(served.port)
  client.write(V2)
  await once(client.resume(), 'end')
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
  const served = await harness.serve(readToEnd)
  const client = dialOpen(harness, served)
  await opened(served)
  const closing = served.server.close({ readyDelay: 50 })
  client.end()
  await over(served, 1)
  assert.notEqual(served.server.address, null)
  assert.deepEqual(await closing, NOTHING)
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

test('contract 6: detach() hands the socket out, which survives the return and the server', async t => {
  const harness = createHarness(t)
  const served = await harness.serve(connection => {
    const socket = connection.detach()
    harness.defer(() => socket.destroy())
    void pipeline(socket, socket)
  })
  const client = harness.dial(served.port)
  const ended = outcome(client)
  client.write(V2)
  await over(served, 1)
  assert.deepEqual(counted(served), { done: 1 })
  assert.deepEqual(await served.server.close(), NOTHING)
  client.end('still here')
  assert.deepEqual(await ended, { text: 'still here', end: 'FIN' })
})

test('contract 6: a detached socket is not reset by an abort or a throw, and the throw is reported', async t => {
  const harness = createHarness(t)
  const fault = new Error('fault')
  const sockets: unknown[] = []
  const served = await harness.serve(async connection => {
    const { signal, socket } = connection
    assert.equal(connection.detach(), socket)
    sockets.push(socket)
    harness.defer(() => socket.destroy())
    if (sockets.length === 1) throw fault
    await untilAborted(connection)
    assert.equal((signal.reason as ProxyProtocolError).code, 'aborted')
    assert.equal(socket.destroyed, false)
    socket.end('bye')
  })
  const client = harness.dial(served.port)
  const firstEnded = outcome(client)
  client.write(V2)
  await over(served, 1)
  assert.deepEqual(
    served.errors.splice(0).map(({ error }) => error),
    [fault],
  )
  const second = dialOpen(harness, served)
  await opened(served)
  assert.deepEqual(await served.server.abort(), { drained: 0, forced: 1, stuck: [] })
  second.end()
  assert.deepEqual(await second.ended, { text: 'bye', end: 'FIN' })
  assert.equal(client.destroyed, false)
  client.destroy()
  assert.equal((await firstEnded).end, 'closed')
})

test('contract 6: an error of a detached socket is for its owner alone', async t => {
  const harness = createHarness(t)
  const fault = new Error('fault')
  const seen: unknown[] = []
  const served = await harness.serve(async connection => {
    const socket = connection.detach()
    seen.push(socket.listenerCount('error'))
    socket.on('error', error => seen.push(error)).destroy(fault)
    await once(connection.signal, 'abort')
    seen.push((connection.signal.reason as ProxyProtocolError).code)
  })
  const client = dialOpen(harness, served)
  await over(served, 1)
  assert.deepEqual(seen, [0, fault, 'done'])
  assert.deepEqual(counted(served), { done: 1 })
  assert.equal((await client.ended).end, 'ECONNRESET')
})

test('contract 6: detach() is refused before the header and after the return', async t => {
  const harness = createHarness(t)
  const served = await harness.serve(() => {})
  const client = harness.dial(served.port)
  await until(() => served.server.connections.size === 1)
  const [connection] = served.server.connections
  const message = (state: string): object => ({
    message: `detach() needs an open connection, this one is ${state}`,
  })
  assert.throws(() => connection?.detach(), message('header'))
  client.write(V2)
  await once(client.resume(), 'end')
  assert.throws(() => connection?.detach(), message('closing'))
  client.end()
  await over(served, 1)
  assert.throws(() => connection?.detach(), message('closed'))
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
