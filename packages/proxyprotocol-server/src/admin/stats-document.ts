// What /stats.json answers: everything that a status page needs, in one object. docs/admin.md describes it, and a test
// keeps the two equal.

import type { Endpoint } from 'proxyprotocol'
import { closeReasons, type CloseReason } from 'proxyprotocol/server'
import { formatEndpoint } from '../config/index.ts'
import type {
  CertificateView,
  ConnectionView,
  DistributionView,
  FailureView,
  MemberView,
  Readiness,
  ResolutionView,
  TotalsView,
  UpstreamView,
} from './admin-source.ts'
import type { LastMinute, Sums } from './last-minute.ts'
import type { ProcessView } from './process-facts.ts'
import { ServiceHistory } from './service-history.ts'
import { sumsOf, type ServiceSnapshot, type Snapshot } from './snapshot.ts'

/** Connections that are listed one by one: an answer stays below half a megabyte, and is made in milliseconds. */
export const MAX_LISTED = 1_000

/** What JSON knows of it: null for undefined, and for `Infinity` where something is not limited. */
type Shown<Fields> = {
  readonly [Name in keyof Fields]-?: Exclude<Fields[Name], undefined> | NullOf<Fields[Name]>
}
type NullOf<Value> = undefined extends Value ? null : never

/** Durations in milliseconds, sizes in bytes, times as ISO 8601. */
export interface StatsDocument {
  readonly version: string
  readonly time: string
  readonly state: Readiness
  readonly draining: boolean
  readonly process: Shown<ProcessView>
  readonly log: { readonly lost: number }
  readonly totals: SumsShown
  readonly reasons: Readonly<Record<CloseReason, number>>
  readonly lastMinute: LastMinute
  readonly services: readonly ServiceShown[]
  readonly connections: {
    readonly total: number
    /** The oldest of each service, up to {@link MAX_LISTED} in all. */
    readonly list: readonly ConnectionShown[]
  }
}

/** Sums since the start, and what is open now. */
export interface SumsShown extends Sums {
  readonly active: number
  readonly pending: number
}

/** One service. */
export interface ServiceShown extends SumsShown {
  readonly name: string
  readonly address: string | null
  readonly upstream: string
  readonly sends: string
  readonly expects: string | null
  readonly trust: readonly string[]
  readonly state: string
  /** By name; null for what is not limited. */
  readonly limits: Readonly<Record<string, number | null>>
  readonly timeouts: Readonly<Record<string, number | null>>
  readonly reasons: Readonly<Record<CloseReason, number>>
  readonly headers: TotalsView['headers']
  readonly connects: DistributionView
  readonly ages: DistributionView
  /** The most connections that were open at once, at looks once a second. */
  readonly peak: number
  readonly lastMinute: LastMinute
  readonly upstreams: readonly UpstreamShown[]
  readonly certificates: readonly CertificateShown[]
  /** Answers of block lists by what they say; null where none is asked. */
  readonly dnsbl: Readonly<Record<string, number>> | null
}

/** A certificate that a service shows; `expires` as ISO 8601. */
export interface CertificateShown extends Omit<CertificateView, 'expires'> {
  readonly expires: string
}

/** One upstream of a service. */
export interface UpstreamShown extends Shown<Omit<UpstreamView, 'members' | 'resolution'>> {
  /** As that of its service. */
  readonly peak: number
  readonly members: readonly Shown<MemberView>[]
  readonly resolution: Shown<ResolutionView> | null
}

/** One connection of this moment. */
export interface ConnectionShown {
  readonly id: string
  readonly service: string
  readonly state: string
  readonly peer: string | null
  readonly source: string | null
  readonly destination: string | null
  readonly upstream: string | null
  /** The version of the client's TLS, where it is known. */
  readonly tls: string | null
  /** The name that the client asked for. */
  readonly sni: string | null
  readonly age: number
  readonly bytesUp: number
  readonly bytesDown: number
  readonly reason: CloseReason | null
}

