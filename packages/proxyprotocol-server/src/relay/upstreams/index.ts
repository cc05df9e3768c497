export { answerAtOnce, connectedSocket, datagramFault } from './datagram-socket.ts'
export type { Member } from './member.ts'
export type { Resolve } from './names/index.ts'
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
