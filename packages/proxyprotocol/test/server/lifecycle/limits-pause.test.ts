// Connections over a limit can wait for a connection slot (contract 15 and 16).

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { gate } from 'test-support/gate'
import { outcome, text, turns, until, type Outcome } from 'test-support/sockets'
import { errorMessages } from '../../../src/codec/index.ts'
import type { ServerOptions } from '../../../src/server/index.ts'
import { clientHeader, V2 } from '../../support/headers.ts'
import { counted, opened, over, readToEnd, createHarness } from '../../support/harness.ts'
import { turnedAway, ending, arrived } from '../../support/over-limit.ts'

const paused: Partial<ServerOptions> = { limits: { connections: 1 }, overLimit: 'pause' }

test('contract 15: pause: connections wait in the order of their arrival, and lose no byte', async t => {
  const harness = createHarness(t)
  const order: (number | undefined)[] = []
  const payloads: string[] = []
  let most = 0
  const served = await harness.serve(async ({ socket }) => {
    order.push(socket.remotePort)
    most = Math.max(most, [...served.server.connections].filter(({ state }) => state === 'open').length)
    payloads.push(await text(socket))
    socket.end('served')
  }, paused)
  const first = await arrived(harness, served, clientHeader(0))
  const firstEnded = outcome(first)
  await opened(served)
  const payload = (n: number): string => `${n} `.repeat(100_000)
  const ended: Promise<Outcome>[] = []
  for (const n of [1, 2, 3]) {
    const client = await arrived(harness, served)
    ended.push(outcome(client))
    client.end(Buffer.concat([clientHeader(n), Buffer.from(payload(n))]))
  }
  await turns(50)
  const states = [...served.server.connections].map(({ state }) => state)
  assert.deepEqual(states, ['open', 'accepted', 'accepted', 'accepted'])
  assert.deepEqual(order, [1024])
  first.end()
  assert.deepEqual(await firstEnded, { text: 'served', end: 'FIN' })
  for (const each of await Promise.all(ended)) assert.deepEqual(each, { text: 'served', end: 'FIN' })
  await over(served, 4)
  assert.deepEqual(order, [1024, 1025, 1026, 1027])
  assert.ok(payloads.join('|') === ['', payload(1), payload(2), payload(3)].join('|'))
  assert.equal(most, 1)
  assert.deepEqual(counted(served), { done: 4 })
})

test('contract 15: pause: who waits past the deadline of its header is closed and counted', async t => {
  const harness = createHarness(t)
  const served = await harness.serve(readToEnd, { ...paused, timeouts: { header: 300 } })
  await arrived(harness, served, V2)
  await opened(served)
  assert.deepEqual(await ending(harness, served.port), turnedAway('pause'))
  await over(served, 1)
  assert.deepEqual(counted(served), { limit_connections: 1 })
  assert.equal(served.rejected[0]?.error.message, `${errorMessages.limit_connections}: 1 are open`)
})

test('contract 15: pause: the wait for a place counts towards the deadline of the header', async t => {
  const harness = createHarness(t)
  const served = await harness.serve(readToEnd, { ...paused, timeouts: { header: 800 } })
  const first = await arrived(harness, served, V2)
  await opened(served)
  const ended = ending(harness, served.port)
  await until(() => served.server.connections.size === 2)
  const [, waiting] = served.server.connections
  await until(() => (waiting?.age ?? 0) > 200)
  first.end()
  assert.deepEqual(await ended, turnedAway('pause'))
  await over(served, 2)
  assert.deepEqual(counted(served), { done: 1, header_timeout: 1 })
  const [, left] = /nothing came within (\d+) ms/.exec(served.rejected[0]?.error.message ?? '') ?? []
  assert.ok(Number(left) > 0 && Number(left) <= 600, `${String(left)} ms were left`)
})

test('contract 15: pause: no more connections wait than limits.pendingHeaders', async t => {
  const harness = createHarness(t)
  const limits = { connections: 1, pendingHeaders: 2 }
  const served = await harness.serve(readToEnd, { limits, overLimit: 'pause' })
  const first = await arrived(harness, served, V2)
  await opened(served)
  const waiting = [await arrived(harness, served, V2), await arrived(harness, served, V2)]
  assert.deepEqual(await ending(harness, served.port), turnedAway('pause'))
  await over(served, 1)
  assert.deepEqual(counted(served), { limit_connections: 1 })
  for (const [index, client] of [first, ...waiting].entries()) {
    await opened(served)
    client.end()
    await over(served, index + 2)
  }
  assert.deepEqual(counted(served), { limit_connections: 1, done: 3 })
})

test('contract 16: pause: connections that wait are closed with the server', async t => {
  const harness = createHarness(t)
  const hold = gate()
  const served = await harness.serve(() => hold.promise, paused)
  const first = await arrived(harness, served, V2)
  await opened(served)
  const ended = ending(harness, served.port, V2)
  await until(() => served.server.connections.size === 2)
  const closing = served.server.close()
  assert.equal((await ended).text, '')
  await over(served, 1)
  assert.deepEqual(counted(served), { aborted: 1 })
  hold.open()
  first.end()
  assert.deepEqual(await closing, { drained: 1, forced: 1, stuck: [] })
  assert.deepEqual(counted(served), { aborted: 1, done: 1 })
  assert.deepEqual(served.rejected, [])
})
