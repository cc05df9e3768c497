// The relay: an accepted socket, a header, an upstream socket, and the tunnel between the two.

export type { AccessCounts } from './access/index.ts'
export { describeListing, type ListingCounts } from './block-list-check.ts'
export { connectionLimit, withConnectionLimits } from './connection-limit.ts'
export type { DistributionView } from './stats/index.ts'
export type { HeaderCount, LiveConnection, RelayTotals } from './stats/index.ts'
export type { RelayTimings } from './stats/index.ts'
export { Fleet, type FleetChange, type FleetOptions, type FleetState } from './fleet.ts'
export { listenAt } from './listen-at.ts'
export { createRelay, type Relay, type RelayOptions } from './relay.ts'
export type { RelayRecord } from './stats/index.ts'
export { sumOfTotals } from './stats/index.ts'
export { serverTls } from './relay-tls.ts'
export type { TlsFacts } from './stats/index.ts'
export type { Traffic } from './tunnel/index.ts'
export type { RoutedUpstream, RoutedUpstreams } from './upstream-pools.ts'
export type { PoolsOptions, RoutedEvent } from './upstream-pools.ts'
export type {
  CheckCounts,
  MemberSnapshot,
  NameSnapshot,
  PoolContext,
  PoolSnapshot,
  Resolve,
  Route,
  UpstreamCounts,
  UpstreamEvent,
  UpstreamFailure,
  UpstreamSnapshot,
  UpstreamState,
} from './upstreams/index.ts'
