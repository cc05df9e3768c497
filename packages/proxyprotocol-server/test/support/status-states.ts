// What the status page may have to show, without a program that has come so far.

import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { closeReasons } from 'proxyprotocol/server'
import {
  AdminServer,
  type AdminSource,
  type ConnectionView,
  type ServiceView,
  type TotalsView,
  type UpstreamView,
} from '../../src/admin/index.ts'
import { atEnd } from './teardown.ts'

const DAY = 86_400_000

const zero: TotalsView = {
  ...{ accepted: 0, active: 0, pending: 0, bytesUp: 0, bytesDown: 0, headers: [] },
  closed: Object.fromEntries(closeReasons.map(reason => [reason, 0])) as TotalsView['closed'], // one entry for each
  connects: { bounds: [1], counts: [0, 0], sum: 0 },
  ages: { bounds: [1], counts: [0, 0], sum: 0 },
}

export function upstreamView(more: Partial<UpstreamView> = {}): UpstreamView {
  return {
    ...{ name: 'a', route: '*', address: '192.0.2.1:80', weight: 1, backup: false, state: 'up' },
    ...{ active: 0, total: 0, failures: 0, members: [], memberChanges: 0, leftOut: 0, resolution: undefined },
    ...more,
  }
}

export function serviceView(name: string, more: Partial<ServiceView> = {}): ServiceView {
  return {
    ...{ name, address: '[2001:db8::1]:10000', upstream: 'pool', sends: 'v2', expects: undefined, trust: [] },
    ...{
      state: 'listening',
      limits: { connections: 1_600 },
      timeouts: {},
      certificates: [],
      dnsbl: undefined,
    },
    totals: () => zero,
    connections: () => [],
    upstreams: () => [upstreamView()],
    ...more,
  }
}

/** Fifty services, one of them with 1,500 connections. */
export const many: Partial<AdminSource> = {
  services: () =>
    Array.from({ length: 50 }, (_, i) =>
      serviceView(`tenant-${i + 1}`, {
        address: `[2001:db8::1]:${10_000 + i}`,
        ...(i === 0 && {
          totals: () => ({ ...zero, accepted: 1_500, active: 1_500 }),
          connections: () => crowd,
        }),
      }),
    ),
  lostLogLines: () => 7,
}

const crowd: readonly ConnectionView[] = Array.from({ length: 1_500 }, (_, i) => ({
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
    serviceView('web', {
      expects: 'detect',
      limits: { connections: 4 },
      totals: () => ({
        ...{ ...zero, accepted: 1_234, active: 4, pending: 1, bytesUp: 5e6, bytesDown: 7e9 },
        closed: { ...zero.closed, done: 1_000, connect_refused: 200, header_missing: 30 },
      }),
      connections: () =>
        (['accepted', 'header', 'open', 'closing'] as const).map((state, i) => {
          const { source, ...rest } = crowd[i] ?? assert.fail()
          return {
            ...rest,
            state,
            source: i === 0 ? undefined : source,
            reason: i === 3 ? 'done' : undefined,
          }
        }),
      upstreams: () => [
        upstreamView({ name: 'app-1', weight: 2, active: 3, total: 1_100 }),
        upstreamView({ name: 'app-2', state: 'down', failures: 9, lastFailure: refused, address: undefined }),
        upstreamView({ name: 'app-3', state: 'probing', failures: 9, lastFailure: refused }),
        upstreamView({ name: 'old', state: 'drained', weight: 0 }),
        upstreamView({ name: 'spare', backup: true }),
        upstreamView({ name: 'a-1', route: 'a.example', state: 'down', failures: 3, lastFailure: refused }),
        upstreamView({ name: 'a-2', route: 'a.example', state: 'down' }),
        upstreamView({ name: 'a-old', route: 'a.example', state: 'drained', weight: 0 }),
        upstreamView({ name: 'b', route: '*.b.example', state: 'drained', weight: 0 }),
        upstreamView({ name: 'c', route: 'c.example', state: 'down' }),
      ],
      certificates: [
        { role: 'listen', file: '/etc/web.pem', expires: Date.now() + 3 * DAY + DAY / 2 },
        { role: 'upstream', file: '/etc/client.pem', expires: Date.now() - 2 * DAY - DAY / 2 },
        { role: 'upstream', file: '/etc/good.pem', expires: Date.now() + 15 * DAY },
      ],
    }),
    serviceView('gone', { state: 'closed', address: undefined }),
  ],
}

const refused = { code: 'connect_refused', message: 'refused', age: 65_000 }

/** The port of an admin listener about it. */
export async function startStatus(t: TestContext, shown: Partial<AdminSource>): Promise<number> {
  const source: AdminSource = {
    ...{ version: '1.2.3', readiness: () => 'ready', services: () => [], lostLogLines: () => 0 },
    ...shown,
  }
  const admin = new AdminServer(source, { onError: error => assert.fail(String(error)) })
  atEnd(t, () => admin.close())
  return (await admin.listen({ port: 0 })).port
}
