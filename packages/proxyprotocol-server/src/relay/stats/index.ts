export { RelayStats } from './relay-stats.ts'
export type { RelayedConnection, RelayTimings } from './relayed-connection.ts'
export { type Outcome, recordOf, type RelayRecord } from './relay-record.ts'
