// Metrics about services: each has the configured name of its service as a label.

import { closeReasons, type CloseReason } from 'proxyprotocol/server'
import type { Labels, Metric, Sample } from './metric.ts'
import type { ServiceSnapshot, Snapshot } from './snapshot.ts'

/** Why a connection is turned away before anything is done for it. */
const REJECTIONS: readonly CloseReason[] = [
  ...(['header_timeout', 'header_missing', 'header_invalid', 'untrusted_peer', 'denied_acl'] as const),
  ...(['denied_dnsbl', 'limit_connections', 'limit_source', 'limit_rate', 'limit_fds'] as const),
]

/** Milliseconds. */
const SECOND = 1_000

type Extra = readonly [labels: Labels, value: number]

/** One sample for each service, or several with labels of their own. */
function byService(read: (service: ServiceSnapshot) => number | readonly Extra[]) {
  return ({ services }: Snapshot): readonly Sample[] =>
    services.flatMap(each => {
      const { name } = each.service
      const values = read(each)
      const list: readonly Extra[] = typeof values === 'number' ? [[{}, values]] : values
      return list.map(([labels, value]) => ({ labels: { service: name, ...labels }, value }))
    })
}

function byReason(reasons: readonly CloseReason[]) {
  return byService(({ totals }) => reasons.map(reason => [{ reason }, totals.closed[reason]]))
}

function byUpstream(read: (upstream: ServiceSnapshot['upstreams'][number]) => number) {
  return byService(({ upstreams }) =>
    upstreams.map(each => [{ route: each.route, upstream: each.name }, read(each)]),
  )
}

