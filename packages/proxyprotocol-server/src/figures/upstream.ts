// An upstream of a service and its members, at one moment.

import type { ErrorCode } from 'proxyprotocol'

/**
 * `probing`: it is down, and its last check passed. `drained`: its weight is 0. `leaving`: the last answer does not
 * contain it, and its connections go on.
 */
export type UpstreamState = 'up' | 'probing' | 'drained' | 'down' | 'leaving'

/** The first one counts: an upstream that any relay uses is in use. */
const STATES: readonly UpstreamState[] = ['up', 'probing', 'drained', 'down', 'leaving']

/** `check_failed`: the upstream answered a check wrongly, or not at all. */
export type FailureCode = ErrorCode | 'check_failed'

/** A failure, `age` milliseconds ago. */
export interface UpstreamFailure {
  readonly code: FailureCode
  readonly message: string
  readonly age: number
}

/** Active checks so far. */
export interface CheckCounts {
  /** As configured: `tcp`, `http` ... */
  readonly type: string
  readonly passed: number
  readonly failed: number
  /** Checks in a row with the same result, since the verdict could last have changed. */
  readonly streak: number
  readonly verdict: 'up' | 'down'
  readonly lastFailure: UpstreamFailure | undefined
}

/** What is counted of an upstream, and of each of its members. */
export interface UpstreamCounts {
  readonly active: number
  readonly total: number
  /** Failed attempts to connect, without checks. */
  readonly failures: Readonly<Partial<Record<ErrorCode, number>>>
}

/** One member: an address of the upstream's name, or its only address. */
export interface MemberSnapshot extends UpstreamCounts {
  readonly address: string
  readonly weight: number
  readonly state: UpstreamState
  readonly lastFailure: UpstreamFailure | undefined
  /** Undefined if it is not checked. */
  readonly checks: CheckCounts | undefined
}

/** How a name is looked up. */
export interface NameSnapshot {
  readonly name: string
  /** The last good answer; empty if it is too old. */
  readonly addresses: readonly string[]
  readonly age: number | undefined
  readonly answers: number
  readonly failures: number
  readonly lastFailure: string | undefined
}

/** Its counts are the sums over its members, former ones included. */
export interface UpstreamSnapshot extends UpstreamCounts {
  readonly name: string
  readonly address: string
  /** Of each member. */
  readonly weight: number
  readonly backup: boolean
  /** How many connections its members may have together; undefined for any number. */
  readonly limit: number | undefined
  /** `up` if any member is. */
  readonly state: UpstreamState
  readonly lastFailure: UpstreamFailure | undefined
  /** One if the upstream is given by its address, none if its name has no answer. */
  readonly members: readonly MemberSnapshot[]
  readonly memberChanges: number
  /** Addresses of the last answer beyond `resolve.maxMembers`. */
  readonly leftOut: number
  /** Undefined if the upstream is given by its address. */
  readonly resolution: NameSnapshot | undefined
}

/** An upstream of a service, and the route that leads to it. */
export interface RoutedUpstream extends UpstreamSnapshot {
  /** The first server name of the route; `*` for the default route. */
  readonly route: string
}

/** The queue of a route. */
export interface QueueFigures {
  readonly route: string
  /** Connections that wait for an upstream with room. */
  readonly waiting: number
  /** How many may wait. */
  readonly size: number
}

export function stateOf(states: readonly UpstreamState[]): UpstreamState {
  return STATES.find(state => states.includes(state)) as UpstreamState // it lists all of them
}

export function latestOf(failures: readonly (UpstreamFailure | undefined)[]): UpstreamFailure | undefined {
  return failures.filter(each => each !== undefined).sort((one, other) => one.age - other.age)[0]
}

export function failuresOf({ failures }: UpstreamCounts): number {
  return Object.values(failures).reduce((sum, count) => sum + count, 0)
}
