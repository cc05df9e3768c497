// /metrics of the real program with real traffic, and the table of metrics in the documentation.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { encodeHeader } from 'proxyprotocol'
import { closeReasons } from 'proxyprotocol/server'
import { startDnsServer } from 'test-support/dns-server'
import { exposition } from '../../src/admin/metrics/metric.ts'
import { metrics } from '../../src/admin/metrics/metrics.ts'
import { noTotals, type StatsDocument } from '../../src/figures/index.ts'
import type { Snapshot } from '../../src/admin/snapshot.ts'
import { serviceFigures, upstreamFigures } from '../support/figures.ts'
import { runServer } from '../../src/cli/index.ts'
import { ask } from '../support/http.ts'
import { atEnd } from '../support/teardown.ts'
import { start } from '../support/program.ts'
import { chunk, dial, outcome } from '../support/connections.ts'
import {
  source,
  destination,
  startStage,
  exchange,
  samplesOf,
  metricsOf,
  bigDocument,
  bigSnapshot,
  rowsOf,
} from '../support/admin-program.ts'

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

test('several upstreams are shown one by one, and what is unknown or unlimited is absent from metrics', async t => {
  const snapshot = await bigSnapshot(t)
  const { services } = await bigDocument(t)
  assert.deepEqual(
    services[0]?.upstreams.map(({ name, failures }) => [name, failures]),
    [
      ['app-up', 0],
      ['app-down', 3],
    ],
  )
  const samples = samplesOf([...exposition(metrics, snapshot)].join(''))
  assert.deepEqual([services[0].dnsbl?.['listed'], services[0].dnsbl?.['timeout']], [2, 3])
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

test('the use of each limit stands beside it, and what has no limit has no metric of it', () => {
  const free = serviceFigures('free', { limits: { perSource: Infinity } })
  const limited = serviceFigures('limited', {
    limits: { connections: 7, pendingHeaders: 5, perSource: 3 },
    totals: { ...noTotals, active: 6, pending: 4, busiestSource: 2 },
    rate: { connections: 1, per: 1_000, burst: 9, used: 8 },
    upstreams: [upstreamFigures({ active: 6, limit: 10 })],
    queues: [{ route: '*', waiting: 11, size: 12 }],
  })
  const snapshot = { services: [free, limited] } as unknown as Snapshot // the others read no more
  const about = (service: string): Record<string, number> => {
    const all = metrics
      .filter(({ labels }) => labels.includes('service'))
      .flatMap(({ name, samples }) => [...samples(snapshot)].map(sample => [name, sample] as const))
      .filter(([name, { labels }]) => labels['service'] === service && /_(?:limit|used|busiest)$/.test(name))
    return Object.fromEntries(all.map(([name, { value }]) => [name.replace('proxyprotocol_', ''), value]))
  }
  assert.deepEqual(about('limited'), {
    ...{ connections_limit: 7, connections_pending_limit: 5 },
    ...{ source_connections_busiest: 2, source_connections_limit: 3 },
    ...{ rate_burst_used: 8, rate_burst_limit: 9 },
    ...{ upstream_connections_limit: 10, upstream_connections_queued_limit: 12 },
  })
  assert.deepEqual(about('free'), { source_connections_busiest: 0, upstream_connections_queued_limit: 100 })
})

test('docs/admin.md has the table of metrics as it is', () => {
  assert.deepEqual(
    rowsOf('Metrics'),
    metrics.map(({ name, type, labels, help }) => [name, type, labels.join(', '), help]),
  )
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
