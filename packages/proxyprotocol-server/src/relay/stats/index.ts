// What a relay counts: each connection while it lasts, the sums, and the record of its end.

export type { DistributionView } from './distribution.ts'
export { type HeaderCount, RelayStats, type LiveConnection, type RelayTotals } from './relay-stats.ts'
export type { RelayedConnection, RelayTimings } from './relayed-connection.ts'
export { type Outcome, recordOf, type RelayRecord } from './relay-record.ts'
export type { TlsFacts } from './tls-facts.ts'
export { sumOfTotals } from './totals-sum.ts'
