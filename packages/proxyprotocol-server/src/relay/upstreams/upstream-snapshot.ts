// What is said of the upstreams of a service and of their members at a moment, as plain data.

import type { ErrorCode } from 'proxyprotocol'
import type { Judgement } from './judge.ts'
import type { NameSnapshot } from './resolved-name.ts'

/**
 * `probing`: it is down, and its last check was good. `drained`: its weight is 0, so it gets no connections, whatever its checks
 * say. `leaving`: no answer has it any more, and its connections go on.
 */
export type UpstreamState = Judgement | 'drained' | 'leaving'

/** A failure, `age` milliseconds ago. */
export interface UpstreamFailure {
  readonly code: ErrorCode
  readonly message: string
  readonly age: number
}

/** Active checks so far. */
export interface CheckCounts {
  readonly passed: number
  readonly failed: number
  /** Since the verdict could last have changed: checks in a row with the same result. */
  readonly streak: number
  readonly verdict: 'up' | 'down'
  readonly lastFailure: UpstreamFailure | undefined
}

/** What is counted of an upstream, and of each of its members. */
export interface UpstreamCounts {
  /** Connections that it has now, those included that are still connecting. */
  readonly active: number
  /** Connections that stood. */
  readonly total: number
  /** Attempts to connect that failed, checks left out. */
  readonly failures: Readonly<Partial<Record<ErrorCode, number>>>
}

/** One member. */
export interface MemberSnapshot extends UpstreamCounts {
  /** As address strings have it. */
  readonly address: string
  readonly weight: number
  readonly state: UpstreamState
  /** The latest one, of a connection or of a check. */
  readonly lastFailure: UpstreamFailure | undefined
  /** Undefined where it is not checked. */
  readonly checks: CheckCounts | undefined
}

/** One upstream; what is counted is the sum over its members, those that are gone included. */
export interface UpstreamSnapshot extends UpstreamCounts {
  readonly name: string
  /** As address strings have it, without what follows the question mark. */
  readonly address: string
  /** Of each member. */
  readonly weight: number
  readonly backup: boolean
  /** `up` where any member is. */
  readonly state: UpstreamState
  /** The latest one of a member, or of the look-up where there are no members. */
  readonly lastFailure: UpstreamFailure | undefined
  /** One where the upstream is given by its address, and none where its name has no answer. */
  readonly members: readonly MemberSnapshot[]
  /** Members that have come or gone since the first answer. */
  readonly memberChanges: number
  /** Addresses of the last answer beyond `resolve.maxMembers`. */
  readonly leftOut: number
  /** How its name is looked up; undefined where it has none. */
  readonly resolution: NameSnapshot | undefined
}

/** The one that came last. */
export function latestOf(failures: readonly (UpstreamFailure | undefined)[]): UpstreamFailure | undefined {
  return failures.filter(each => each !== undefined).sort((one, other) => one.age - other.age)[0]
}

/** All counts together. */
export function addCounts(all: readonly UpstreamCounts[]): UpstreamCounts {
  const failures: Partial<Record<ErrorCode, number>> = {}
  for (const each of all) {
    for (const [name, count] of Object.entries(each.failures)) {
      const code = name as ErrorCode // its keys are nothing else
      failures[code] = (failures[code] ?? 0) + count
    }
  }
  return {
    active: all.reduce((sum, { active }) => sum + active, 0),
    total: all.reduce((sum, { total }) => sum + total, 0),
    failures,
  }
}