/** The document of one moment. */
export function statsDocument(
  snapshot: Snapshot,
  lastMinute: LastMinute,
  history: ServiceHistory = new ServiceHistory(),
): StatsDocument {
  const { version, readiness, process: view, lostLogLines, services } = snapshot
  const totals = services.map(each => each.totals)
  const sums = sumsShown(totals)
  return {
    version,
    time: new Date().toISOString(),
    state: readiness,
    draining: readiness === 'draining',
    process: { ...view, openFiles: view.openFiles ?? null, maxFiles: view.maxFiles ?? null },
    log: { lost: lostLogLines },
    totals: sums,
    reasons: reasonsOf(totals),
    lastMinute,
    services: services.map(each => serviceShown(each, history)),
    connections: { total: sums.active, list: [...listed(services)] },
  }
}

function sumsShown(totals: readonly TotalsView[]): SumsShown {
  const active = totals.reduce((sum, each) => sum + each.active, 0)
  const pending = totals.reduce((sum, each) => sum + each.pending, 0)
  return { ...sumsOf(totals), active, pending }
}

function reasonsOf(totals: readonly TotalsView[]): Record<CloseReason, number> {
  const sums = closeReasons.map(reason => [
    reason,
    totals.reduce((sum, { closed }) => sum + closed[reason], 0),
  ])
  return Object.fromEntries(sums) as Record<CloseReason, number> // one entry for each
}

function serviceShown(each: ServiceSnapshot, history: ServiceHistory): ServiceShown {
  const { service, totals, upstreams } = each
  const { lastMinute, peak, upstreamPeaks } = history.of(each)
  const { name, address = null, upstream, sends, expects = null, trust, state, limits, timeouts } = service
  const { headers, connects, ages } = totals
  return {
    ...{ name, address, upstream, sends, expects, trust, state },
    ...{ limits: finite(limits), timeouts: finite(timeouts) },
    ...sumsShown([totals]),
    ...{ reasons: reasonsOf([totals]), headers, connects, ages },
    ...{ peak, lastMinute },
    upstreams: upstreams.map(upstream => {
      return upstreamShown(upstream, upstreamPeaks.get(upstream.name) as number) // each has one
    }),
    certificates: service.certificates.map(({ role, file, expires }) => {
      return { role, file, expires: new Date(expires).toJSON() }
    }),
    dnsbl: service.dnsbl ?? null,
  }
}

function upstreamShown(upstream: UpstreamView, peak: number): UpstreamShown {
  const { address = null, lastFailure, members, resolution, ...rest } = upstream
  return {
    ...rest,
    address,
    lastFailure: failureShown(lastFailure),
    peak,
    members: members.map(({ checks = null, ...member }) => {
      return { ...member, checks, lastFailure: failureShown(member.lastFailure) }
    }),
    resolution: resolution ? resolutionShown(resolution) : null,
  }
}

function failureShown(failure: FailureView | undefined): FailureView | null {
  return failure ? { ...failure, age: Math.round(failure.age) } : null
}

function resolutionShown(resolution: ResolutionView): Shown<ResolutionView> {
  const { age, answers, failures, lastFailure = null } = resolution
  return { age: age === undefined ? null : Math.round(age), answers, failures, lastFailure }
}

function finite(values: Readonly<Record<string, number>>): Record<string, number | null> {
  const shown = Object.entries(values).map(([name, value]) => [name, Number.isFinite(value) ? value : null])
  return Object.fromEntries(shown) as Record<string, number | null> // as it was mapped
}

function* listed(services: readonly ServiceSnapshot[]): Generator<ConnectionShown> {
  let room = MAX_LISTED
  for (const { service } of services) {
    for (const connection of service.connections()) {
      if (room-- <= 0) return
      yield connectionShown(service.name, connection)
    }
  }
}

function connectionShown(service: string, connection: ConnectionView): ConnectionShown {
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
  if ('address' in endpoint)
    return formatEndpoint({
      transport: 'tcp',
      host: endpoint.address,
      port: endpoint.port,
      pp: undefined,
      tls: undefined,
    })
  const { path } = endpoint
  return typeof path === 'string' ? path : `0x${Buffer.from(path).toString('hex')}`
}
