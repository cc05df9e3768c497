// The relay: an accepted socket, a header, an upstream socket, and the tunnel between the two.

export { connectionLimit, withConnectionLimits } from './connection-limit.ts'
export { createRelay, type Relay, type RelayOptions, type RelayRecord } from './relay.ts'
export type { Traffic } from './tunnel.ts'
export type {
  CheckCounts,
  NameSnapshot,
  PoolContext,
  PoolSnapshot,
  Resolve,
  Route,
  UpstreamFailure,
  UpstreamSnapshot,
  UpstreamState,
} from './upstreams/index.ts'
