// What several workers have to show, as that of one program. Counters of workers that are gone stay in the sums, so that none
// of them ever goes back.

import type { MemberView, ProcessView, ResolutionView, ServiceView, UpstreamView } from '../../admin/index.ts'
import { sumOfTotals } from '../../relay/index.ts'
import type { ServiceReport } from './worker-messages.ts'

/** Limits that add up: as many there may be in all workers together. Others hold for each connection. */
const SHARED_LIMITS: readonly string[] = ['connections', 'pendingHeaders', 'perSource']

/** Of two states the one that stands first counts: no worker may take connections that drains. */
const STATES: readonly ServiceView['state'][] = ['draining', 'listening', 'idle', 'closed']

/** The same of an upstream and its members: one that any worker uses is used. `GONE` is what a worker that is gone had. */
const GONE = 'gone'
const UPSTREAM_STATES: readonly string[] = ['up', 'probing', 'drained', 'down', 'leaving', GONE]

/** Each service once, over all that report it, with all that any of them counts; what is the same for all is as the first says. */
export function sumOfServices(reports: readonly ServiceReport[]): readonly ServiceReport[] {
  const sums = new Map<string, ServiceReport>()
  for (const report of reports) {
    const before = sums.get(report.name)
    sums.set(report.name, before ? sumOfTwo(before, report) : report)
  }
  return [...sums.values()]
}

/**
 * As the admin listener takes it.
 *
 * @param now what has been counted for other upstreams and block lists than it has is not shown: they may come again.
 */
export function viewOf(sum: ServiceReport, now: ServiceReport): ServiceView {
  const { totals, connections = [] } = sum
  const oldestFirst = connections.toSorted((one, other) => other.age - one.age)
  const upstreams = sum.upstreams.filter(({ name }) => now.upstreams.some(each => each.name === name))
  return {
    ...sum,
    dnsbl: now.dnsbl && sum.dnsbl,
    totals: () => totals,
    connections: () => oldestFirst,
    upstreams: () => upstreams.map(withoutGone),
  }
}

/** What is left of a service when its worker is gone: counters. Its connections were cut off. */
export function pastOf(service: ServiceReport): ServiceReport {
  const { totals, limits, upstreams } = service
  const { closed, active } = totals
  return {
    ...service,
    state: 'closed',
    limits: mapped(limits, (limit, name) => (SHARED_LIMITS.includes(name) ? 0 : limit)),
    totals: { ...totals, active: 0, pending: 0, closed: { ...closed, aborted: closed.aborted + active } },
    connections: [],
    upstreams: upstreams.map(each => ({
      ...each,
      ...{ active: 0, state: GONE, lastFailure: undefined, leftOut: 0 },
      members: each.members.map(member => ({ ...member, active: 0, state: GONE, lastFailure: undefined })),
      resolution: each.resolution && { ...each.resolution, age: undefined, lastFailure: undefined },
    })),
  }
}

/** Members that none of the workers has any more are not shown, and an upstream that no worker knows is not used. */
function withoutGone({ state, members, ...each }: UpstreamView): UpstreamView {
  return {
    ...each,
    state: state === GONE ? 'down' : state,
    members: members.filter(member => member.state !== GONE),
  }
}

/** All processes as one: the figures of the program's own identify it. */
export function sumOfProcesses(own: ProcessView, others: readonly ProcessView[]): ProcessView {
  return others.reduce(
    (sum, each) => ({
      ...sum,
      cpu: sum.cpu + each.cpu,
      residentMemory: sum.residentMemory + each.residentMemory,
      heapUsed: sum.heapUsed + each.heapUsed,
      openFiles: sumOfKnown(sum.openFiles, each.openFiles),
      maxFiles: sumOfKnown(sum.maxFiles, each.maxFiles),
      eventLoopDelay: {
        p50: Math.max(sum.eventLoopDelay.p50, each.eventLoopDelay.p50),
        p99: Math.max(sum.eventLoopDelay.p99, each.eventLoopDelay.p99),
        max: Math.max(sum.eventLoopDelay.max, each.eventLoopDelay.max),
      },
    }),
    own,
  )
}

