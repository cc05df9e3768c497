// What a service has counted since its start.

import { closeReasons, type CloseReason, type ServerStats } from 'proxyprotocol/server'
import { Distribution, sumOfDistributions, type DistributionView } from './distribution.ts'
import { merged, sumOfNumbers } from './merged.ts'

export const CONNECT_BOUNDS: readonly number[] = [
  ...[1, 2.5, 5, 10, 25, 50, 100, 250, 500],
  ...[1_000, 2_500, 5_000, 10_000],
]
export const AGE_BOUNDS: readonly number[] = [
  ...[10, 50, 100, 500, 1_000, 5_000, 10_000],
  ...[60_000, 300_000, 1_800_000, 3_600_000, 86_400_000],
]

/** How many connections came with such a header. */
export interface HeaderCount {
  readonly version: 1 | 2
  readonly command: 'LOCAL' | 'PROXY'
  readonly count: number
}

/** `accepted` is always the sum of `active` and all of `closed`. */
export interface RelayTotals extends Omit<ServerStats, 'missing'> {
  /** Connections that wait for their header or for a connection slot. */
  readonly pending: number
  readonly bytesUp: number
  readonly bytesDown: number
  readonly headers: readonly HeaderCount[]
  readonly connects: DistributionView
  readonly ages: DistributionView
}

export const noTotals: RelayTotals = {
  ...{ accepted: 0, active: 0 },
  closed: Object.fromEntries(closeReasons.map(reason => [reason, 0])) as Record<CloseReason, number>, // one for each
  ...{ pending: 0, busiestSource: 0, bytesUp: 0, bytesDown: 0, headers: [] },
  connects: new Distribution(CONNECT_BOUNDS).view(),
  ages: new Distribution(AGE_BOUNDS).view(),
}

export function sumOfTotals(one: RelayTotals, other: RelayTotals): RelayTotals {
  return {
    accepted: one.accepted + other.accepted,
    active: one.active + other.active,
    closed: sumOfNumbers(one.closed, other.closed),
    pending: one.pending + other.pending,
    busiestSource: one.busiestSource + other.busiestSource,
    bytesUp: one.bytesUp + other.bytesUp,
    bytesDown: one.bytesDown + other.bytesDown,
    headers: merged(one.headers, other.headers, {
      keyOf: ({ version, command }) => `${version} ${command}`,
      sum: (count, { count: more }) => ({ ...count, count: count.count + more }),
    }),
    connects: sumOfDistributions(one.connects, other.connects),
    ages: sumOfDistributions(one.ages, other.ages),
  }
}

export interface Sums {
  readonly accepted: number
  readonly closed: number
  /** Closed for another reason than `done` or `probe`. */
  readonly errors: number
  readonly bytesUp: number
  readonly bytesDown: number
}

export function sumsOf({ accepted, active, closed, bytesUp, bytesDown }: RelayTotals): Sums {
  const ended = accepted - active
  return { accepted, closed: ended, errors: ended - closed.done - closed.probe, bytesUp, bytesDown }
}
