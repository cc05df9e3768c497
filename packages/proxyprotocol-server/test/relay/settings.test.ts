// What bounds a relay: the defaults, what follows from the limit on open files, and that each bound does bind.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { descriptorLimit } from 'proxyprotocol/server'
import { parseService } from '../../src/config/index.ts'
import { connectionLimit, createRelay, type RelayOptions } from '../../src/relay/index.ts'
import { holdName } from '../support/names.ts'
import { startRelay } from '../support/relay.ts'
import { atEnd } from '../support/teardown.ts'
import { chunk, dial, listen, outcome, until } from '../support/sockets.ts'

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

test('every limit and timeout has a value, and those that are given win', () => {
  const { settings } = createRelay(parseService(':0', ':1'))
  assert.deepEqual(settings.limits, { connections: connectionLimit() })
  assert.equal(settings.connectTimeout, 5_000)
  assert.deepEqual(settings.timeouts, { header: 5_000, handshake: 10_000, idle: 600_000, halfClose: 60_000 })
  const timeouts = { connect: 1, header: 3_000, handshake: 3, idle: 4, halfClose: 5, abort: 6 }
  const { connect, ...others } = timeouts
  const given = createRelay(parseService(':0', ':1'), {
    timeouts,
    limits: { connections: 7, perSource: 8 },
  }).settings
  assert.deepEqual(given.limits, { connections: 7, perSource: 8 })
  assert.equal(given.connectTimeout, connect)
  assert.deepEqual(given.timeouts, others)
})

test('a setting that is wrong is refused at the start', () => {
  const cases: [options: RelayOptions, message: RegExp][] = [
    [{ timeouts: { connect: 0 } }, /^RangeError: timeouts\.connect must be milliseconds.*, got 0$/],
    [{ timeouts: { connect: NaN } }, /^RangeError: timeouts\.connect .* got NaN$/],
    [{ timeouts: { connect: 2 ** 31 } }, /^RangeError: timeouts\.connect/],
    [{ timeouts: { idle: -1 } }, /^RangeError: timeouts\.idle/],
    [{ limits: { connections: 0 } }, /^RangeError: limits\.connections/],
    [{ passTlvs: [256] }, /^RangeError: passTlvs takes types of TLVs, 0 to 255 without 3 and 4, got 256$/],
    [{ passTlvs: [1, 3] }, /^RangeError: passTlvs .* got 3$/],
    [{ passTlvs: [4] }, /^RangeError: passTlvs .* got 4$/],
    [{ passTlvs: [-1] }, /^RangeError: passTlvs/],
    [{ passTlvs: [1.5] }, /^RangeError: passTlvs/],
  ]
  for (const [options, message] of cases)
    assert.throws(() => createRelay(parseService(':0', ':1'), options), message)
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
