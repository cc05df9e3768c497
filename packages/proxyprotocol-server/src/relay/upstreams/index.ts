// The upstreams of a service: who gets the next connection, who is up, and where their names lead.

export type { Resolve } from './resolved-name.ts'
export type { UpstreamEvent } from './upstream-event.ts'
export {
  UpstreamPool,
  type PoolContext,
  type PoolOptions,
  type PoolSnapshot,
  type Route,
  type UpstreamRequest,
} from './upstream-pool.ts'
export { UpstreamTls } from './upstream-tls.ts'
