// /stats.json of the real program with real traffic, and its description in the documentation.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { encodeHeader } from 'proxyprotocol'
import type { StatsDocument } from '../../src/figures/index.ts'
import { closedPort } from 'test-support/sockets'
import { runServer } from '../../src/cli/index.ts'
import { portIn } from '../support/child.ts'
import { configFile } from '../support/config-file.ts'
import { ask } from '../support/http.ts'
import { chunk, dial, listen, outcome } from '../support/connections.ts'
import { answering, peer } from '../support/datagrams.ts'
import { start } from '../support/program.ts'
import {
  type Harness,
  source,
  destination,
  startStage,
  exchange,
  metricsOf,
  bigDocument,
  rowsOf,
} from '../support/admin-program.ts'

async function statsOf({ admin }: Harness): Promise<StatsDocument> {
  return JSON.parse((await ask(admin, '/stats.json')).body) as StatsDocument
}

test('/stats.json lists each connection of the moment with what it has moved', async t => {
  const harness = await startStage(t)
  await exchange(t, harness, 0)
  const client = dial(t, harness.port)
  client.write(Buffer.concat([encodeHeader({ source, destination }), Buffer.from('hello')]))
  const far = await harness.upstream.accept()
  await chunk(far)
  far.write('you')
  await chunk(client)
  const { totals, connections, services, state, draining, reasons } = await statsOf(harness)
  assert.deepEqual([state, draining, reasons.done], ['ready', false, 1])
  assert.deepEqual(
    [totals.accepted, totals.active, totals.closed, totals.errors, totals.bytesUp, totals.bytesDown],
    [2, 1, 1, 0, 10, 5],
  )
  assert.equal(connections.total, 1)
  const [{ id, age, ...connection } = { id: '', age: 0 }] = connections.list
  assert.match(id, /^[0-9a-f-]{36}$/)
  assert.ok(age >= 0)
  assert.deepEqual(connection, {
    service: '127.0.0.1:0',
    state: 'open',
    peer: `127.0.0.1:${String(client.localPort)}`,
    source: '192.0.2.77:1234',
    destination: '192.0.2.88:443',
    upstream: `127.0.0.1:${harness.upstream.port}`,
    tls: null,
    sni: null,
    bytesUp: 5,
    bytesDown: 3,
    reason: null,
  })
  const [first] = services
  assert.deepEqual(
    [first?.expects, first?.sends, first?.trust, first?.state, first?.address],
    ['detect', 'v2', ['127.0.0.1'], 'listening', `127.0.0.1:${harness.port}`],
  )
})

test('/stats.json lists the flows of a UDP service beside connections', async t => {
  const upstream = await answering(t)
  const dns = {
    name: 'dns',
    listen: 'udp://127.0.0.1:0',
    upstream: `udp://127.0.0.1:${upstream.port}?pp=noop`,
  }
  const file = configFile(t, { services: [dns], admin: { listen: '127.0.0.1:0' } })
  const args = ['--config', file, '--drain', '1ms'] // a flow stays open
  const { ports, io } = await start(t, runServer, args, { listeners: 1 })
  const admin = portIn(await io.line(/ admin /))
  const client = await peer(t)
  await client.send('four', ports[0] ?? 0)
  await client.text()
  const { connections } = JSON.parse((await ask(admin, '/stats.json')).body) as StatsDocument
  const listed = connections.list.map(({ service, source: from, bytesUp }) => [service, from, bytesUp])
  assert.deepEqual([connections.total, listed], [1, [['dns', `127.0.0.1:${client.port}`, 4]]])
})

test('while draining /readyz is 503, /stats.json says so, and the listener ends with the program', async t => {
  const harness = await startStage(t)
  const client = dial(t, harness.port)
  client.write(encodeHeader({ source, destination }))
  const far = await harness.upstream.accept()
  assert.equal((await ask(harness.admin, '/readyz')).status, 200)
  const stopped = harness.stop()
  await harness.io.line(/ draining /)
  assert.equal((await ask(harness.admin, '/readyz')).status, 503)
  assert.equal((await ask(harness.admin, '/livez')).status, 200)
  assert.equal((await statsOf(harness)).draining, true)
  client.end()
  far.resume().end()
  client.resume()
  assert.equal(await stopped, 0)
  assert.equal(await ask(harness.admin, '/livez').catch(() => 'gone'), 'gone')
})

test('the start of the process is the same number at each look, however the clock is set', async t => {
  const harness = await startStage(t)
  const startOf = async (): Promise<unknown> =>
    (await metricsOf(harness)).samples.get('process_start_time_seconds')
  const before = await startOf()
  const now = Date.now()
  t.mock.method(Date, 'now', () => now + 60_001)
  assert.equal(await startOf(), before)
})

