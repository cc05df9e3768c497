// /metrics and /stats.json of the real program with real traffic, and the documentation's word for them.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { Server } from 'node:http'
import { test, type TestContext } from 'node:test'
import { encodeHeader } from 'proxyprotocol'
import { closeReasons } from 'proxyprotocol/server'
import { exposition } from '../../src/admin/metrics/metric.ts'
import { metrics } from '../../src/admin/metrics/metrics.ts'
import { ProcessFacts } from '../../src/admin/process-facts.ts'
import { snapshotOf, type Snapshot } from '../../src/admin/snapshot.ts'
import { statsDocument } from '../../src/admin/stats-document.ts'
import type {
  AdminSource,
  ServiceView,
  StatsDocument,
  TotalsView,
  UpstreamView,
} from '../../src/admin/index.ts'
import { startDnsServer } from '../../../proxyprotocol/test/support/dns-server.ts'
import { runServer } from '../../src/cli/index.ts'
import { serverRequest } from '../../src/cli/server/arguments.ts'
import { parseConfig } from '../../src/config/index.ts'
import { pathOf } from '../support/child.ts'
import { ask } from '../support/http.ts'
import { atEnd } from '../support/teardown.ts'
import { fakeIo, start, type Running } from '../support/program.ts'
import { chunk, closedPort, content, dial, listen, outcome, type Listener } from '../support/sockets.ts'

interface Harness extends Running {
  readonly admin: number
  readonly upstream: Listener
  /** As they were configured. */
  readonly upstreams: readonly string[]
  /** The port of the service that expects headers. */
  readonly port: number
}

const source = { address: '192.0.2.77', port: 1234 }
const destination = { address: '192.0.2.88', port: 443 }

/** The program with two services: one that expects headers, and one whose upstream is not there. */
async function startStage(t: TestContext): Promise<Harness> {
  const upstream = await listen(t)
  const upstreams = [`127.0.0.1:${upstream.port}`, `127.0.0.1:${await closedPort()}`] as const
  const running = await start(t, runServer, [
    ...['--admin', '127.0.0.1:0', '--trust', '127.0.0.1'],
    ...['--service', '127.0.0.1:0?pp=detect', upstreams[0]],
    ...['--service', '127.0.0.1:0', upstreams[1]],
  ])
  const [, admin] = / admin address=127\.0\.0\.1:(\d+)/.exec(running.io.written.join('')) ?? []
  return { ...running, upstream, upstreams, admin: Number(admin), port: running.ports[0] ?? 0 }
}

/** One relayed exchange: 5 bytes up and 2 down. */
async function exchange(t: TestContext, { port, upstream, io }: Harness, n: number): Promise<void> {
  const client = dial(t, port)
  client.write(encodeHeader({ source, destination }))
  client.end('hello')
  const far = await upstream.accept()
  await content(far)
  far.end('hi')
  await content(client)
  await io.line(/ closed .* reason=done /, n)
}

async function statsOf({ admin }: Harness): Promise<StatsDocument> {
  return JSON.parse((await ask(admin, '/stats.json')).body) as StatsDocument
}

