// Metrics about services of datagrams.

import type { DatagramFigures } from '../../figures/index.ts'
import type { Metric } from './metric.ts'
import { byService, type Extra } from './service-samples.ts'

/** Services of connections have none. */
function byFlows(read: (datagrams: DatagramFigures) => number | readonly Extra[]) {
  return byService(({ datagrams }) => (datagrams ? read(datagrams) : []))
}

function byReason(read: (datagrams: DatagramFigures) => Readonly<Record<string, number>>) {
  return byFlows(datagrams => Object.entries(read(datagrams)).map(([reason, count]) => [{ reason }, count]))
}

export const datagramMetrics: readonly Metric[] = [
  {
    name: 'proxyprotocol_datagrams_total',
    type: 'counter',
    help: 'Datagrams relayed: up is from clients to upstreams.',
    labels: ['service', 'direction'],
    samples: byFlows(({ up, down }) => [
      [{ direction: 'up' }, up.datagrams],
      [{ direction: 'down' }, down.datagrams],
    ]),
  },
  {
    name: 'proxyprotocol_datagram_bytes_total',
    type: 'counter',
    help: 'Their payload, headers left out.',
    labels: ['service', 'direction'],
    samples: byFlows(({ up, down }) => [
      [{ direction: 'up' }, up.bytes],
      [{ direction: 'down' }, down.bytes],
    ]),
  },
  {
    name: 'proxyprotocol_datagrams_dropped_total',
    type: 'counter',
    help: 'Datagrams that were dropped, by why.',
    labels: ['service', 'reason'],
    samples: byReason(({ dropped }) => dropped),
  },
  {
    name: 'proxyprotocol_datagrams_kernel_dropped_total',
    type: 'counter',
    help: 'Datagrams that the kernel dropped because the receive buffer was full; absent where it does not say.',
    labels: ['service'],
    samples: byFlows(({ kernelDrops }) => kernelDrops ?? []),
  },
  {
    name: 'proxyprotocol_flows_active',
    type: 'gauge',
    help: 'Flows that are open now.',
    labels: ['service'],
    samples: byFlows(({ flows }) => flows.active),
  },
  {
    name: 'proxyprotocol_flows_confirmed',
    type: 'gauge',
    help: 'Those of the open flows whose client has sent again after a reply.',
    labels: ['service'],
    samples: byFlows(({ flows }) => flows.confirmed),
  },
  {
    name: 'proxyprotocol_flows_total',
    type: 'counter',
    help: 'Flows that were opened.',
    labels: ['service'],
    samples: byFlows(({ flows }) => flows.opened),
  },
  {
    name: 'proxyprotocol_flows_ended_total',
    type: 'counter',
    help: 'Flows that have ended, by why.',
    labels: ['service', 'reason'],
    samples: byReason(({ flows }) => flows.ended),
  },
]
