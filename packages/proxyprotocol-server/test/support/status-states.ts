// What the status page may have to show, without a program that has come so far.

import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { AdminServer, type AdminSource } from '../../src/admin/index.ts'
import { ProxyProtocolError } from 'proxyprotocol'
import {
  type CheckCounts,
  noTotals as zero,
  type LiveConnection,
  type Refusal,
} from '../../src/figures/index.ts'
import { adminSource } from './admin.ts'
import { memberFigures, serviceFigures, upstreamFigures } from './figures.ts'
import { atEnd } from './teardown.ts'

const DAY = 86_400_000

/** Fifty services, one of them with 1,500 connections. */
export const many: Partial<AdminSource> = {
  services: () =>
    Array.from({ length: 50 }, (_, i) =>
      serviceFigures(`tenant-${i + 1}`, {
        address: `[2001:db8::1]:${10_000 + i}`,
        ...(i === 0 && { totals: { ...zero, accepted: 1_500, active: 1_500 } }),
      }),
    ),
  connections: service => (service === 'tenant-1' ? crowd : []),
  lostLogLines: () => 7,
}

const crowd: readonly LiveConnection[] = Array.from({ length: 1_500 }, (_, i) => ({
  ...{ id: String(i), state: 'open', peer: { address: '10.0.0.1', port: 20_000 + i }, reason: undefined },
  source: { address: `2001:db8::${i.toString(16)}`, port: 40_000 },
  destination: { address: '2001:db8::443', port: 443 },
  upstream: { address: '192.0.2.1', port: 80 },
  tls: { version: 'TLSv1.3', serverName: i % 2 === 0 ? 'even.example' : 'odd.example' },
  ...{ age: (1_500 - i) * 1_000, bytesUp: i, bytesDown: 2 * i },
}))

/** A route without an upstream, another one drained, certificates that expire, connections of every state, and errors. */
export const troubled: Partial<AdminSource> = {
  readiness: () => 'draining',
  services: () => [
    serviceFigures('web', {
      expects: 'detect',
      limits: { connections: 4, perSource: 100 },
      access: { allow: 3, deny: 120_000, allowed: 1_190, denied: 44 },
      rate: { connections: 20, per: 10_000, burst: 40, used: 37 },
      queues: ['*', 'a.example', '*.b.example', 'c.example'].map((route, n) => {
        return { route, waiting: n === 0 ? 83 : 0, size: 100 }
      }),
      totals: {
        ...{
          ...zero,
          accepted: 1_234,
          active: 4,
          pending: 1,
          bytesUp: 5e6,
          bytesDown: 7e9,
          busiestSource: 12,
        },
        closed: { ...zero.closed, done: 1_000, connect_refused: 200, header_missing: 30, limit_rate: 9 },
      },
      upstreams: [
        upstreamFigures({
          ...{ name: 'app-1', weight: 2, active: 3, total: 1_100, limit: 3 },
          members: [memberFigures({ checks })],
        }),
        upstreamFigures({ name: 'app-2', state: 'down', failures: { dns_error: 9 }, lastFailure: refused }),
        upstreamFigures({
          name: 'app-3',
          state: 'probing',
          failures: { dns_error: 9 },
          lastFailure: refused,
        }),
        upstreamFigures({ name: 'old', state: 'drained', weight: 0 }),
        upstreamFigures({ name: 'spare', backup: true }),
        upstreamFigures({
          name: 'a-1',
          route: 'a.example',
          state: 'down',
          failures: { dns_error: 3 },
          lastFailure: refused,
        }),
        upstreamFigures({ name: 'a-2', route: 'a.example', state: 'down' }),
        upstreamFigures({ name: 'a-old', route: 'a.example', state: 'drained', weight: 0 }),
        upstreamFigures({ name: 'b', route: '*.b.example', state: 'drained', weight: 0 }),
        upstreamFigures({ name: 'c', route: 'c.example', state: 'down' }),
      ],
      certificates: [
        { role: 'listen', file: '/etc/web.pem', expires: Date.now() + 3 * DAY + DAY / 2 },
        { role: 'upstream', file: '/etc/client.pem', expires: Date.now() - 2 * DAY - DAY / 2 },
        { role: 'upstream', file: '/etc/good.pem', expires: Date.now() + 15 * DAY },
      ],
    }),
    serviceFigures('gone', { state: 'closed', address: undefined }),
  ],
  refusals: () => turnedAway,
  connections: service => (service === 'web' ? ofEachState() : []),
}

const turnedAway: readonly Refusal[] = (
  [
    'header_missing',
    'untrusted_peer',
    'denied_acl',
    'limit_rate',
    'tls_client_error',
    'queue_timeout',
  ] as const
).map((reason, n) => ({
  ...{ id: `refused-${n}`, time: Date.now() - n * 65_000, service: 'web', reason },
  peer: { address: '2001:db8:4f2::1234', port: 50_000 + n },
  source: {
    address: n === 2 ? '2001:db8:ffff:eeee:dddd:cccc:bbbb:aaaa' : '2001:db8:4f2::1234',
    port: 50_000 + n,
  },
  message: new ProxyProtocolError(reason, { detail: '2001:db8:4f2::1234' }).message,
}))

const checks: CheckCounts = {
  ...{ type: 'http', passed: 512, failed: 3, streak: 9, verdict: 'up', lastFailure: undefined },
}

function ofEachState(): readonly LiveConnection[] {
  return (['accepted', 'header', 'open', 'closing'] as const).map((state, i) => {
    const { source, ...rest } = crowd[i] ?? assert.fail()
    return { ...rest, state, source: i === 0 ? undefined : source, reason: i === 3 ? 'done' : undefined }
  })
}

const refused = { code: 'connect_refused', message: 'refused', age: 65_000 } as const

/** The port of an admin listener about it. */
export async function startStatus(t: TestContext, shown: Partial<AdminSource>): Promise<number> {
  const admin = new AdminServer(adminSource(shown), { onError: error => assert.fail(String(error)) })
  atEnd(t, () => admin.close())
  return (await admin.listen({ port: 0 })).port
}
