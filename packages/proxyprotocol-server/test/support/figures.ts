// Figures of services that no program has.

import {
  noTotals,
  type LiveConnection,
  type MemberSnapshot,
  type ProcessFigures,
  type Refusal,
  type RoutedUpstream,
  type ServiceFigures,
} from '../../src/figures/index.ts'

/** A member that is up, without connections. */
export function memberFigures(more: Partial<MemberSnapshot> = {}): MemberSnapshot {
  return {
    ...{ address: '192.0.2.1:80', weight: 1, state: 'up', active: 0, total: 0, failures: {} },
    ...{ lastFailure: undefined, checks: undefined, ...more },
  }
}

/** An upstream that is up, without connections. */
export function upstreamFigures(more: Partial<RoutedUpstream> = {}): RoutedUpstream {
  return {
    ...{ name: 'a', route: '*', address: '192.0.2.1:80', weight: 1, backup: false, state: 'up' },
    ...{ limit: undefined, active: 0, total: 0, failures: {}, lastFailure: undefined, members: [] },
    ...{ memberChanges: 0, leftOut: 0, resolution: undefined, ...more },
  }
}

/** A service that listens, without connections. */
export function serviceFigures(name: string, more: Partial<ServiceFigures> = {}): ServiceFigures {
  return {
    ...{ name, address: '[2001:db8::1]:10000', upstream: 'pool', sends: 'v2', expects: undefined, trust: [] },
    ...{ state: 'listening', limits: { connections: 1_600 }, timeouts: {}, totals: noTotals },
    ...{
      upstreams: [upstreamFigures()],
      queues: [{ route: '*', waiting: 0, size: 100 }],
      certificates: [],
      ...{ listings: undefined, access: undefined, rate: undefined, datagrams: undefined },
      ...more,
    },
  }
}

/** A connection that has relayed nothing yet. */
export function liveConnection(more: Partial<LiveConnection> = {}): LiveConnection {
  return {
    ...{ id: 'x', state: 'open', peer: undefined, source: undefined, destination: undefined, age: 0 },
    ...{ upstream: undefined, tls: undefined, bytesUp: 0, bytesDown: 0, reason: undefined, ...more },
  }
}

/** A client without a header. */
export function refusal(more: Partial<Refusal> = {}): Refusal {
  return {
    ...{ id: 'x', time: 0, service: 'a', peer: { address: '192.0.2.9', port: 1_234 }, source: undefined },
    ...{ reason: 'header_missing', message: 'no header', ...more },
  }
}

/** Some process. */
export const processFigures: ProcessFigures = {
  ...{ pid: 1, node: 'v0', startedAt: '', uptime: 5, cpu: 10, residentMemory: 20, heapUsed: 30 },
  ...{ openFiles: 40, maxFiles: 50, eventLoopDelay: { p50: 1, p99: 2, max: 3 } },
}
