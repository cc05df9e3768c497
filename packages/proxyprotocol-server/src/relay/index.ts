// The relay: an accepted socket, a header, an upstream socket, and the tunnel between them.

export type { AccessCounts } from './access/index.ts'
export { describeListing } from './block-list-check.ts'
export { connectionLimit, withConnectionLimits } from './connection-limit.ts'
export { Fleet, type FleetChange, type FleetOptions, type FleetState } from './fleet.ts'
export { listenAt } from './listen-at.ts'
export { createRelay, type Relay, type RelayOptions } from './relay.ts'
export { serverTls } from './relay-tls.ts'
export { sentTo, upstreamsOf } from './service-figures.ts'
export type { RelayRecord, RelayTimings } from './stats/index.ts'
export type { Traffic } from './tunnel/index.ts'
export type { PoolsOptions, RoutedEvent, RoutedUpstreams } from './upstream-pools.ts'
export type { PoolContext, PoolSnapshot, Resolve, Route, UpstreamEvent } from './upstreams/index.ts'
