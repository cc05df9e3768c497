// Metrics about the upstreams of services, each with its route, and about the members of their names.

import { failuresOf, type RoutedUpstream } from '../../figures/index.ts'
import type { Metric } from './metric.ts'
import { byService, type Extra, SECOND } from './service-samples.ts'

const labels = ['service', 'route', 'upstream']

/** No sample where the value is undefined. */
function byUpstream(
  read: (upstream: RoutedUpstream) => number | undefined,
): Pick<Metric, 'labels' | 'samples'> {
  const samples = byService(({ upstreams }) =>
    upstreams.flatMap(each => {
      const value = read(each)
      return value === undefined ? [] : [[{ route: each.route, upstream: each.name }, value] as const]
    }),
  )
  return { labels, samples }
}

const ownMetrics: readonly Metric[] = [
  {
    name: 'proxyprotocol_upstream_up',
    type: 'gauge',
    help: '1 while the upstream takes its share of connections, 0 while it is down, on trial or drained.',
    ...byUpstream(({ state }) => (state === 'up' ? 1 : 0)),
  },
  {
    name: 'proxyprotocol_upstream_drained',
    type: 'gauge',
    help: '1 for an upstream whose weight is 0, so that it gets no connections, 0 for others.',
    ...byUpstream(({ state }) => (state === 'drained' ? 1 : 0)),
  },
  {
    name: 'proxyprotocol_upstream_connections_active',
    type: 'gauge',
    help: 'Connections to the upstream that are open now.',
    ...byUpstream(({ active }) => active),
  },
  {
    name: 'proxyprotocol_upstream_connections_limit',
    type: 'gauge',
    help: 'Connections that the upstream may have open, over all of its addresses; absent without a limit.',
    ...byUpstream(({ limit }) => limit),
  },
  {
    name: 'proxyprotocol_upstream_connections_total',
    type: 'counter',
    help: 'Connections that the upstream was chosen for.',
    ...byUpstream(({ total }) => total),
  },
  {
    name: 'proxyprotocol_upstream_failures_total',
    type: 'counter',
    help: 'Connections to the upstream that failed.',
    ...byUpstream(failuresOf),
  },
  {
    name: 'proxyprotocol_upstream_connections_queued',
    type: 'gauge',
    help: 'Connections that wait because the upstreams that are up have their maxConnections.',
    labels: ['service', 'route'],
    samples: byService(({ queues }) => queues.map(({ route, waiting }) => [{ route }, waiting])),
  },
  {
    name: 'proxyprotocol_upstream_connections_queued_limit',
    type: 'gauge',
    help: 'Connections that may wait for an upstream with room.',
    labels: ['service', 'route'],
    samples: byService(({ queues }) => queues.map(({ route, size }) => [{ route }, size])),
  },
]

const MEMBER_STATES = ['up', 'probing', 'drained', 'down', 'leaving'] as const

/** Addresses are no labels, because they come from the network. */
const memberMetrics: readonly Metric[] = [
  {
    name: 'proxyprotocol_upstream_members',
    type: 'gauge',
    help: 'Addresses of the upstream by their state: up, probing, drained, down or leaving.',
    labels: [...labels, 'state'],
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
    ...byUpstream(({ memberChanges }) => memberChanges),
  },
  {
    name: 'proxyprotocol_upstream_members_left_out',
    type: 'gauge',
    help: 'Addresses of the last answer that are not used, as there are more than resolve.maxMembers.',
    ...byUpstream(({ leftOut }) => leftOut),
  },
  {
    name: 'proxyprotocol_upstream_answer_age_seconds',
    type: 'gauge',
    help: 'Time since the last good answer about the name of the upstream; absent where there is none.',
    ...byUpstream(({ resolution }) => resolution?.age && resolution.age / SECOND),
  },
  {
    name: 'proxyprotocol_upstream_lookup_failures_total',
    type: 'counter',
    help: 'Look-ups of the name of the upstream that failed, or found no address.',
    ...byUpstream(({ resolution }) => resolution?.failures ?? 0),
  },
]

export const upstreamMetrics: readonly Metric[] = [...ownMetrics, ...memberMetrics]
