// Limits of services, and how much of each is taken where no other metric says so.

import type { Metric } from './metric.ts'
import { byService, finite } from './service-samples.ts'

export const limitMetrics: readonly Metric[] = [
  {
    name: 'proxyprotocol_connections_limit',
    type: 'gauge',
    help: 'Connections that may be open at a time; absent without a limit.',
    labels: ['service'],
    samples: byService(({ limits }) => finite(limits['connections'])),
  },
  {
    name: 'proxyprotocol_connections_pending_limit',
    type: 'gauge',
    help: 'Connections that may wait for their header or for a place.',
    labels: ['service'],
    samples: byService(({ limits }) => finite(limits['pendingHeaders'])),
  },
  {
    name: 'proxyprotocol_source_connections_busiest',
    type: 'gauge',
    help: 'Open connections of the source that has the most; 0 without a limit on them.',
    labels: ['service'],
    samples: byService(({ totals }) => totals.busiestSource),
  },
  {
    name: 'proxyprotocol_source_connections_limit',
    type: 'gauge',
    help: 'Connections that one source may have open; absent without a limit.',
    labels: ['service'],
    samples: byService(({ limits }) => finite(limits['perSource'])),
  },
  {
    name: 'proxyprotocol_rate_burst_used',
    type: 'gauge',
    help: 'Connections of its burst that the busiest client has used; absent without a rate.',
    labels: ['service'],
    samples: byService(({ rate }) => finite(rate?.used)),
  },
  {
    name: 'proxyprotocol_rate_burst_limit',
    type: 'gauge',
    help: 'Connections that a client may open at once; absent without a rate.',
    labels: ['service'],
    samples: byService(({ rate }) => finite(rate?.burst)),
  },
]