/** Sample lines of the exposition format. */
function samplesOf(text: string): Map<string, number> {
  const lines = text.split('\n').filter(line => line !== '' && !line.startsWith('#'))
  return new Map(
    lines.map(line => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ')))]),
  )
}

async function metricsOf({ admin }: Harness): Promise<{ text: string; samples: Map<string, number> }> {
  const { body } = await ask(admin, '/metrics')
  return { text: body, samples: samplesOf(body) }
}

test('what was relayed, refused and could not be relayed is counted once, however often it is read', async t => {
  const harness = await startStage(t)
  await exchange(t, harness, 0)
  await exchange(t, harness, 1)
  await outcome(dial(t, harness.port).end('GET / HTTP/1.1\r\n\r\n'))
  await harness.io.line(/ rejected /)
  await outcome(dial(t, harness.ports[1] ?? 0))
  await harness.io.line(/ reason=connect_refused /)
  const [{ samples }] = await Promise.all([metricsOf(harness), metricsOf(harness)])
  const first = 'service="127.0.0.1:0"'
  const second = 'service="127.0.0.1:0#2"'
  const expected: Record<string, number> = {
    [`proxyprotocol_connections_accepted_total{${first}}`]: 3,
    [`proxyprotocol_connections_active{${first}}`]: 0,
    [`proxyprotocol_connections_pending{${first}}`]: 0,
    [`proxyprotocol_connections_closed_total{${first},reason="done"}`]: 2,
    [`proxyprotocol_connections_closed_total{${first},reason="header_missing"}`]: 1,
    [`proxyprotocol_connections_rejected_total{${first},reason="header_missing"}`]: 1,
    [`proxyprotocol_connections_closed_total{${second},reason="connect_refused"}`]: 1,
    [`proxyprotocol_relayed_bytes_total{${first},direction="up"}`]: 10,
    [`proxyprotocol_relayed_bytes_total{${first},direction="down"}`]: 4,
    [`proxyprotocol_headers_received_total{${first},version="v2",command="PROXY"}`]: 2,
    [`proxyprotocol_upstream_connect_duration_seconds_count{${first}}`]: 2,
    [`proxyprotocol_upstream_connect_duration_seconds_count{${second}}`]: 0,
    [`proxyprotocol_connection_duration_seconds_bucket{le="+Inf",${first}}`]: 2,
    [`proxyprotocol_connection_duration_seconds_count{${second}}`]: 1,
    proxyprotocol_ready: 1,
    proxyprotocol_log_lines_lost_total: 0,
  }
  const found = Object.fromEntries(Object.keys(expected).map(name => [name, samples.get(name)]))
  assert.deepEqual(found, expected)
  const { samples: later } = await metricsOf(harness)
  for (const name of Object.keys(expected)) assert.equal(later.get(name), samples.get(name), name)
})

test('every bucket of a histogram holds those below it, and the last one all', async t => {
  const harness = await startStage(t)
  await exchange(t, harness, 0)
  const { samples } = await metricsOf(harness)
  for (const name of [
    'proxyprotocol_upstream_connect_duration_seconds',
    'proxyprotocol_connection_duration_seconds',
  ]) {
    const buckets = [...samples].filter(
      ([key]) => key.startsWith(`${name}_bucket{`) && key.includes('127.0.0.1:0"'),
    )
    const counts = buckets.map(([, count]) => count)
    assert.ok(counts.length > 10)
    assert.deepEqual(
      counts,
      [...counts].sort((a, b) => a - b),
    )
    assert.equal(counts.at(-1), 1)
    const sum = samples.get(`${name}_sum{service="127.0.0.1:0"}`) ?? 0
    assert.ok(sum > 0 && sum < 5, 'seconds')
  }
})

test('names say their unit, help is a sentence, and a type stands beside each', async t => {
  const { text } = await metricsOf(await startStage(t))
  for (const { name, help, type } of metrics) {
    assert.match(name, /^(proxyprotocol|process)_[a-z0-9_]+$/)
    assert.equal(name.endsWith('_total'), type === 'counter', name)
    if (type === 'histogram') assert.match(name, /_seconds$/)
    if (/duration|delay|time/.test(name)) assert.match(name, /_seconds$/)
    if (/bytes|memory/.test(name)) assert.match(name, /_bytes(_total)?$/)
    assert.match(help, /^[A-Z0-9].*\.$/, name)
    assert.ok(text.includes(`# HELP ${name} ${help}\n# TYPE ${name} ${type}\n`), name)
  }
  assert.equal(new Set(metrics.map(({ name }) => name)).size, metrics.length)
})

test('labels are configured names and closed vocabularies: no address of the network, nothing that it sent', async t => {
  const harness = await startStage(t)
  await exchange(t, harness, 0)
  const open = dial(t, harness.port)
  open.write(encodeHeader({ source, destination }))
  await chunk(await harness.upstream.accept())
  const { text, samples } = await metricsOf(harness)
  const sets: Record<string, (value: string) => boolean> = {
    service: value => ['127.0.0.1:0', '127.0.0.1:0#2'].includes(value),
    reason: value => closeReasons.some(reason => reason === value),
    direction: value => ['up', 'down'].includes(value),
    version: value => ['v1', 'v2', '0.1.0'].includes(value),
    command: value => ['LOCAL', 'PROXY'].includes(value),
    route: value => value === '*',
    node: value => value === process.version,
    upstream: value => harness.upstreams.includes(value),
    state: value => ['up', 'probing', 'drained', 'down', 'leaving'].includes(value),
    le: value => value === '+Inf' || Number(value) > 0,
  }
  let labels = 0
  for (const sample of samples.keys()) {
    for (const [, name = '', value = ''] of sample.matchAll(/([a-z]+)="([^"]*)"/g)) {
      assert.ok(sets[name]?.(value), `${name}="${value}"`)
      labels++
    }
  }
  assert.ok(labels > 100)
  for (const address of ['192.0.2.77', '192.0.2.88', String(open.localPort)])
    assert.ok(!text.includes(address))
})

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

