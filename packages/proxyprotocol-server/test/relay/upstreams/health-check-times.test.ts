// When health checks begin, when members are tried again, and that stopping ends both.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { parseHeader, ProxyProtocolError } from 'proxyprotocol'
import { closedPort, content, until } from 'test-support/sockets'
import type { Member } from '../../../src/relay/upstreams/member.ts'
import { listen } from '../../support/connections.ts'
import { INTERVAL, COOLDOWN, harness } from '../../support/health-check.ts'

/** A client's connection that fails. */
async function failClient(upstream: Member): Promise<void> {
  const fault = new ProxyProtocolError('connect_refused')
  await assert.rejects(
    upstream.attempt(() => Promise.reject(fault)),
    fault,
  )
}

test('without checks a member is tried when it is marked, a cooldown later, and one good try is enough', async t => {
  const far = await listen(t)
  const { check, upstream, pass, ended } = harness(t, `127.0.0.1:${far.port}`, { unchecked: true })
  check.start()
  pass(100 * COOLDOWN)
  await failClient(upstream)
  pass(COOLDOWN - 1)
  assert.deepEqual([far.accepted, upstream.state], [0, 'down'])
  pass(1)
  const socket = await far.accept()
  assert.equal(parseHeader(await content(socket)).command, 'LOCAL')
  await ended(1)
  assert.deepEqual(
    [upstream.state, upstream.snapshot().checks],
    ['up', undefined],
    'before the other side ends',
  )
  socket.end()
  pass(100 * COOLDOWN)
  await turn()
  assert.equal(far.accepted, 1)
})

test('stopping closes the connection of a try that has ended, though the upstream has not', async t => {
  const far = await listen(t)
  const { check, upstream, pass, ended, open } = harness(t, `127.0.0.1:${far.port}`, { unchecked: true })
  check.start()
  await failClient(upstream)
  pass(COOLDOWN)
  await content(await far.accept())
  await ended(1)
  assert.equal(open(), 1)
  check.stop()
  await until(() => open() === 0)
})

test('a try that fails is followed by another, a cooldown later', async t => {
  const port = await closedPort()
  const { check, upstream, pass, ended } = harness(t, `127.0.0.1:${port}`, { unchecked: true })
  check.start()
  await failClient(upstream)
  for (const count of [1, 2, 3]) {
    pass(COOLDOWN)
    await ended(count)
    assert.deepEqual([upstream.state, upstream.snapshot().lastFailure?.code], ['down', 'connect_refused'])
  }
  assert.deepEqual(
    upstream.snapshot().failures,
    { connect_refused: 1 },
    'tries of its own are no connections',
  )
})

test('a member that a client was served by in the meantime is not tried', async t => {
  const far = await listen(t)
  const { check, upstream, pass } = harness(t, `127.0.0.1:${far.port}`, { unchecked: true })
  check.start()
  await failClient(upstream)
  upstream.checked(undefined)
  pass(100 * COOLDOWN)
  await turn()
  assert.equal(far.accepted, 0)
})

test('a mark that was there before the start is tried as well, and one of a pool that does not run is not', async t => {
  const far = await listen(t)
  const { check, upstream, pass } = harness(t, `127.0.0.1:${far.port}`, { unchecked: true })
  await failClient(upstream)
  pass(100 * COOLDOWN)
  await turn()
  assert.equal(far.accepted, 0)
  check.start()
  pass(COOLDOWN)
  await far.accept()
})

test('two checks of one upstream never meet: the next begins an interval after the last has ended', async t => {
  const far = await listen(t)
  const { check, begin, ended, pass } = harness(t, `127.0.0.1:${far.port}`, { timeout: 100_000 })
  check.start()
  begin()
  const first = await far.accept()
  await content(first)
  pass(20 * INTERVAL)
  assert.equal(far.accepted, 1)
  first.end()
  await ended(1)
  pass(INTERVAL - 1)
  assert.equal(far.accepted, 1)
  pass(1)
  await far.accept()
  assert.equal(far.accepted, 2)
})

test('the first check begins at random within one interval', async t => {
  const far = await listen(t)
  const { check, pass } = harness(t, `127.0.0.1:${far.port}`)
  t.mock.method(Math, 'random', () => 0.25)
  check.start()
  pass(INTERVAL / 4 - 1)
  assert.equal(far.accepted, 0)
  pass(1)
  await far.accept()
})

test('stopping ends the check that is under way, counts it for nothing, and begins no other', async t => {
  const far = await listen(t)
  const { check, begin, upstream, open, pass } = harness(t, `127.0.0.1:${far.port}`)
  check.start()
  begin()
  await content(await far.accept())
  check.stop()
  await until(() => open() === 0)
  pass(100 * INTERVAL)
  const { checks } = upstream.snapshot()
  assert.deepEqual([checks?.passed, checks?.failed, far.accepted], [0, 0, 1])
})
