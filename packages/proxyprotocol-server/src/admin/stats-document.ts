// Makes the answer to /stats.json: everything that the status page needs, in one object.

import type { Endpoint } from 'proxyprotocol'
import { formatHostPort } from '../config/index.ts'
import {
  adviceOn,
  answersOf,
  failuresOf,
  sumsOf,
  upstreamKey,
  type ConnectionShown,
  type LastMinute,
  type LiveConnection,
  type MemberShown,
  type MemberSnapshot,
  type NameSnapshot,
  type Refusal,
  type RefusalShown,
  type RelayTotals,
  type RoutedUpstream,
  type ServiceFigures,
  type ServiceShown,
  type StatsDocument,
  type SumsShown,
  type UpstreamFailure,
  type UpstreamShown,
} from '../figures/index.ts'
import type { AdminSource } from './admin-source.ts'
import type { History } from './history.ts'
import type { Snapshot } from './snapshot.ts'

/** An answer stays below half a megabyte. */
export const MAX_LISTED = 1_000

export interface StatsSource {
  readonly snapshot: Snapshot
  readonly history: Pick<History, 'lastMinute' | 'of'>
  readonly connections: AdminSource['connections']
}

export function* statsText({ snapshot, history, connections }: StatsSource): Generator<string> {
  const { services } = snapshot
  const open = services.reduce(
    (sum, { totals, datagrams }) => sum + (datagrams?.flows.active ?? totals.active),
    0,
  )
  yield `${JSON.stringify(headOf(snapshot, history.lastMinute)).slice(0, -1)},"services":[`
  yield* listText(services, service => serviceShown(service, history))
  yield `],"connections":{"total":${String(open)},"list":[`
  yield* listText(listedConnections(services, connections), each => connectionShown(...each))
  yield ']}}'
}

function* listText<Item>(
  items: Iterable<Item>,
  shown: (item: Item) => ServiceShown | ConnectionShown,
): Generator<string> {
  let comma = ''
  for (const item of items) {
    yield `${comma}${JSON.stringify(shown(item))}`
    comma = ','
  }
}

function headOf(snapshot: Snapshot, lastMinute: LastMinute): Omit<StatsDocument, 'services' | 'connections'> {
  const { version, readiness, process: view, lostLogLines, totals, refusals } = snapshot
  return {
    version,
    time: new Date().toISOString(),
    state: readiness,
    draining: readiness === 'draining',
    process: { ...view, openFiles: view.openFiles ?? null, maxFiles: view.maxFiles ?? null },
    log: { lost: lostLogLines },
    totals: sumsShown(totals),
    reasons: totals.closed,
    lastMinute,
    refusals: refusals.map(refusalShown),
  }
}

function refusalShown(refusal: Refusal): RefusalShown {
  const { time, peer, source, message } = refusal
  return {
    ...refusal,
    time: new Date(time).toISOString(),
    message: printable(message),
    ...{ peer: endpointText(peer), source: endpointText(source), advice: adviceOn(refusal) },
  }
}

function sumsShown(totals: RelayTotals): SumsShown {
  const { active, pending } = totals
  return { ...sumsOf(totals), active, pending }
}

function serviceShown(service: ServiceFigures, history: StatsSource['history']): ServiceShown {
  const { lastMinute, peak, upstreamPeaks } = history.of(service)
  const { name, address = null, upstream, sends, expects = null, trust, state, limits, timeouts } = service
  const { totals, upstreams, queues, certificates, listings, access, rate = null, datagrams } = service
  const { closed, headers, connects, ages, busiestSource } = totals
  return {
    ...{ name, address, upstream, sends, expects, trust, state },
    ...{ limits, timeouts }, // JSON has null in place of Infinity
    ...{ busiestSource, access: access ? { ...access, allow: access.allow ?? null } : null, rate },
    ...sumsShown(totals),
    ...{ reasons: closed, headers, connects, ages },
    ...{ peak, lastMinute },
    upstreams: upstreams.map(each => {
      return upstreamShown(each, upstreamPeaks.get(upstreamKey(each)) as number) // each has one
    }),
    queues,
    certificates: certificates.map(({ role, file, expires }) => {
      return { role, file, expires: new Date(expires).toJSON() }
    }),
    dnsbl: listings ? answersOf(listings) : null,
    datagrams: datagrams ? { ...datagrams, kernelDrops: datagrams.kernelDrops ?? null } : null,
  }
}

function upstreamShown(upstream: RoutedUpstream, peak: number): UpstreamShown {
  const { name, address, weight, backup, state, route, active, total, memberChanges, leftOut } = upstream
  const { lastFailure, members, resolution, limit = null } = upstream
  return {
    ...{ name, weight, backup, limit, state, active, total, memberChanges, leftOut, route },
    failures: failuresOf(upstream),
    address,
    lastFailure: failureShown(lastFailure),
    peak,
    members: members.map(memberShown),
    resolution: resolution ? resolutionShown(resolution) : null,
  }
}

function memberShown(member: MemberSnapshot): MemberShown {
  const { address, weight, state, active, total, lastFailure, checks } = member
  return {
    ...{ address, weight, state, active, total, lastFailure: failureShown(lastFailure) },
    failures: failuresOf(member),
    checks: checks ? { type: checks.type, passed: checks.passed, failed: checks.failed } : null,
  }
}

function failureShown(failure: UpstreamFailure | undefined): UpstreamFailure | null {
  return failure ? { ...failure, age: Math.round(failure.age) } : null
}

function resolutionShown(name: NameSnapshot): UpstreamShown['resolution'] {
  const { age, answers, failures, lastFailure = null } = name
  return { age: age === undefined ? null : Math.round(age), answers, failures, lastFailure }
}

/** The connections that are shown, each with the name of its service. */
export function* listedConnections(
  services: readonly Pick<ServiceFigures, 'name'>[],
  connections: AdminSource['connections'],
): Generator<readonly [service: string, connection: LiveConnection]> {
  let room = MAX_LISTED
  for (const { name } of services) {
    for (const connection of connections(name)) {
      if (room-- <= 0) return
      yield [name, connection]
    }
  }
}

function connectionShown(service: string, connection: LiveConnection): ConnectionShown {
  const { id, state, tls, age, bytesUp, bytesDown, reason = null } = connection
  const [peer, source, destination, upstream] = [
    endpointText(connection.peer),
    endpointText(connection.source),
    endpointText(connection.destination),
    endpointText(connection.upstream),
  ]
  return {
    ...{ id, service, state, peer, source, destination, upstream },
    ...{ tls: tls?.version ?? null, sni: tls?.serverName ?? null },
    ...{ age: Math.round(age), bytesUp, bytesDown, reason },
  }
}

function endpointText(endpoint: Endpoint | undefined): string | null {
  if (endpoint === undefined) return null
  if ('address' in endpoint) return formatHostPort(endpoint.address, endpoint.port)
  const { path } = endpoint
  return typeof path === 'string' ? printable(path) : `0x${Buffer.from(path).toString('hex')}`
}

/** Letters that reorder text would show another address. */
function printable(text: string): string {
  return text.replace(/[^ -~]/g, unit => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
}
