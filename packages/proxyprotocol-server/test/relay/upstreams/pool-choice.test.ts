// Which upstream of a pool a connection goes to.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import type { Endpoint } from 'proxyprotocol'
import { closedPort, until } from 'test-support/sockets'
import { setName } from '../../support/names.ts'
import { connectedSockets, listen } from '../../support/connections.ts'
import { at, counts, harness, listeners, portsOf, many } from '../../support/upstream-pool.ts'

test('90 connections over weights 5, 3 and 1 are exactly 50, 30 and 10', async t => {
  const far = await listeners(t, 3)
  const [a = 0, b = 0, c = 0] = portsOf(far)
  const { pool, connect } = harness(t, [at(a, { weight: 5 }), at(b, { weight: 3 }), at(c)])
  await many(90, connect)
  await until(() => counts(far).reduce((sum, count) => sum + count) === 90)
  assert.deepEqual(counts(far), [50, 30, 10])
  assert.deepEqual(
    pool.snapshot().upstreams.map(({ total, active }) => [total, active]),
    [
      [50, 50],
      [30, 30],
      [10, 10],
    ],
  )
})

test('least connections makes up for those that have ended', async t => {
  const far = await listeners(t, 2)
  const { pool, connect } = harness(
    t,
    portsOf(far).map(port => at(port)),
    { balance: 'least-connections' },
  )
  const first = await many(10, connect)
  const names = new Set(first.map(({ route }) => route.upstream))
  assert.equal(names.size, 2)
  const [emptied] = names
  for (const { route, socket } of first) {
    if (route.upstream !== emptied) continue
    socket.destroy()
    await once(socket, 'close')
  }
  const next = await many(5, connect)
  assert.deepEqual(new Set(next.map(({ route }) => route.upstream)), new Set([emptied]))
  assert.deepEqual(
    pool.snapshot().upstreams.map(({ active }) => active),
    [5, 5],
  )
})

test('source hash keeps a client where it was, by its address alone, however IPv4 is written', async t => {
  const far = await listeners(t, 4)
  const { connect } = harness(
    t,
    portsOf(far).map(port => at(port)),
    { balance: 'source-hash' },
  )
  async function served(source: Endpoint | undefined): Promise<string | undefined> {
    return (await connect({ source })).route.upstream
  }
  for (const address of ['192.0.2.1', '192.0.2.2', '192.0.2.3', '2001:db8::1', '2001:db8::2']) {
    const first = await served({ address, port: 1 })
    assert.equal(await served({ address, port: 2 }), first)
    if (address.includes('.')) assert.equal(await served({ address: `::ffff:${address}`, port: 3 }), first)
  }
  const pathless = [await served(undefined), await served({ path: '/run/app.sock' })]
  assert.equal(new Set(pathless).size, 2, 'clients without an address are dealt out')
})

test('a backup gets nothing while another is up, and everything while none is', async t => {
  const [spare] = await listeners(t, 1)
  const main = await listen(t)
  assert.ok(spare)
  const refused = await closedPort()
  const up = harness(t, [at(spare.port, { backup: true }), at(main.port)])
  await many(5, up.connect)
  assert.deepEqual([spare.accepted, main.accepted], [0, 5])
  const clock = { now: 0 }
  const down = harness(t, [at(spare.port, { backup: true }), at(refused)], { now: () => clock.now })
  const results = await many(5, down.connect)
  assert.deepEqual(
    results.map(({ route }) => route.attempts),
    [2, 2, 2, 1, 1],
    'three failures mark it',
  )
})

test('an upstream of weight 0 gets no connection, and one of several none at all is no_upstream', async t => {
  const far = await listeners(t, 2)
  const [a = 0, b = 0] = portsOf(far)
  const { connect } = harness(t, [at(a, { weight: 0 }), at(b)])
  await many(3, connect)
  assert.deepEqual(counts(far), [0, 3])
  await assert.rejects(harness(t, [at(a, { weight: 0 })]).connect(), { code: 'no_upstream' })
})

test('an upstream without a host is on this machine', async t => {
  const far = await listen(t)
  const [here, refused] = [far.port, await closedPort()].map(port => ({
    address: { transport: 'tcp', host: undefined, port, pp: undefined, tls: undefined } as const,
  }))
  assert.ok(here && refused)
  const { connect } = harness(t, [refused, here])
  const { route } = await connect()
  assert.deepEqual([route.upstreamAddress, route.attempts], [{ address: '127.0.0.1', port: far.port }, 2])
})

test('a connection that is gone at once has the address of its upstream, but where only it can say that', async t => {
  const far = await listen(t)
  const made = connectedSockets(t)
  setName(t, 'upstream.test', '127.0.0.1')
  for (const [host, address] of [
    ['127.0.0.1', { address: '127.0.0.1', port: far.port }],
    ['upstream.test', { address: '127.0.0.1', port: far.port }],
    ['0.0.0.0', undefined],
  ] as const) {
    const { connect } = harness(t, [at(`${host}:${far.port}`)])
    const { route } = await connect({
      payload: () => {
        for (const socket of made()) socket.destroy()
        return null
      },
    })
    assert.deepEqual([route.attempts, route.upstreamAddress], [1, address])
  }
})
