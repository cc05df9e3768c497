// Upstreams by SRV records: ports, weights, priorities, and targets that cannot be looked up.

import assert from 'node:assert/strict'
import dns, { type SrvRecord } from 'node:dns'
import { test, type TestContext } from 'node:test'
import { closedPort, until } from 'test-support/sockets'
import { serviceRecords } from '../../../../src/relay/upstreams/names/service-records.ts'
import type { Resolve } from '../../../../src/relay/upstreams/index.ts'
import { listen } from '../../../support/connections.ts'
import { at, harness, many } from '../../../support/upstream-pool.ts'

type Written = readonly [name: string, port: number, weight?: number, priority?: number]

/** What the name server has about `_web._tcp.app.test`. */
function setRecords(t: TestContext, ...written: readonly Written[]): void {
  const records = written.map(([name, port, weight = 1, priority = 1]): SrvRecord => ({
    name,
    port,
    weight,
    priority,
  }))
  t.mock.method(dns.promises, 'resolveSrv', async (name: string) => {
    assert.equal(name, '_web._tcp.app.test')
    return records
  })
}

/** Addresses by host; any other host is unknown. */
function hosts(table: Readonly<Record<string, readonly string[]>>): Resolve {
  return async host => {
    const found = table[host]
    if (found === undefined) throw new Error(`${host} is unknown`)
    return found.map(address => ({ address, family: address.includes(':') ? 6 : 4 }))
  }
}

const TABLE = { a: ['192.0.2.1'], b: ['192.0.2.2'], c: ['192.0.2.3', '2001:db8::3'] }

async function shares(t: TestContext, ...written: readonly Written[]): Promise<unknown[]> {
  setRecords(t, ...written)
  const found = await serviceRecords(hosts(TABLE))('_web._tcp.app.test')
  return found.map(({ address, port, share, backup }) => [`${address} ${String(port)}`, share, backup])
}

test('the records of a priority share the weight of the upstream, 1 each on average', async t => {
  assert.deepEqual(await shares(t, ['a', 81, 10], ['b', 82, 30]), [
    ['192.0.2.1 81', 0.5, false],
    ['192.0.2.2 82', 1.5, false],
  ])
  assert.deepEqual(await shares(t, ['a', 81, 0], ['b', 82, 0]), [
    ['192.0.2.1 81', 1, false],
    ['192.0.2.2 82', 1, false],
  ])
  const [small] = (await shares(t, ['a', 81, 0], ['b', 82, 50])) as [[string, number]] // the first has weight 0
  assert.ok(small[1] > 0 && small[1] < 0.02, String(small))
})

test('the addresses of a target divide its share, and higher priorities are backups', async t => {
  assert.deepEqual(await shares(t, ['c', 81, 5, 10], ['a', 82, 1, 20], ['b', 83, 3, 30]), [
    ['192.0.2.3 81', 0.5, false],
    ['2001:db8::3 81', 0.5, false],
    ['192.0.2.1 82', 1, true],
    ['192.0.2.2 83', 1, true],
  ])
})

test('a target that cannot be looked up keeps its addresses, and one without any is left out', async t => {
  const table: Record<string, readonly string[]> = { ...TABLE }
  const lookup = serviceRecords(host => hosts(table)(host))
  setRecords(t, ['a', 81], ['b', 82, 1, 2], ['unknown', 83, 1, 0])
  const before = await lookup('_web._tcp.app.test')
  assert.deepEqual(
    before.map(({ address, backup }) => [address, backup]),
    [
      ['192.0.2.1', false],
      ['192.0.2.2', true],
    ],
  )
  delete table['a']
  assert.deepEqual(await lookup('_web._tcp.app.test'), before)
  setRecords(t, ['unknown', 83])
  await assert.rejects(lookup('_web._tcp.app.test'), /unknown is unknown/)
})

test('the target "." stands for no service', async t => {
  setRecords(t, ['', 0])
  assert.deepEqual(await serviceRecords(hosts(TABLE))('_web._tcp.app.test'), [])
})

test('connections go to the ports of the records by weight, also of two ports at one address', async t => {
  const [one, two] = [await listen(t), await listen(t)]
  setRecords(t, ['local', one.port, 1], ['local', two.port, 3])
  const { pool, connect } = harness(t, [at('srv:_web._tcp.app.test', { name: 'web' })], {
    resolver: hosts({ local: ['127.0.0.1'] }),
  })
  const results = await many(8, connect)
  const ports = results.map(({ route: { upstreamAddress: at } }) => (at && 'port' in at ? at.port : 0))
  assert.deepEqual(
    [one, two].map(({ port }) => ports.filter(each => each === port).length),
    [2, 6],
  )
  const [upstream] = pool.snapshot().upstreams
  assert.deepEqual(
    [upstream?.name, upstream?.address, upstream?.members.map(({ address, weight }) => [address, weight])],
    [
      'web',
      'srv:_web._tcp.app.test',
      [one, two]
        .sort((a, b) => a.port - b.port)
        .map(each => [`127.0.0.1:${each.port}`, each === one ? 0.5 : 1.5]),
    ],
  )
})

test('a backup of the records serves while the others are down, and a later answer may make it the first', async t => {
  const [dead, live] = [await closedPort(), await listen(t)]
  setRecords(t, ['local', dead, 1, 1], ['local', live.port, 1, 2])
  const { pool, connect } = harness(t, [at('srv:_web._tcp.app.test')], {
    resolver: hosts({ local: ['127.0.0.1'] }),
    health: { fails: 1 },
    resolve: { interval: 1 },
  })
  const attempts = (await many(3, connect)).map(({ route }) => route.attempts)
  assert.deepEqual(attempts, [2, 1, 1])
  setRecords(t, ['local', live.port, 1, 1])
  await until(() => pool.snapshot().upstreams[0]?.members.length === 1)
  assert.equal((await connect()).route.attempts, 1)
})

test('an upstream of one family takes the addresses of that family from its targets', async t => {
  setRecords(t, ['c', 81], ['a', 81])
  const { pool } = harness(t, [at('srv:_web._tcp.app.test', { source: '::1', check: {} })], {
    resolver: hosts(TABLE),
  })
  pool.start()
  await until(() => pool.snapshot().upstreams[0]?.members.length === 1)
  assert.equal(pool.snapshot().upstreams[0]?.members[0]?.address, '[2001:db8::3]:81')
})