function sumOfTwo(one: ServiceReport, other: ServiceReport): ServiceReport {
  return {
    ...one,
    address: one.address ?? other.address,
    state: STATES.find(state => state === one.state || state === other.state) as ServiceView['state'], // it has them all
    limits: mapped(one.limits, (limit, name) =>
      SHARED_LIMITS.includes(name) ? limit + (other.limits[name] ?? 0) : limit,
    ),
    totals: sumOfTotals(one.totals, other.totals),
    connections: [...(one.connections ?? []), ...(other.connections ?? [])],
    upstreams: [
      ...one.upstreams.map(each =>
        other.upstreams.filter(({ name }) => name === each.name).reduce(sumOfUpstreams, each),
      ),
      ...other.upstreams.filter(({ name }) => !one.upstreams.some(each => each.name === name)),
    ],
    dnsbl: sumOfAnswers(one.dnsbl, other.dnsbl),
  }
}

function sumOfUpstreams(one: UpstreamView, other: UpstreamView): UpstreamView {
  return {
    ...one,
    ...sumOfCounted(one, other),
    members: [
      ...one.members.map(each =>
        other.members.filter(({ address }) => address === each.address).reduce(sumOfMembers, each),
      ),
      ...other.members.filter(({ address }) => !one.members.some(each => each.address === address)),
    ],
    memberChanges: one.memberChanges + other.memberChanges,
    leftOut: Math.max(one.leftOut, other.leftOut),
    resolution: sumOfResolutions(one.resolution, other.resolution),
  }
}

function sumOfMembers(one: MemberView, other: MemberView): MemberView {
  const checks =
    one.checks && other.checks
      ? { passed: one.checks.passed + other.checks.passed, failed: one.checks.failed + other.checks.failed }
      : (one.checks ?? other.checks)
  return { ...one, ...sumOfCounted(one, other), checks }
}

type Counted = Pick<MemberView, 'state' | 'active' | 'total' | 'failures' | 'lastFailure'>

/** Of failures the last counts. */
function sumOfCounted(one: Counted, other: Counted): Counted {
  const isLater = (other.lastFailure?.age ?? Infinity) < (one.lastFailure?.age ?? Infinity)
  return {
    state: UPSTREAM_STATES.find(state => state === one.state || state === other.state) ?? one.state,
    active: one.active + other.active,
    total: one.total + other.total,
    failures: one.failures + other.failures,
    lastFailure: isLater ? other.lastFailure : one.lastFailure,
  }
}

/** Of answers the oldest counts: it is what some of the connections go by. */
function sumOfResolutions(
  one: ResolutionView | undefined,
  other: ResolutionView | undefined,
): ResolutionView | undefined {
  if (one === undefined || other === undefined) return one ?? other
  const ages = [one.age, other.age].filter(age => age !== undefined)
  return {
    age: ages.length === 0 ? undefined : Math.max(...ages),
    answers: one.answers + other.answers,
    failures: one.failures + other.failures,
    lastFailure: one.lastFailure ?? other.lastFailure,
  }
}

function sumOfAnswers(one: ServiceReport['dnsbl'], other: ServiceReport['dnsbl']): ServiceReport['dnsbl'] {
  if (!one || !other) return one ?? other
  return mapped({ ...one, ...other }, (_, answer) => (one[answer] ?? 0) + (other[answer] ?? 0))
}

function mapped(
  numbers: Readonly<Record<string, number>>,
  change: (value: number, name: string) => number,
): Record<string, number> {
  return Object.fromEntries(Object.entries(numbers).map(([name, value]) => [name, change(value, name)]))
}

function sumOfKnown(one: number | undefined, other: number | undefined): number | undefined {
  return one === undefined || other === undefined ? undefined : one + other
}
