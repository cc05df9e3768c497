// What a relay counts: each connection while it lasts, the sums, and the record of its end.

export { RelayStats } from './relay-stats.ts'
export type { RelayedConnection, RelayTimings } from './relayed-connection.ts'
export { type Outcome, recordOf, type RelayRecord } from './relay-record.ts'
