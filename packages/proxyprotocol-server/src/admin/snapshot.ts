// One reading of everything, which all answers are made from: numbers that are shown together were read together.

import type { AdminSource, Readiness, ServiceView, TotalsView, UpstreamView } from './admin-source.ts'
import type { Sums } from './last-minute.ts'
import type { ProcessFacts, ProcessView } from './process-facts.ts'

/** A service and its numbers. */
export interface ServiceSnapshot {
  readonly service: ServiceView
  readonly totals: TotalsView
  readonly upstreams: readonly UpstreamView[]
}

/** Everything at one moment. */
export interface Snapshot {
  readonly version: string
  readonly readiness: Readiness
  readonly process: ProcessView
  readonly lostLogLines: number
  readonly services: readonly ServiceSnapshot[]
}

export async function snapshotOf(source: AdminSource, facts: ProcessFacts): Promise<Snapshot> {
  const [own] = await Promise.all([facts.view(), source.refresh?.()])
  const services = servicesOf(source)
  const { version } = source
  const readiness = source.readiness()
  return {
    version,
    readiness,
    process: source.allProcesses?.(own) ?? own,
    lostLogLines: source.lostLogLines(),
    services,
  }
}

/** The services and their numbers at this moment. */
export function servicesOf(source: AdminSource): readonly ServiceSnapshot[] {
  return source.services().map(service => {
    return { service, totals: service.totals(), upstreams: service.upstreams() }
  })
}

/** All of a service's connections that are over. */
export function closedOf({ closed }: Pick<TotalsView, 'closed'>): number {
  return Object.values(closed).reduce((sum, count) => sum + count, 0)
}

/** Sums over all services. */
export function sumsOf(totals: readonly TotalsView[]): Sums {
  function sum(of: (each: TotalsView) => number): number {
    return totals.reduce((before, each) => before + of(each), 0)
  }
  const closed = sum(closedOf)
  return {
    accepted: sum(each => each.accepted),
    closed,
    errors: closed - sum(each => each.closed.done + each.closed.probe),
    bytesUp: sum(each => each.bytesUp),
    bytesDown: sum(each => each.bytesDown),
  }
}
