// The upstreams of several relays as one list.

import { merged, sumOfNumbers } from './merged.ts'
import {
  latestOf,
  stateOf,
  type CheckCounts,
  type MemberSnapshot,
  type NameSnapshot,
  type RoutedUpstream,
  type UpstreamCounts,
} from './upstream.ts'

export const noCounts: UpstreamCounts = { active: 0, total: 0, failures: {} }

export function sumOfCounts(one: UpstreamCounts, other: UpstreamCounts): UpstreamCounts {
  return {
    active: one.active + other.active,
    total: one.total + other.total,
    failures: sumOfNumbers(one.failures, other.failures),
  }
}

/** Another address under the same name is another upstream. */
export function upstreamKey({ name, address }: RoutedUpstream): string {
  return `${name} ${address}`
}

export function sumOfUpstreams(
  one: readonly RoutedUpstream[],
  other: readonly RoutedUpstream[],
): readonly RoutedUpstream[] {
  return merged(one, other, { keyOf: upstreamKey, sum: sumOfTwo })
}

export function formerUpstream(upstream: RoutedUpstream): RoutedUpstream {
  const { members, resolution } = upstream
  const former = { state: 'leaving', lastFailure: undefined } as const
  return {
    ...upstream,
    ...former,
    ...{ leftOut: 0, limit: upstream.limit && 0 },
    members: members.map(member => ({ ...member, ...former })),
    resolution: resolution && { ...resolution, age: undefined, lastFailure: undefined },
  }
}

export function endedUpstream(upstream: RoutedUpstream): RoutedUpstream {
  const { members } = upstream
  return { ...upstream, active: 0, members: members.map(member => ({ ...member, active: 0 })) }
}

export function shownUpstream(upstream: RoutedUpstream): RoutedUpstream {
  const { state, members } = upstream
  return {
    ...upstream,
    state: state === 'leaving' ? 'down' : state,
    members: members.filter(member => member.state !== 'leaving' || member.active > 0),
  }
}

function sumOfTwo(one: RoutedUpstream, other: RoutedUpstream): RoutedUpstream {
  return {
    ...one,
    ...sumOfUse(one, other),
    members: merged(one.members, other.members, { keyOf: ({ address }) => address, sum: sumOfMembers }),
    limit: one.limit === undefined ? undefined : one.limit + (other.limit ?? 0),
    memberChanges: one.memberChanges + other.memberChanges,
    leftOut: Math.max(one.leftOut, other.leftOut),
    resolution: sumOfResolutions(one.resolution, other.resolution),
  }
}

/** What an upstream and its members have in common. */
function sumOfUse(one: MemberSnapshot | RoutedUpstream, other: MemberSnapshot | RoutedUpstream) {
  return {
    ...sumOfCounts(one, other),
    state: stateOf([one.state, other.state]),
    lastFailure: latestOf([one.lastFailure, other.lastFailure]),
  }
}

function sumOfMembers(one: MemberSnapshot, other: MemberSnapshot): MemberSnapshot {
  return {
    ...one,
    ...sumOfUse(one, other),
    checks: sumOfChecks(one.checks, other.checks),
  }
}

function sumOfChecks(one: CheckCounts | undefined, other: CheckCounts | undefined): CheckCounts | undefined {
  if (one === undefined || other === undefined) return one
  return { ...one, passed: one.passed + other.passed, failed: one.failed + other.failed }
}

function sumOfResolutions(
  one: NameSnapshot | undefined,
  other: NameSnapshot | undefined,
): NameSnapshot | undefined {
  if (one === undefined || other === undefined) return one
  const ages = [one.age, other.age].filter(age => age !== undefined)
  return {
    ...one,
    age: ages.length === 0 ? undefined : Math.max(...ages),
    answers: one.answers + other.answers,
    failures: one.failures + other.failures,
    lastFailure: one.lastFailure ?? other.lastFailure,
  }
}
