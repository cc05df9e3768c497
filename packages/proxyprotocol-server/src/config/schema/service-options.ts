import type { TrustList } from '../trust.ts'
import type { AccessInit, OverLimit, RateInit, ServiceLimitsInit } from './clients/index.ts'
import type { BlockListsInit } from './dnsbl.ts'
import type { TlvName } from './pass.ts'
import type { ServiceLog } from './program/index.ts'
import type { ServiceTimeoutsInit } from './timeouts.ts'
import type { ListenTlsInit, PassthroughInit } from './tls/index.ts'
import type { OwnTlvsInit } from './tlvs.ts'
import type { PoolOptions } from './upstreams.ts'

/** Options of a service besides its addresses. */
export interface ServiceOptions extends PoolOptions, AccessInit {
  readonly name?: string | undefined
  /** Who may send headers; required if SOURCE has `pp`, otherwise refused. See {@link parseTrust}. */
  readonly trust?: TrustList | undefined
  /** TLVs of an inbound header that go on. Default: alpn, authority, uniqueId, ssl, and those of the clouds. */
  readonly pass?: readonly TlvName[] | undefined
  /** Your own TLVs in version 2 headers, by type: `{ '0xE1': 'text:edge' }`. */
  readonly tlvs?: OwnTlvsInit | undefined
  readonly passthrough?: PassthroughInit | undefined
  /** TLS that ends here, beside what the listen address says. */
  readonly tls?: ListenTlsInit | undefined
  readonly dnsbl?: BlockListsInit | undefined
  /** Default 65535, or what the kernel takes. */
  readonly backlog?: number | undefined
  readonly limits?: ServiceLimitsInit | undefined
  /** What to do with connections over a limit. Default `'close'`. */
  readonly overLimit?: OverLimit | undefined
  readonly rate?: RateInit | undefined
  readonly timeouts?: ServiceTimeoutsInit | undefined
  readonly log?: ServiceLog | undefined
  /** UDP only: replies after which a flow ends. */
  readonly replies?: number | undefined
  /** UDP only: bytes to a client for each byte from it, while its flow is new. */
  readonly replyFactor?: number | undefined
}

export interface ServiceInit extends ServiceOptions {
  readonly listen: string | readonly string[]
  readonly upstream?: string | undefined
  /** A file with a list of upstreams; only `parseConfig` reads it. */
  readonly upstreamsFrom?: string | undefined
}

export type ServiceDefaults = Omit<ServiceOptions, 'name' | 'upstreams'>