const totals: TotalsView = {
  accepted: 2_500,
  active: 2_500,
  pending: 0,
  closed: Object.fromEntries(closeReasons.map(reason => [reason, 0])) as TotalsView['closed'],
  bytesUp: 0,
  bytesDown: 0,
  headers: [{ version: 2, command: 'PROXY', count: 1 }],
  connects: { bounds: [1], counts: [0, 0], sum: 0 },
  ages: { bounds: [1], counts: [0, 0], sum: 0 },
}
const upstreams: UpstreamView[] = ['up', 'down'].map((state, i) => ({
  ...{
    name: `app-${state}`,
    route: '*',
    address: i === 0 ? '192.0.2.1:80' : undefined,
    weight: 1,
    backup: i === 1,
    state,
  },
  ...{ active: i, total: 2 * i, failures: 3 * i },
  lastFailure: i === 0 ? undefined : { code: 'connect_refused', message: 'refused', age: 1.4 },
  members: ['up', 'down', 'down', 'leaving'].slice(0, i === 0 ? 4 : 1).map((each, n) => ({
    ...{ address: `192.0.2.${n + 1}:80`, weight: 1, state: each, active: n, total: n, failures: n },
    lastFailure: n === 0 ? undefined : { code: 'connect_timeout', message: 'silent', age: 2.6 },
    checks: n === 0 ? { passed: 5, failed: 6 } : undefined,
  })),
  ...{ memberChanges: 7 * i, leftOut: i },
  resolution:
    i === 0
      ? { age: 1_500.4, answers: 3, failures: 2, lastFailure: 'EAI_AGAIN' }
      : { age: undefined, answers: 0, failures: 0, lastFailure: undefined },
}))

/** A service at a size, and with upstreams, that the program's own do not have. */
async function bigSnapshot(t: TestContext): Promise<Snapshot> {
  function* connections(): ReturnType<ServiceView['connections']> & Generator {
    for (let i = 0; i < 2_500; i++) {
      const path = { path: i === 0 ? '/run/app.sock' : Uint8Array.of(255) }
      const ends = { peer: path, source: undefined, destination: undefined, upstream: undefined }
      const tls = i === 0 ? { version: 'TLSv1.3', serverName: 'a.example' } : undefined
      yield { id: String(i), state: 'open', ...ends, tls, age: 1.4, bytesUp: 0, bytesDown: 0, reason: 'done' }
    }
  }
  const service: ServiceView = {
    ...{ name: 'big', address: undefined, upstream: 'pool', sends: 'v2', expects: undefined, trust: [] },
    ...{ state: 'idle', limits: { connections: Infinity }, timeouts: {} },
    totals: () => totals,
    connections,
    certificates: [{ role: 'listen', file: '/etc/cert.pem', expires: 1_900_000_000_000 }],
    upstreams: () => upstreams,
    dnsbl: { listed: 2, timeout: 3 },
  }
  const facts = new ProcessFacts()
  atEnd(t, () => {
    facts.stop()
  })
  const source: AdminSource = {
    version: '1',
    readiness: () => 'starting',
    services: () => [service, { ...service, name: 'other' }],
    lostLogLines: () => 0,
  }
  const snapshot = await snapshotOf(source, facts)
  return { ...snapshot, process: { ...snapshot.process, openFiles: undefined, maxFiles: undefined } }
}

