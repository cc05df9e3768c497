// The upstreams of a service: who gets the next connection, who is up, and where their names lead.

export type { NameSnapshot, Resolve } from './resolver.ts'
export {
  UpstreamPool,
  type PoolContext,
  type PoolSnapshot,
  type Route,
  type UpstreamRequest,
} from './upstream-pool.ts'
export { UpstreamTls } from './upstream-tls.ts'
export type { CheckCounts, UpstreamFailure, UpstreamSnapshot, UpstreamState } from './upstream.ts'
