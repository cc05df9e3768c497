// The program with its admin listener and one service, and what the listener answers.

import { readFileSync } from 'node:fs'
import type { TestContext } from 'node:test'
import { encodeHeader } from 'proxyprotocol'
import { closedPort, content } from 'test-support/sockets'
import { ProcessFacts } from '../../src/admin/process-facts.ts'
import { snapshotOf, type Snapshot } from '../../src/admin/snapshot.ts'
import { statsText } from '../../src/admin/stats-document.ts'
import {
  noTotals,
  upstreamKey,
  type LiveConnection,
  type RelayTotals,
  type RoutedUpstream,
  type StatsDocument,
} from '../../src/figures/index.ts'
import { adminSource } from './admin.ts'
import { memberFigures, refusal, serviceFigures, upstreamFigures } from './figures.ts'
import { runServer } from '../../src/cli/index.ts'
import { pathOf } from './child.ts'
import { ask } from './http.ts'
import { atEnd } from './teardown.ts'
import { start, type Running } from './program.ts'
import { dial, listen, type Listener } from './connections.ts'

export interface Harness extends Running {
  readonly admin: number
  readonly upstream: Listener
  /** As they were configured. */
  readonly upstreams: readonly string[]
  /** The port of the service that expects headers. */
  readonly port: number
}

export const source = { address: '192.0.2.77', port: 1234 }
export const destination = { address: '192.0.2.88', port: 443 }

/** The program with two services: one that expects headers, and one whose upstream is not there. */
export async function startStage(t: TestContext): Promise<Harness> {
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
export async function exchange(t: TestContext, { port, upstream, io }: Harness, n: number): Promise<void> {
  const client = dial(t, port)
  client.write(encodeHeader({ source, destination }))
  client.end('hello')
  const far = await upstream.accept()
  await content(far)
  far.end('hi')
  await content(client)
  await io.line(/ closed .* reason=done /, n)
}

/** Sample lines of the exposition format. */
export function samplesOf(text: string): Map<string, number> {
  const lines = text.split('\n').filter(line => line !== '' && !line.startsWith('#'))
  return new Map(
    lines.map(line => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ')))]),
  )
}

export async function metricsOf({ admin }: Harness): Promise<{ text: string; samples: Map<string, number> }> {
  const { body } = await ask(admin, '/metrics')
  return { text: body, samples: samplesOf(body) }
}

const totals: RelayTotals = {
  ...noTotals,
  ...{ accepted: 2_500, active: 2_500, headers: [{ version: 2, command: 'PROXY', count: 1 }] },
}
const refused = { code: 'connect_refused', message: 'refused', age: 1.4 } as const
const silent = { code: 'connect_timeout', message: 'silent', age: 2.6 } as const
const checks = {
  type: 'tcp',
  passed: 5,
  failed: 6,
  streak: 1,
  verdict: 'up',
  lastFailure: undefined,
} as const
const name = { name: 'app', addresses: [], answers: 3, failures: 2 }

const upstreams: readonly RoutedUpstream[] = [
  upstreamFigures({
    name: 'app-up',
    members: (['up', 'down', 'down', 'leaving'] as const).map((state, n) =>
      memberFigures({
        ...{ address: `192.0.2.${n + 1}:80`, state, failures: { connect_timeout: n } },
        ...{ lastFailure: n === 0 ? undefined : silent, checks: n === 0 ? checks : undefined },
      }),
    ),
    resolution: { ...name, age: 1_500.4, lastFailure: 'EAI_AGAIN' },
  }),
  upstreamFigures({
    ...{ name: 'app-down', state: 'down', backup: true, active: 1, total: 2 },
    ...{ failures: { connect_refused: 2, dns_error: 1 }, lastFailure: refused, memberChanges: 7, leftOut: 1 },
    resolution: { ...name, age: undefined, lastFailure: undefined },
  }),
]
const unknown = {
  ...{ timeout: 3, aborted: 0, server_failure: 0, refused: 0, zone_error: 0 },
  ...{ foreign_answer: 0, resolver_error: 0 },
}

/** Many connections, with ends of all kinds. */
function* manyConnections(): Generator<LiveConnection> {
  for (let i = 0; i < 2_500; i++) {
    const path = { path: i === 0 ? '/run/app.sock' : Uint8Array.of(255) }
    const ends = { peer: path, source: undefined, destination: undefined, upstream: undefined }
    const tls = i === 0 ? { version: 'TLSv1.3', serverName: 'a.example' } : undefined
    yield { id: String(i), state: 'open', ...ends, tls, age: 1.4, bytesUp: 0, bytesDown: 0, reason: 'done' }
  }
}

/** Services at a size, and with upstreams, that the program's own do not have. */
export async function bigSnapshot(t: TestContext): Promise<Snapshot> {
  const service = serviceFigures('big', {
    ...{ address: undefined, state: 'idle', limits: { connections: Infinity }, totals, upstreams },
    certificates: [{ role: 'listen', file: '/etc/cert.pem', expires: 1_900_000_000_000 }],
    listings: { listed: 2, clear: 0, unknown },
    access: { allow: undefined, deny: 3, allowed: 20, denied: 10 },
    rate: { connections: 5, per: 1_000, burst: 10, used: 4 },
  })
  const facts = new ProcessFacts()
  atEnd(t, () => {
    facts.stop()
  })
  const source = adminSource({
    readiness: () => 'starting',
    services: () => [service, { ...service, name: 'other' }],
    refusals: () => [
      refusal({ time: 1_800_000_000_000, source: { path: '/run/\u202ea' }, message: 'no\u001b' }),
    ],
  })
  const snapshot = await snapshotOf(source, facts, true)
  return { ...snapshot, process: { ...snapshot.process, openFiles: undefined, maxFiles: undefined } }
}

/** As it is sent. */
export async function bigDocument(t: TestContext): Promise<StatsDocument> {
  const lastMinute = { accepted: [], closed: [], errors: [], bytesUp: [], bytesDown: [] }
  const upstreamPeaks = new Map(upstreams.map(each => [upstreamKey(each), 0]))
  const history = { lastMinute, of: () => ({ lastMinute, peak: 0, upstreamPeaks }) }
  const text = statsText({ snapshot: await bigSnapshot(t), history, connections: manyConnections })
  return JSON.parse([...text].join('')) as StatsDocument
}

/** Rows of a table in docs/admin.md, without its head: its cells, backticks taken off. */
export function rowsOf(heading: string): string[][] {
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