const lastMinute = { accepted: [], closed: [], errors: [], bytesUp: [], bytesDown: [] }

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
  const { connections, services, process: view } = statsDocument(await bigSnapshot(t), lastMinute)
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

test('several upstreams are shown one by one, and what is unknown or unlimited is absent from metrics', async t => {
  const snapshot = await bigSnapshot(t)
  const { services } = statsDocument(snapshot, lastMinute)
  assert.deepEqual(
    services[0]?.upstreams.map(({ name, address }) => [name, address]),
    [
      ['app-up', '192.0.2.1:80'],
      ['app-down', null],
    ],
  )
  const samples = samplesOf((await exposition(metrics, snapshot)).text)
  assert.deepEqual(services[0].dnsbl, { listed: 2, timeout: 3 })
  assert.equal(samples.get('proxyprotocol_dnsbl_answers_total{service="big",answer="timeout"}'), 3)
  const about = (name: string): unknown[] =>
    ['app-up', 'app-down'].map(each =>
      samples.get(`proxyprotocol_upstream_${name}{service="big",route="*",upstream="${each}"}`),
    )
  assert.deepEqual(about('up'), [1, 0])
  assert.deepEqual(about('connections_active'), [0, 1])
  assert.deepEqual(about('connections_total'), [0, 2])
  assert.deepEqual(about('failures_total'), [0, 3])
  assert.equal(samples.get('proxyprotocol_ready'), 0)
  const names = [...samples.keys()].join('\n')
  assert.doesNotMatch(names, /connections_limit|process_open_fds|process_max_fds/)
})

/** Rows of a table in docs/admin.md, without its head: its cells, backticks taken off. */
function rowsOf(heading: string): string[][] {
  const page = readFileSync(pathOf('docs/admin.md'), 'utf8')
  const [, section = ''] = page.split(`\n## ${heading}\n`)
  const [text = ''] = section.split('\n## ')
  const rows = text.split('\n').filter(line => line.startsWith('|'))
  return rows.slice(2).map(row =>
    row
      .slice(1, -1)
      .split(' | ')
      .map(cell => cell.trim().replaceAll('`', '')),
  )
}

test('docs/admin.md has the table of metrics as it is', () => {
  assert.deepEqual(
    rowsOf('Metrics'),
    metrics.map(({ name, type, labels, help }) => [name, type, labels.join(', '), help]),
  )
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
  const pools = statsDocument(await bigSnapshot(t), lastMinute).services.map(each => ({
    upstreams: each.upstreams,
    certificates: each.certificates,
  }))
  const paths = new Set([...pathsOf(document), ...pathsOf({ services: pools })])
  assert.deepEqual(
    rowsOf('stats.json')
      .map(([path]) => path)
      .sort(),
    [...paths].sort(),
  )
})

test('what makes no sense of the admin listener is refused', async () => {
  const cases: [args: string[], error: RegExp][] = [
    [
      ['--admin-hosts', 'proxy.example'],
      /^error: --admin-hosts: they are of use to the admin listener alone/,
    ],
    [['--admin', '127.0.0.1:0?pp=v1'], /^error: --admin: it takes no "pp"/],
    [['--admin', '1.2.3'], /^error: --admin: "1\.2\.3"/],
  ]
  for (const [args, error] of cases) {
    const io = fakeIo()
    assert.equal(await runServer(['--service', ':0', ':1', ...args], io), 2)
    assert.match(io.errors.join(''), error)
  }
})