const connectionMetrics: readonly Metric[] = [
  {
    name: 'proxyprotocol_connections_accepted_total',
    type: 'counter',
    help: 'Connections that were accepted.',
    labels: ['service'],
    samples: byService(({ totals }) => totals.accepted),
  },
  {
    name: 'proxyprotocol_connections_active',
    type: 'gauge',
    help: 'Connections that are open now, those whose header is awaited included.',
    labels: ['service'],
    samples: byService(({ totals }) => totals.active),
  },
  {
    name: 'proxyprotocol_connections_pending',
    type: 'gauge',
    help: 'Connections that wait for their header or for a place.',
    labels: ['service'],
    samples: byService(({ totals }) => totals.pending),
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
  {
    name: 'proxyprotocol_connections_limit',
    type: 'gauge',
    help: 'Connections that may be open at a time; absent where there is no limit.',
    labels: ['service'],
    samples: byService(({ service }) => {
      const { connections = Infinity } = service.limits
      return Number.isFinite(connections) ? connections : []
    }),
  },
]

const trafficMetrics: readonly Metric[] = [
  {
    name: 'proxyprotocol_relayed_bytes_total',
    type: 'counter',
    help: 'Payload relayed, headers left out: up is from clients to upstreams.',
    labels: ['service', 'direction'],
    samples: byService(({ totals: { bytesUp, bytesDown } }) => [
      [{ direction: 'up' }, bytesUp],
      [{ direction: 'down' }, bytesDown],
    ]),
  },
  {
    name: 'proxyprotocol_headers_received_total',
    type: 'counter',
    help: 'Headers that were accepted, by version and command.',
    labels: ['service', 'version', 'command'],
    samples: byService(({ totals }) =>
      totals.headers.map(({ version, command, count }) => [{ version: `v${version}`, command }, count]),
    ),
  },
  {
    name: 'proxyprotocol_upstream_connect_duration_seconds',
    type: 'histogram',
    help: 'From the header of a connection until its upstream was connected to.',
    labels: ['service'],
    samples: ({ services }) =>
      services.map(({ service, totals }) => ({
        labels: { service: service.name },
        distribution: totals.connects,
      })),
  },
  {
    name: 'proxyprotocol_connection_duration_seconds',
    type: 'histogram',
    help: 'From accept to end, of connections that were relayed or should have been.',
    labels: ['service'],
    samples: ({ services }) =>
      services.map(({ service, totals }) => ({
        labels: { service: service.name },
        distribution: totals.ages,
      })),
  },
]

const upstreamMetrics: readonly Metric[] = [
  {
    name: 'proxyprotocol_upstream_up',
    type: 'gauge',
    help: '1 while the upstream takes its share of connections, 0 while it is down, on trial or drained.',
    labels: ['service', 'route', 'upstream'],
    samples: byUpstream(({ state }) => (state === 'up' ? 1 : 0)),
  },
  {
    name: 'proxyprotocol_upstream_drained',
    type: 'gauge',
    help: '1 for an upstream whose weight is 0, so that it gets no connections, 0 for others.',
    labels: ['service', 'route', 'upstream'],
    samples: byUpstream(({ state }) => (state === 'drained' ? 1 : 0)),
  },
  {
    name: 'proxyprotocol_upstream_connections_active',
    type: 'gauge',
    help: 'Connections to the upstream that are open now.',
    labels: ['service', 'route', 'upstream'],
    samples: byUpstream(({ active }) => active),
  },
  {
    name: 'proxyprotocol_upstream_connections_total',
    type: 'counter',
    help: 'Connections that the upstream was chosen for.',
    labels: ['service', 'route', 'upstream'],
    samples: byUpstream(({ total }) => total),
  },
  {
    name: 'proxyprotocol_upstream_failures_total',
    type: 'counter',
    help: 'Connections to the upstream that failed.',
    labels: ['service', 'route', 'upstream'],
    samples: byUpstream(({ failures }) => failures),
  },
]

const certificateMetrics: readonly Metric[] = [
  {
    name: 'proxyprotocol_certificate_expiry_timestamp_seconds',
    type: 'gauge',
    help: 'When the certificate in use expires, in seconds since 1970; of a chain it is the first one to expire.',
    labels: ['service', 'role', 'file'],
    samples: byService(({ service: { certificates } }) =>
      certificates.map(({ role, file, expires }) => [{ role, file }, expires / SECOND]),
    ),
  },
]

/** States of members, which all have a value at all times. */
const MEMBER_STATES = ['up', 'probing', 'drained', 'down', 'leaving'] as const

/** Addresses are no labels: they come from the network. They stand in /stats.json. */
const memberMetrics: readonly Metric[] = [
  {
    name: 'proxyprotocol_upstream_members',
    type: 'gauge',
    help: 'Addresses of the upstream by their state: up, probing, drained, down or leaving.',
    labels: ['service', 'route', 'upstream', 'state'],
    samples: byService(({ upstreams }) =>
      upstreams.flatMap(({ name, route, members }) =>
        MEMBER_STATES.map((state): Extra => {
          return [{ route, upstream: name, state }, members.filter(each => each.state === state).length]
        }),
      ),
    ),
  },
  {
    name: 'proxyprotocol_upstream_member_changes_total',
    type: 'counter',
    help: 'Addresses of the upstream that have come or gone since the first answer about its name.',
    labels: ['service', 'route', 'upstream'],
    samples: byUpstream(({ memberChanges }) => memberChanges),
  },
  {
    name: 'proxyprotocol_upstream_members_left_out',
    type: 'gauge',
    help: 'Addresses of the last answer that are not used, as there are more than resolve.maxMembers.',
    labels: ['service', 'route', 'upstream'],
    samples: byUpstream(({ leftOut }) => leftOut),
  },
  {
    name: 'proxyprotocol_upstream_answer_age_seconds',
    type: 'gauge',
    help: 'Time since the last good answer about the name of the upstream; absent where there is none.',
    labels: ['service', 'route', 'upstream'],
    samples: byService(({ upstreams }) =>
      upstreams.flatMap(({ name, route, resolution }) =>
        resolution?.age === undefined ? [] : [[{ route, upstream: name }, resolution.age / SECOND] as const],
      ),
    ),
  },
  {
    name: 'proxyprotocol_upstream_lookup_failures_total',
    type: 'counter',
    help: 'Look-ups of the name of the upstream that failed, or found no address.',
    labels: ['service', 'route', 'upstream'],
    samples: byUpstream(({ resolution }) => resolution?.failures ?? 0),
  },
]

const dnsblMetrics: readonly Metric[] = [
  {
    name: 'proxyprotocol_dnsbl_answers_total',
    type: 'counter',
    help: 'What block lists said of clients: listed, clear, or why nothing is known of them.',
    labels: ['service', 'answer'],
    samples: byService(({ service: { dnsbl = {} } }) =>
      Object.entries(dnsbl).map(([answer, count]) => [{ answer }, count]),
    ),
  },
]

export const serviceMetrics: readonly Metric[] = [
  ...connectionMetrics,
  ...trafficMetrics,
  ...upstreamMetrics,
  ...certificateMetrics,
  ...memberMetrics,
  ...dnsblMetrics,
]
