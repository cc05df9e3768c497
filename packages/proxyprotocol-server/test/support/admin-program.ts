// The program with its admin listener and one service, and what the listener answers.

import { readFileSync } from 'node:fs'
import type { TestContext } from 'node:test'
import { encodeHeader } from 'proxyprotocol'
import { closeReasons } from 'proxyprotocol/server'
import { closedPort, content } from 'test-support/sockets'
import { ProcessFacts } from '../../src/admin/process-facts.ts'
import { snapshotOf, type Snapshot } from '../../src/admin/snapshot.ts'
import type { AdminSource, ServiceView, TotalsView, UpstreamView } from '../../src/admin/index.ts'
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

export const totals: TotalsView = {
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

export const upstreams: UpstreamView[] = ['up', 'down'].map((state, i) => ({
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
export async function bigSnapshot(t: TestContext): Promise<Snapshot> {
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