test('--admin alone is 127.0.0.1:10009; without a host it is the loopback, and an address in use ends the program', async t => {
  const { admin } = parseConfig({
    services: [{ listen: ':0', upstream: ':1' }],
    admin: { listen: '0.0.0.0' },
  })
  const expected = { transport: 'tcp', host: '0.0.0.0', port: 10_009, pp: undefined, tls: undefined }
  assert.deepEqual(admin, { listen: expected, hosts: [] })
  const io = fakeIo()
  const { configuration } = serverRequest(
    ['--service', ':0', ':1', '--admin', '--admin-hosts', 'a.example,b.example'],
    io,
  )
  const listenAt = { ...expected, host: '127.0.0.1' }
  assert.deepEqual(configuration.admin, { listen: listenAt, hosts: ['a.example', 'b.example'] })
  const taken = await listen(t)
  assert.equal(await runServer(['--service', '127.0.0.1:0', ':1', '--admin', `:${taken.port}`], io), 1)
  assert.match(
    io.errors.join(''),
    /^error: admin listener: listen EADDRINUSE: address already in use 127\.0\.0\.1:/,
  )
})

test('a fault of the admin listener is a line, and ends nothing', async t => {
  const listening = t.mock.method(Server.prototype, 'listen')
  const harness = await startStage(t)
  const admin = listening.mock.calls.map(call => call.this).find(server => server instanceof Server)
  assert.ok(admin)
  admin.emit('error', new Error('accept EMFILE'))
  assert.match(await harness.io.line(/ failed /), / failed error="Error: accept EMFILE/)
  assert.equal((await ask(harness.admin, '/livez')).status, 200)
})

test('what block lists said of clients is shown by what they said', async t => {
  const dns = await startDnsServer({ '1.0.0.127.bl.example': ['127.0.0.2'] })
  atEnd(t, () => dns.close())
  const { io, ports } = await start(t, runServer, [
    ...['--service', '127.0.0.1:0', '127.0.0.1:1', '--admin', '127.0.0.1:0'],
    ...['--dnsbl', 'bl.example', '--dnsbl-servers', dns.address, '--dnsbl-action', 'reject'],
  ])
  const [, admin] = / admin address=127\.0\.0\.1:(\d+)/.exec(io.written.join('')) ?? []
  await outcome(dial(t, ports[0] ?? 0))
  assert.match(await io.line(/ closed /), / dnsbl=bl\.example reason=denied_dnsbl /)
  const { services } = JSON.parse((await ask(Number(admin), '/stats.json')).body) as StatsDocument
  assert.deepEqual([services[0]?.dnsbl?.['listed'], services[0]?.dnsbl?.['timeout']], [1, 0])
})

test('the admin listener answers while a service is at its limit', async t => {
  const upstream = await listen(t)
  const { io, ports } = await start(t, runServer, [
    ...['--service', '127.0.0.1:0', `127.0.0.1:${upstream.port}`, '--admin', '127.0.0.1:0'],
    ...['--max-connections', '1'],
  ])
  const [, admin] = / admin address=127\.0\.0\.1:(\d+)/.exec(io.written.join('')) ?? []
  const first = dial(t, ports[0] ?? 0)
  const far = await upstream.accept()
  await outcome(dial(t, ports[0] ?? 0))
  assert.match(await io.line(/ rejected /), / reason=limit_connections /)
  assert.equal((await ask(Number(admin), '/livez')).status, 200)
  assert.match((await ask(Number(admin), '/metrics')).body, /^proxyprotocol_connections_active\{[^}]*\} 1$/m)
  first.end()
  far.end()
})
