// What relays that follow one another at a service have counted, as that of one: none of it goes back at a reload.

import type { ListingCounts } from './block-list-check.ts'
import type { RelayTotals } from './ledger.ts'
import type { Relay } from './relay.ts'
import { sumOfTotals } from './totals-sum.ts'
import type { RoutedUpstream } from './upstream-pools.ts'

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
  return { ...account, upstreams: account.upstreams.map(each => ({ ...each, active: 0 })) }
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
    active: upstream.active + other.active,
    total: upstream.total + other.total,
    failures: sumOfCounts(upstream.failures, other.failures),
  }
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

function sumOfCounts<Counts extends Readonly<Partial<Record<string, number>>>>(
  one: Counts,
  other: Counts,
): Counts {
  const names = Object.keys({ ...one, ...other })
  const sums = names.map(name => [name, (one[name] ?? 0) + (other[name] ?? 0)])
  return Object.fromEntries(sums) as Counts // by its names
}
