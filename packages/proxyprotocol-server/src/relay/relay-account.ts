// What relays that follow one another at a service have counted, as that of one: none of it goes back at a reload.

import type { ListingCounts } from './block-list-check.ts'
import type { Relay } from './relay.ts'
import { type RelayTotals, sumOfTotals } from './stats/index.ts'
import type { RoutedUpstream } from './upstream-pools.ts'
import { addCounts, type CheckCounts, type MemberSnapshot, type NameSnapshot } from './upstreams/index.ts'

/** All that a relay counts. */
export interface RelayAccount {
  readonly totals: RelayTotals
  readonly listings: ListingCounts | undefined
  readonly upstreams: readonly RoutedUpstream[]
}

export function accountOf({ totals, listings, upstreams }: Relay): RelayAccount {
  return { totals: totals(), listings, upstreams: upstreams().upstreams }
}

/** The same of one that is over; the sockets of its upstreams may be closed a moment after it. */
export function lastAccountOf(relay: Relay): RelayAccount {
  const account = accountOf(relay)
  const upstreams = account.upstreams.map(each => {
    return { ...each, active: 0, members: each.members.map(member => ({ ...member, active: 0 })) }
  })
  return { ...account, upstreams }
}

/** What a relay shows when it follows others: their counts beside its own, of what it has itself. */
export function shownWith(relay: Relay, { totals, listings, upstreams }: RelayAccount): Relay {
  const pool = relay.upstreams()
  return {
    ...relay,
    totals: () => totals,
    listings: relay.listings && listings,
    upstreams: () => ({ ...pool, upstreams: upstreams.slice(0, pool.upstreams.length) }),
  }
}

/** Both together; what is no count is as the latter has it. */
export function sumOfAccounts(one: RelayAccount | undefined, other: RelayAccount): RelayAccount {
  if (one === undefined) return other
  const gone = one.upstreams.filter(each => !other.upstreams.some(these => isSame(these, each)))
  return {
    totals: sumOfTotals(one.totals, other.totals),
    listings: sumOfListings(one.listings, other.listings),
    upstreams: [
      ...other.upstreams.map(each =>
        one.upstreams.filter(these => isSame(these, each)).reduce(withCountsOf, each),
      ),
      ...gone,
    ],
  }
}

function isSame(one: RoutedUpstream, other: RoutedUpstream): boolean {
  return one.name === other.name && one.address === other.address
}

function withCountsOf(upstream: RoutedUpstream, other: RoutedUpstream): RoutedUpstream {
  return {
    ...upstream,
    ...addCounts([upstream, other]),
    members: sumOfMembers(upstream.members, other.members),
    memberChanges: upstream.memberChanges + other.memberChanges,
    resolution: withLookUpsOf(upstream.resolution, other.resolution),
  }
}

/** Of the former ones those that the latter has, and those that have connections left. */
function sumOfMembers(
  latter: readonly MemberSnapshot[],
  former: readonly MemberSnapshot[],
): readonly MemberSnapshot[] {
  const gone = former.filter(
    ({ address, active }) => active > 0 && !latter.some(each => each.address === address),
  )
  return [
    ...latter.map(each =>
      former
        .filter(({ address }) => address === each.address)
        .reduce((sum, other) => {
          return { ...sum, ...addCounts([sum, other]), checks: withChecksOf(sum.checks, other.checks) }
        }, each),
    ),
    ...gone.map(each => ({ ...each, state: 'leaving' as const })),
  ]
}

function withChecksOf(
  checks: CheckCounts | undefined,
  other: CheckCounts | undefined,
): CheckCounts | undefined {
  if (checks === undefined || other === undefined) return checks
  return { ...checks, passed: checks.passed + other.passed, failed: checks.failed + other.failed }
}

function withLookUpsOf(
  name: NameSnapshot | undefined,
  other: NameSnapshot | undefined,
): NameSnapshot | undefined {
  if (name === undefined || other === undefined) return name
  return { ...name, answers: name.answers + other.answers, failures: name.failures + other.failures }
}

function sumOfListings(
  one: ListingCounts | undefined,
  other: ListingCounts | undefined,
): ListingCounts | undefined {
  if (one === undefined || other === undefined) return one ?? other
  return {
    listed: one.listed + other.listed,
    clear: one.clear + other.clear,
    unknown: sumOfCounts(one.unknown, other.unknown),
  }
}

function sumOfCounts<Counts extends Readonly<Record<string, number>>>(one: Counts, other: Counts): Counts {
  const sums = Object.entries(one).map(([name, count]) => [name, count + (other[name] as number)]) // both have them all
  return Object.fromEntries(sums) as Counts // by its names
}
