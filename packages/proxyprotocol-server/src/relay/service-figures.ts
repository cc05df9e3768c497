// The figures of a relay: what its service is configured to do, and what it has counted.

import type { AddressInfo } from 'node:net'
import { formatEndpoint, formatHostPort, type Service } from '../config/index.ts'
import type { ServiceFigures } from '../figures/index.ts'
import { flowLimit, type ServiceRelay } from './datagrams/index.ts'
import type { RoutedUpstreams } from './upstream-pools.ts'

export function figuresOf(
  relay: ServiceRelay,
  { upstreams, queues }: RoutedUpstreams = relay.upstreams(),
): ServiceFigures {
  const { server, service } = relay
  const { name, accepts } = service
  const { address, state } = server
  return {
    name,
    address: boundAddress(address),
    upstream: upstreamsOf(service),
    sends: sentTo(service),
    expects: accepts?.version,
    trust: accepts ? [accepts.trust].flat() : [],
    state,
    ...bounds(service),
    ...relay.gate(),
    totals: relay.totals(),
    upstreams,
    queues,
    certificates: relay.certificates(),
    listings: relay.listings,
    datagrams: relay.datagrams?.(),
  }
}

function bounds(service: Service): Pick<ServiceFigures, 'limits' | 'timeouts'> {
  const { limits, timeouts, datagrams } = service
  if (datagrams === undefined) return { limits: numbersOf(limits), timeouts: numbersOf(timeouts) }
  const { perSource, headerBytes } = limits
  const { flow, confirmed } = datagrams
  return { limits: { flows: flowLimit(service), perSource, headerBytes }, timeouts: { flow, confirmed } }
}

function boundAddress(address: AddressInfo | string | null): string | undefined {
  if (address === null || typeof address === 'string') return address ?? undefined
  return formatHostPort(address.address, address.port)
}

export function upstreamsOf({ pool }: Pick<Service, 'pool'>): string {
  return pool.upstreams.map(({ address }) => formatEndpoint(address)).join(',')
}

export function sentTo({ pool }: Pick<Service, 'pool'>): string {
  return [...new Set(pool.upstreams.map(({ header }) => header))].join(',')
}

function numbersOf(values: object): Record<string, number> {
  const numbers = Object.entries(values).filter(([, value]) => typeof value === 'number')
  return Object.fromEntries(numbers) // the others are filtered out
}
