// Handlers that ignore that they were aborted: tracked, reported, and never forgotten (contract 12).

import assert from 'node:assert/strict'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { once } from 'node:events'
import { test } from 'node:test'
import { gate } from 'test-support/gate'
import { outcome, turns, until } from 'test-support/sockets'
import { diagnosticsChannels, type StuckMessage } from '../../../src/server/index.ts'
import { V2 } from '../../support/headers.ts'
import { counted, opened, over, createHarness } from '../../support/harness.ts'
import { pendingTimers } from '../../support/timers.ts'

const impatient = { timeouts: { abort: 20 } }

for (const [name, end, code] of [
  ['abort()', 'abort', 'aborted'],
  ['the end of its connection', 'close', 'done'],
] as const) {
  test(`contract 12: a handler that ignores ${name} is reported once as stuck, and stays in connections`, async t => {
    const harness = createHarness(t)
    const seen: StuckMessage[] = []
    const onStuck = (message: unknown): void => void seen.push(message as StuckMessage)
    subscribe(diagnosticsChannels.stuck, onStuck)
    harness.defer(() => unsubscribe(diagnosticsChannels.stuck, onStuck))
    const held = gate()
    const served = await harness.serve(({ socket }) => {
      socket.resume()
      return held.promise
    }, impatient)
    const client = harness.dial(served.port)
    client.write(V2)
    const [connection] = await opened(served)
    assert.ok(connection)
    if (end === 'abort') connection.abort()
    else connection.socket.destroy()
    await outcome(client.once('end', () => client.end()))
    await until(() => seen.length > 0)
    assert.deepEqual(
      [seen[0]?.connection, seen[0]?.server, seen[0]?.error.code],
      [connection, served.server, code],
    )
    assert.deepEqual([connection.stuck, served.server.connections.has(connection)], [true, true])
    held.open()
    await over(served, 1)
    assert.deepEqual([connection.stuck, seen.length], [false, 1])
    assert.deepEqual(counted(served), { [code]: 1 })
  })
}

test('contract 12: a handler that heeds its abort is not stuck, and leaves no timer', async t => {
  const harness = createHarness(t)
  const timers = pendingTimers(t)
  const served = await harness.serve(async ({ signal }) => {
    await once(signal, 'abort')
  }, impatient)
  const client = harness.dial(served.port)
  client.write(V2)
  const [connection] = await opened(served)
  connection?.abort()
  await over(served, 1)
  assert.equal(timers.size, 0)
  assert.equal(connection?.stuck, false)
})

test('contract 12: without subscribers a stuck handler is marked all the same', async t => {
  const harness = createHarness(t)
  const held = gate()
  const served = await harness.serve(() => held.promise, impatient)
  const client = harness.dial(served.port)
  client.write(V2)
  const [connection] = await opened(served)
  assert.equal(connection?.stuck, false)
  connection.abort()
  await until(() => connection.stuck)
  held.open()
  await turns()
})
