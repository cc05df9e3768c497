// The totals of several relays as those of one.

import { closeReasons, type CloseReason } from 'proxyprotocol/server'
import type { DistributionView } from './distribution.ts'
import type { HeaderCount, RelayTotals } from './relay-stats.ts'

/** Both together. */
export function sumOfTotals(one: RelayTotals, other: RelayTotals): RelayTotals {
  const closed = closeReasons.map(reason => [reason, one.closed[reason] + other.closed[reason]])
  return {
    accepted: one.accepted + other.accepted,
    active: one.active + other.active,
    closed: Object.fromEntries(closed) as Record<CloseReason, number>, // one entry for each
    pending: one.pending + other.pending,
    bytesUp: one.bytesUp + other.bytesUp,
    bytesDown: one.bytesDown + other.bytesDown,
    headers: sumOfHeaders([...one.headers, ...other.headers]),
    connects: sumOfDistributions(one.connects, other.connects),
    ages: sumOfDistributions(one.ages, other.ages),
  }
}

function sumOfHeaders(counts: readonly HeaderCount[]): readonly HeaderCount[] {
  const sums = new Map<string, HeaderCount>()
  for (const { version, command, count } of counts) {
    const key = `${version} ${command}`
    sums.set(key, { version, command, count: count + (sums.get(key)?.count ?? 0) })
  }
  return [...sums.values()]
}

/** All relays count by the same bounds. */
function sumOfDistributions(one: DistributionView, other: DistributionView): DistributionView {
  return {
    bounds: one.bounds,
    counts: one.counts.map((count, i) => count + (other.counts[i] as number)),
    sum: one.sum + other.sum,
  }
}
