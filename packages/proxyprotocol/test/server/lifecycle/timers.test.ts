// Every timer of a connection and of a close ends with it (contract 22).

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { closedPort, listenRaw, outcome, until } from 'test-support/sockets'
import { connect } from '../../../src/client/index.ts'
import { LOCAL, V2 } from '../../support/headers.ts'
import { opened, over, readToEnd, createHarness } from '../../support/harness.ts'
import { pendingTimers } from '../../support/timers.ts'

test('contract 22: the timer for the header ends with the header, or with what comes instead', async t => {
  const harness = createHarness(t)
  const timers = pendingTimers(t)
  const served = await harness.serve(readToEnd)
  const client = harness.dial(served.port)
  await until(() => served.server.connections.size === 1)
  assert.equal(timers.size, 1)
  client.write(V2)
  await opened(served)
  assert.equal(timers.size, 0)
  await outcome(harness.dial(served.port).end('junk'))
  await over(served, 1)
  assert.equal(timers.size, 0)
  client.end()
})

test('contract 22: the timer for the FIN of the peer ends with the connection', async t => {
  const harness = createHarness(t)
  const timers = pendingTimers(t)
  const served = await harness.serve(() => {})
  const client = harness.dial(served.port)
  client.write(LOCAL)
  await once(client.resume(), 'end')
  assert.equal(timers.size, 1)
  client.end()
  await over(served, 1)
  assert.equal(timers.size, 0)
})

test('contract 22: a handler that fails leaves no timer', async t => {
  const harness = createHarness(t)
  const timers = pendingTimers(t)
  const served = await harness.serve(() => {
    throw new Error('fault')
  })
  const client = harness.dial(served.port)
  client.write(V2)
  await outcome(client)
  await over(served, 1)
  assert.equal(timers.size, 0)
  assert.equal(served.errors.splice(0).length, 1)
})

test('contract 22: the timers of close() end with it', async t => {
  const harness = createHarness(t)
  const timers = pendingTimers(t)
  const served = await harness.serve(readToEnd)
  const client = harness.dial(served.port)
  client.write(V2)
  await opened(served)
  const closing = served.server.close()
  await Promise.resolve()
  assert.equal(timers.size, 1)
  client.end()
  await closing
  assert.equal(timers.size, 0)
})

test('contract 22: the timer of connect() ends when the connection stands, and when it fails', async t => {
  const harness = createHarness(t)
  const timers = pendingTimers(t)
  const { port } = await listenRaw(harness)
  const refusing = await closedPort()
  const connecting = [port, refusing].map(each => connect({ host: '127.0.0.1', port: each }, 'none'))
  assert.equal(timers.size, 2)
  const [connected, refused] = await Promise.allSettled(connecting)
  assert.equal(timers.size, 0)
  assert.equal(refused?.status, 'rejected')
  assert.ok(connected?.status === 'fulfilled')
  connected.value.destroy()
})
