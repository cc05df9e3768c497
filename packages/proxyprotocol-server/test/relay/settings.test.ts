// What bounds a relay: the defaults, what follows from the limit on open files, and that each bound does bind.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { descriptorLimit } from 'proxyprotocol/server'
import { until } from 'test-support/sockets'
import { parseService } from '../../src/config/index.ts'
import { connectionLimit, createRelay, withConnectionLimits } from '../../src/relay/index.ts'
import { holdName } from '../support/names.ts'
import { keepAlives, startRelay } from '../support/relay.ts'
import { atEnd } from '../support/teardown.ts'
import { chunk, dial, listen, outcome } from '../support/connections.ts'

test('each connection takes two descriptors, and the relays of a process share what there is', () => {
  assert.equal(connectionLimit(1, 1_024), 480)
  assert.equal(connectionLimit(2, 1_024), 240)
  assert.equal(connectionLimit(7, 1_024), 68)
  assert.equal(connectionLimit(3, 64), 1)
  assert.equal(connectionLimit(3, Infinity), Infinity)
  assert.equal(connectionLimit(), connectionLimit(1, descriptorLimit() ?? Infinity))
  for (const services of [0, -1, 1.5, NaN]) assert.throws(() => connectionLimit(services), RangeError)
})

test('a system that does not tell its limit sets none', t => {
  const platform = { value: process.platform, enumerable: true, configurable: true }
  Object.defineProperty(process, 'platform', { ...platform, value: 'darwin' })
  atEnd(t, () => Object.defineProperty(process, 'platform', platform))
  assert.equal(connectionLimit(), Infinity)
})

test('a service without a limit on connections has what the process can take, or its share of that', () => {
  const service = parseService(':0', ':1')
  assert.equal(createRelay(service).service.limits.connections, connectionLimit())
  const limited = parseService(':0', ':1', { limits: { connections: 7 } })
  assert.equal(createRelay(limited).service.limits.connections, 7)
  assert.deepEqual(
    withConnectionLimits([service, limited, service]).map(({ limits }) => limits.connections),
    [connectionLimit(3), 7, connectionLimit(3)],
  )
})

test('the kernel is told to ask after silent peers on both sides', async t => {
  assert.deepEqual(await keepAlives(t, { timeouts: { keepAlive: 7_000 } }), [
    [true, 7_000],
    [true, 7_000],
  ])
})

test('a connection over the limit reaches no upstream, and those within it go on', async t => {
  const upstream = await listen(t)
  const relay = await startRelay(t, `127.0.0.1:${upstream.port}?pp=noop`, { limits: { connections: 1 } })
  const client = dial(t, relay.port)
  const far = await upstream.accept()
  await outcome(dial(t, relay.port))
  assert.equal(relay.server.stats().closed.limit_connections, 1)
  client.write('still here')
  assert.equal((await chunk(far)).toString(), 'still here')
  assert.equal(upstream.accepted, 1)
})

test('a connection on which nothing moves is reset on both sides after the idle timeout', async t => {
  const upstream = await listen(t)
  const relay = await startRelay(t, `127.0.0.1:${upstream.port}`, { timeouts: { idle: 100 } })
  const client = outcome(dial(t, relay.port))
  const far = outcome(await upstream.accept())
  for (const { fin, error } of [await client, await far]) {
    assert.deepEqual({ fin, error }, { fin: false, error: 'ECONNRESET' })
  }
  const { reason, age } = await relay.record()
  assert.equal(reason, 'idle_timeout')
  assert.ok(age >= 99)
})

test('an upstream that cannot be connected to in time is given up', async t => {
  const name = holdName(t, 'upstream.test')
  const relay = await startRelay(t, 'upstream.test:80', { timeouts: { connect: 50 } })
  const { fin } = await outcome(dial(t, relay.port))
  assert.equal(fin, false)
  const { reason, error } = await relay.record()
  assert.equal(reason, 'connect_timeout')
  assert.match(error?.message ?? '', /50 ms/)
  name.answer()
  await until(() => relay.server.stats().active === 0)
})
