export type { AccessCounts, GateFigures } from './access/index.ts'
export { describeListing } from './block-list-check.ts'
export { connectionLimit, withConnectionLimits } from './connection-limit.ts'
export {
  bindOnce,
  DatagramRelay,
  type DatagramRelayOptions,
  type FlowRecord,
  flowLimit,
  localPorts,
  type ServiceRelay,
  type ServiceServer,
} from './datagrams/index.ts'
export { Fleet, type FleetChange, type FleetOptions, type FleetState } from './fleet/index.ts'
export { listenAt } from './listen-at.ts'
export { createRelay, createRelayInSlices, type Relay, type RelayOptions } from './relay.ts'
export { newTicketSecret, serverTls } from './tls/index.ts'
export { sentTo, upstreamsOf } from './service-figures.ts'
export type { RelayRecord, RelayTimings } from './stats/index.ts'
export type { Traffic } from './tunnel/index.ts'
export type { PoolsOptions, RoutedEvent, RoutedUpstreams } from './upstream-pools.ts'
export type { PoolContext, PoolSnapshot, Resolve, Route, UpstreamEvent } from './upstreams/index.ts'
