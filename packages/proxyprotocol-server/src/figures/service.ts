// One service at one moment, and several relays of the same service as one.

import type { ServerState } from 'proxyprotocol/server'
import { type AccessFigures, type RateFigures, sumOfAccess, sumOfRates } from './admitted.ts'
import { type DatagramFigures, endedDatagrams, sumOfDatagrams } from './datagrams.ts'
import { sumOfListings, type ListingCounts } from './listings.ts'
import { merged } from './merged.ts'
import { sumOfTotals, type RelayTotals } from './totals.ts'
import type { QueueFigures, RoutedUpstream } from './upstream.ts'
import { endedUpstream, formerUpstream, shownUpstream, sumOfUpstreams, upstreamKey } from './upstream-sums.ts'

/** Limits that hold for all connections together. */
const SHARED_LIMITS: readonly string[] = ['connections', 'pendingHeaders', 'perSource', 'flows']

/** No worker may accept connections while another one drains. */
const STATES: readonly ServerState[] = ['draining', 'listening', 'idle', 'closed']

/** A certificate that a service presents. */
export interface CertificateFigures {
  /** `listen`: to clients; `upstream`: to upstreams. */
  readonly role: string
  readonly file: string
  /** Milliseconds since 1970. */
  readonly expires: number
}

/** Durations in milliseconds. */
export interface ServiceFigures {
  readonly name: string
  /** Undefined while it does not listen. */
  readonly address: string | undefined
  readonly upstream: string
  readonly sends: string
  /** The headers that it accepts; undefined if it reads none. */
  readonly expects: string | undefined
  readonly trust: readonly string[]
  readonly state: ServerState
  /** By name; `Infinity` for no limit. */
  readonly limits: Readonly<Record<string, number>>
  readonly timeouts: Readonly<Record<string, number>>
  /** Undefined without lists; `rate` without a rate. */
  readonly access: AccessFigures | undefined
  readonly rate: RateFigures | undefined
  readonly totals: RelayTotals
  readonly upstreams: readonly RoutedUpstream[]
  readonly queues: readonly QueueFigures[]
  readonly certificates: readonly CertificateFigures[]
  /** Undefined if it asks no block lists. */
  readonly listings: ListingCounts | undefined
  /** Undefined for connections. */
  readonly datagrams: DatagramFigures | undefined
}

/** Adds what is counted; everything else is as in the first. */
export function sumOfServices(one: ServiceFigures, other: ServiceFigures): ServiceFigures {
  return {
    ...one,
    address: one.address ?? other.address,
    state: STATES.find(state => state === one.state || state === other.state) as ServerState, // it lists all of them
    limits: mapped(one.limits, (limit, name) => {
      return SHARED_LIMITS.includes(name) ? limit + (other.limits[name] ?? 0) : limit
    }),
    totals: sumOfTotals(one.totals, other.totals),
    upstreams: sumOfUpstreams(one.upstreams, other.upstreams),
    queues: merged(one.queues, other.queues, { keyOf: routeOf, sum: sumOfQueues }),
    listings: sumOfListings(one.listings, other.listings),
    access: sumOfAccess(one.access, other.access),
    rate: sumOfRates(one.rate, other.rate),
    datagrams: sumOfDatagrams(one.datagrams, other.datagrams),
  }
}

/** What counts of a relay that no longer listens. */
export function formerService(service: ServiceFigures): ServiceFigures {
  return {
    ...service,
    state: 'closed',
    limits: mapped(service.limits, (limit, name) => (SHARED_LIMITS.includes(name) ? 0 : limit)),
    upstreams: service.upstreams.map(formerUpstream),
    queues: service.queues.map(queue => ({ ...queue, size: 0 })),
    rate: service.rate && { ...service.rate, used: 0 },
  }
}

/** What counts of a relay that has ended. If its process was killed, its connections were aborted. */
export function endedService(service: ServiceFigures): ServiceFigures {
  const { active, closed } = service.totals
  const former = formerService(service)
  return {
    ...former,
    totals: {
      ...former.totals,
      active: 0,
      ...{ pending: 0, busiestSource: 0 },
      closed: { ...closed, aborted: closed.aborted + active },
    },
    upstreams: former.upstreams.map(endedUpstream),
    queues: [],
    datagrams: endedDatagrams(former.datagrams),
  }
}

export function shownService(sum: ServiceFigures, now: ServiceFigures): ServiceFigures {
  const keys = new Set(now.upstreams.map(upstreamKey))
  const routes = now.queues.map(routeOf)
  return {
    ...sum,
    upstreams: sum.upstreams.filter(each => keys.has(upstreamKey(each))).map(shownUpstream),
    queues: sum.queues.filter(({ route }) => routes.includes(route)),
    listings: now.listings && sum.listings,
    access: now.access && sum.access,
  }
}

function routeOf({ route }: QueueFigures): string {
  return route
}

function sumOfQueues(one: QueueFigures, other: QueueFigures): QueueFigures {
  return { ...one, waiting: one.waiting + other.waiting, size: one.size + other.size }
}

function mapped(
  numbers: Readonly<Record<string, number>>,
  change: (value: number, name: string) => number,
): Record<string, number> {
  return Object.fromEntries(Object.entries(numbers).map(([name, value]) => [name, change(value, name)]))
}
