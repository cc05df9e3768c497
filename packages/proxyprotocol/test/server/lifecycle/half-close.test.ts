// What happens between the return of a handler and the end of its connection (contract 6).

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { outcome, text, until } from 'test-support/sockets'
import type { ProxyProtocolError } from '../../../src/codec/index.ts'
import { V2 } from '../../support/headers.ts'
import { counted, over, createHarness } from '../../support/harness.ts'
import { dialEnded, discards } from '../../support/open-connections.ts'

const MIB = 1024 * 1024
const timeouts = { halfClose: 50 }

test('contract 6: a return ends the write side, discards what still comes, and waits for the FIN of the peer', async t => {
  const harness = createHarness(t)
  const served = await harness.serve(({ socket }) => void socket.write('bye'))
  const client = harness.dial(served.port)
  client.write(V2)
  assert.equal(await text(client), 'bye')
  const connection = await discards(served, client, 8 * MIB)
  assert.equal(served.server.stats().active, 1)
  client.end()
  await over(served, 1)
  assert.equal(connection.state, 'closed')
  assert.deepEqual(counted(served), { done: 1 })
})

test('contract 6: a return after the FIN of the peer closes at once', async t => {
  const harness = createHarness(t)
  const served = await harness.serve(async ({ socket }) => {
    await text(socket)
    socket.write('bye')
  })
  assert.deepEqual(await outcome(harness.dial(served.port).end(V2)), { text: 'bye', end: 'FIN' })
  await over(served, 1)
  assert.deepEqual(counted(served), { done: 1 })
})

test('contract 6: what was written before the return arrives, however much it is', async t => {
  const harness = createHarness(t)
  const served = await harness.serve(({ socket }) => void socket.write(Buffer.alloc(16 * MIB, 'x')))
  const { text: received, end } = await outcome(harness.dial(served.port).end(V2))
  assert.deepEqual([received.length, end], [16 * MIB, 'FIN'])
  await over(served, 1)
  assert.deepEqual(counted(served), { done: 1 })
})

test('contract 6: a peer that does not end its side is closed after timeouts.halfClose', async t => {
  const harness = createHarness(t)
  const signals: AbortSignal[] = []
  const served = await harness.serve(
    ({ socket, signal }) => {
      signals.push(signal)
      socket.write('bye')
    },
    { timeouts },
  )
  const client = harness.dial(served.port)
  client.write(V2)
  const ended = outcome(client)
  await over(served, 1)
  assert.deepEqual(counted(served), { half_close_timeout: 1 })
  assert.equal((signals[0]?.reason as ProxyProtocolError).code, 'half_close_timeout')
  client.end()
  assert.deepEqual(await ended, { text: 'bye', end: 'FIN' })
})

test('contract 6: a peer that has taken everything and keeps its side is closed without RST', async t => {
  const harness = createHarness(t)
  const served = await harness.serve(({ socket }) => void socket.write('bye'), { timeouts })
  const client = harness.dial(served.port)
  client.write(V2)
  assert.equal(await text(client), 'bye')
  await over(served, 1)
  assert.deepEqual(counted(served), { half_close_timeout: 1 })
  const error = await new Promise(resolve => client.write('', resolve)) // fails where an RST has come
  assert.equal(error ?? undefined, undefined)
})

test('contract 6: a peer that still takes bytes has timeouts.halfClose again', async t => {
  const harness = createHarness(t)
  const served = await harness.serve(({ socket }) => void socket.write(Buffer.alloc(32 * MIB)), {
    timeouts: { halfClose: 1_234 },
  })
  const deadlines: (() => void)[] = []
  const { setTimeout: set } = globalThis
  t.mock.method(globalThis, 'setTimeout', (callback: () => void, wait: number) => {
    if (wait === 1_234) deadlines.push(callback)
    return set(callback, wait === 1_234 ? 60_000 : wait)
  })
  const client = harness.dial(served.port)
  client.write(V2)
  const received = text(client)
  await until(() => client.bytesRead > 16 * MIB)
  deadlines[0]?.()
  assert.equal(deadlines.length, 2)
  assert.equal((await received).length, 32 * MIB)
  client.end()
  await over(served, 1)
  assert.deepEqual(counted(served), { done: 1 })
})

test('contract 6: the deadline of the FIN is absolute, however steadily bytes come', async t => {
  const harness = createHarness(t)
  const served = await harness.serve(() => {}, { timeouts })
  const client = harness.dial(served.port)
  client.write(V2)
  await until(() => served.server.connections.size === 1)
  await until(() => {
    client.write('x')
    return served.server.stats().active === 0
  })
  assert.deepEqual(counted(served), { half_close_timeout: 1 })
})

test('contract 6: a peer that does not take what was written is reset, for what it has must not look whole', async t => {
  const harness = createHarness(t)
  const served = await harness.serve(
    ({ socket }) => {
      socket.write(Buffer.alloc(64 * MIB))
    },
    { timeouts },
  )
  const client = harness.dial(served.port).pause()
  client.write(V2)
  await once(client, 'readable')
  await over(served, 1)
  assert.deepEqual(counted(served), { half_close_timeout: 1 })
  const failed = once(client, 'error') as Promise<[NodeJS.ErrnoException]>
  client.write('') // sends nothing, and fails where an RST has come
  assert.equal(
    (await failed.catch((error: unknown) => [error as NodeJS.ErrnoException]))[0].code,
    'ECONNRESET',
  )
})

test('contract 6: a handler that has closed its socket and returns leaves nothing to wait for', async t => {
  const harness = createHarness(t)
  const served = await harness.serve(({ socket }) => void socket.destroy())
  await dialEnded(harness, served)
  await over(served, 1)
  assert.deepEqual(counted(served), { done: 1 })
})

test('contract 6: a loop that breaks off has closed its socket, which is not an error', async t => {
  const harness = createHarness(t)
  const served = await harness.serve(async ({ socket }) => {
    for await (const chunk of socket) if (String(chunk).includes('\n')) break
  })
  const client = harness.dial(served.port)
  client.write(Buffer.concat([V2, Buffer.from('hello\n')]))
  const ended = outcome(client)
  await over(served, 1)
  client.end()
  assert.equal((await ended).end, 'FIN')
  assert.deepEqual(counted(served), { done: 1 })
})

test('contract 22: a connection that waits for a FIN does not keep the process alive by its timer', async t => {
  const harness = createHarness(t)
  const served = await harness.serve(() => {})
  const client = await dialEnded(harness, served)
  assert.equal(process.getActiveResourcesInfo().includes('Timeout'), false)
  client.end()
  await over(served, 1)
})
