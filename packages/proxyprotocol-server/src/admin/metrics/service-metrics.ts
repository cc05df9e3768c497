// Metrics about services: each has the configured name of its service as a label.

import { closeReasons, type CloseReason } from 'proxyprotocol/server'
import { answersOf } from '../../figures/index.ts'
import { datagramMetrics } from './datagram-metrics.ts'
import type { Metric } from './metric.ts'
import { limitMetrics } from './limit-metrics.ts'
import { byConnections, byService, byServiceHistogram, SECOND } from './service-samples.ts'
import { upstreamMetrics } from './upstream-metrics.ts'

const REJECTIONS: readonly CloseReason[] = [
  ...(['header_timeout', 'header_missing', 'header_invalid', 'untrusted_peer', 'denied_acl'] as const),
  ...(['denied_dnsbl', 'limit_connections', 'limit_source', 'limit_rate', 'limit_fds'] as const),
]

function byReason(reasons: readonly CloseReason[]) {
  return byConnections(({ totals }) => reasons.map(reason => [{ reason }, totals.closed[reason]]))
}

const connectionMetrics: readonly Metric[] = [
  {
    name: 'proxyprotocol_connections_accepted_total',
    type: 'counter',
    help: 'Connections that were accepted.',
    labels: ['service'],
    samples: byConnections(({ totals }) => totals.accepted),
  },
  {
    name: 'proxyprotocol_connections_active',
    type: 'gauge',
    help: 'Connections that are open now, those whose header is awaited included.',
    labels: ['service'],
    samples: byConnections(({ totals }) => totals.active),
  },
  {
    name: 'proxyprotocol_connections_pending',
    type: 'gauge',
    help: 'Connections that wait for their header or for a place.',
    labels: ['service'],
    samples: byConnections(({ totals }) => totals.pending),
  },
  {
    name: 'proxyprotocol_connections_closed_total',
    type: 'counter',
    help: 'Connections that are over, by why they ended; accepted is always active and all of these together.',
    labels: ['service', 'reason'],
    samples: byReason(closeReasons),
  },
  {
    name: 'proxyprotocol_connections_rejected_total',
    type: 'counter',
    help: 'Those of the closed connections that were turned away, by why.',
    labels: ['service', 'reason'],
    samples: byReason(REJECTIONS),
  },
]

const trafficMetrics: readonly Metric[] = [
  {
    name: 'proxyprotocol_relayed_bytes_total',
    type: 'counter',
    help: 'Payload relayed, headers left out: up is from clients to upstreams.',
    labels: ['service', 'direction'],
    samples: byConnections(({ totals: { bytesUp, bytesDown } }) => [
      [{ direction: 'up' }, bytesUp],
      [{ direction: 'down' }, bytesDown],
    ]),
  },
  {
    name: 'proxyprotocol_headers_received_total',
    type: 'counter',
    help: 'Headers that were accepted, by version and command.',
    labels: ['service', 'version', 'command'],
    samples: byConnections(({ totals }) =>
      totals.headers.map(({ version, command, count }) => [{ version: `v${version}`, command }, count]),
    ),
  },
  {
    name: 'proxyprotocol_upstream_connect_duration_seconds',
    type: 'histogram',
    help: 'From the header of a connection until its upstream was connected to.',
    labels: ['service'],
    samples: byServiceHistogram(({ totals }) => totals.connects),
  },
  {
    name: 'proxyprotocol_connection_duration_seconds',
    type: 'histogram',
    help: 'From accept to end, of connections that were relayed or should have been.',
    labels: ['service'],
    samples: byServiceHistogram(({ totals }) => totals.ages),
  },
]

const certificateMetrics: readonly Metric[] = [
  {
    name: 'proxyprotocol_certificate_expiry_timestamp_seconds',
    type: 'gauge',
    help: 'When the certificate in use expires, in seconds since 1970; of a chain it is the first one to expire.',
    labels: ['service', 'role', 'file'],
    samples: byService(({ certificates }) =>
      certificates.map(({ role, file, expires }) => [{ role, file }, expires / SECOND]),
    ),
  },
]

const dnsblMetrics: readonly Metric[] = [
  {
    name: 'proxyprotocol_dnsbl_answers_total',
    type: 'counter',
    help: 'What block lists said of clients: listed, clear, or why nothing is known of them.',
    labels: ['service', 'answer'],
    samples: byService(({ listings }) =>
      Object.entries(listings ? answersOf(listings) : {}).map(([answer, count]) => [{ answer }, count]),
    ),
  },
]

export const serviceMetrics: readonly Metric[] = [
  ...connectionMetrics,
  ...limitMetrics,
  ...trafficMetrics,
  ...upstreamMetrics,
  ...certificateMetrics,
  ...dnsblMetrics,
  ...datagramMetrics,
]