test('the list of connections is bounded, and the total says how many there are', async t => {
  const { connections, services, process: view } = await bigDocument(t)
  const [first, second] = connections.list
  assert.deepEqual([first?.tls, first?.sni, second?.tls, second?.sni], ['TLSv1.3', 'a.example', null, null])
  assert.deepEqual([connections.total, connections.list.length], [5_000, 1_000])
  assert.deepEqual(
    connections.list.slice(0, 2).map(({ peer, source: from, age }) => [peer, from, age]),
    [
      ['/run/app.sock', null, 1],
      ['0xff', null, 1],
    ],
  )
  assert.deepEqual(
    [services[0]?.limits, services[0]?.address, services[0]?.expects],
    [{ connections: null }, null, null],
  )
  assert.deepEqual([view.openFiles, view.maxFiles], [null, null])
})

test('a refusal shows when, who, why and what to do, without letters that reorder text', async t => {
  const { refusals } = await bigDocument(t)
  assert.deepEqual(refusals, [
    {
      ...{ id: 'x', time: '2027-01-15T08:00:00.000Z', service: 'a', reason: 'header_missing' },
      ...{ peer: '192.0.2.9:1234', source: '/run/\\u202ea', message: 'no\\u001b' },
      advice: 'Let this peer send the header, or connect through the load balancer.',
    },
  ])
})

test('what lists and the rate did is shown, and each client that was turned away, also by a quiet service', async t => {
  const upstream = await listen(t)
  const to = { upstream: `127.0.0.1:${upstream.port}?pp=noop` }
  const services = [
    { name: 'denying', listen: '127.0.0.1:0', deny: ['127.0.0.1'], log: { quiet: true }, ...to },
    { name: 'slow', listen: '127.0.0.1:0', rate: { connections: 1, per: '1h', burst: 2 }, ...to },
    { name: 'closed', listen: '127.0.0.1:0', upstream: `127.0.0.1:${await closedPort()}` },
  ]
  const { io, ports } = await start(
    t,
    runServer,
    ['--config', configFile(t, { services, admin: { listen: '127.0.0.1:0' } })],
    { listeners: 3 },
  )
  const [denying = 0, slow = 0, closed = 0] = ports
  await outcome(dial(t, denying))
  for (let i = 0; i < 2; i++) {
    dial(t, slow)
    await upstream.accept()
  }
  await outcome(dial(t, slow))
  await outcome(dial(t, closed).end('x'))
  await io.line(/ closed .* reason=connect_refused /)
  const admin = portIn(await io.line(/ admin /))
  const document = JSON.parse((await ask(admin, '/stats.json')).body) as StatsDocument
  assert.deepEqual(
    document.refusals.map(({ service, reason, peer }) => [service, reason, peer?.replace(/\d+$/, '')]),
    [
      ['slow', 'limit_rate', '127.0.0.1:'],
      ['denying', 'denied_acl', '127.0.0.1:'],
    ],
  )
  const [first, second] = document.services
  assert.deepEqual(first?.access, { allow: null, deny: 1, allowed: 0, denied: 1 })
  assert.deepEqual([first.rate, second?.access], [null, null])
  assert.deepEqual(second?.rate, { connections: 1, per: 3_600_000, burst: 2, used: 2 })
  assert.deepEqual(second.queues, [{ route: '*', waiting: 0, size: 100 }])
})

/** Names that are not documented one by one. */
const vocabularies = ['reasons', 'limits', 'timeouts']

/** Every path of an answer, such as `services[].name`; that of an empty list cannot go on. */
function pathsOf(value: unknown, path = ''): string[] {
  if (Array.isArray(value)) return value.flatMap(each => pathsOf(each, `${path}[]`))
  if (typeof value !== 'object' || value === null) return [path]
  return Object.entries(value).flatMap(([name, each]) => {
    const deeper = path === '' ? name : `${path}.${name}`
    return vocabularies.includes(name) ? [`${deeper}.*`] : pathsOf(each, deeper)
  })
}

test('docs/admin.md names every part of an actual /stats.json, and no other', async t => {
  const harness = await startStage(t)
  const open = dial(t, harness.port)
  open.write(encodeHeader({ source, destination }))
  await chunk(await harness.upstream.accept())
  const document = await statsOf(harness)
  const { services, refusals } = await bigDocument(t)
  const parts = services.map(({ upstreams, certificates, access, rate }) => {
    return { upstreams, certificates, access, rate }
  })
  const paths = new Set([...pathsOf(document), ...pathsOf({ services: parts, refusals })])
  assert.deepEqual(
    rowsOf('stats.json')
      .map(([path]) => path)
      .sort(),
    [...paths].sort(),
  )
})
