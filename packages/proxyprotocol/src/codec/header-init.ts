// What a caller gives to build a header.

import type { InetEndpoint, UnixEndpoint, Version } from './header.ts'
import type { Tlv } from './tlv/index.ts'

interface InitBase {
  /** Default 2. */
  readonly version?: Version | undefined
  /** Version 2 only; sent in this order. */
  readonly tlvs?: readonly Tlv[] | undefined
}

/** The proxy speaks for itself: a health check. */
export interface LocalInit extends InitBase {
  readonly command: 'LOCAL'
  readonly family?: 'UNSPEC' | undefined
}

/** A TCP or UDP connection. Default `family`: by the addresses; mixed ones travel as IPv6 (spec 4.2). */
export interface InetInit extends InitBase {
  readonly command?: 'PROXY' | undefined
  readonly family?: 'INET' | 'INET6' | undefined
  /** Default `'STREAM'`. */
  readonly transport?: 'STREAM' | 'DGRAM' | undefined
  readonly source: InetEndpoint
  readonly destination: InetEndpoint
}

/** A connection over UNIX sockets. */
export interface UnixInit extends InitBase {
  readonly command?: 'PROXY' | undefined
  readonly family?: 'UNIX' | undefined
  /** Default `'STREAM'`. */
  readonly transport?: 'STREAM' | 'DGRAM' | undefined
  readonly source: UnixEndpoint
  readonly destination: UnixEndpoint
}

/** Of unknown origin; prefer `LOCAL` in version 2, which every receiver accepts. */
export interface UnspecInit extends InitBase {
  readonly command?: 'PROXY' | undefined
  readonly family: 'UNSPEC'
}

/** What `encodeHeader` takes; every decoded header fits. */
export type HeaderInit = LocalInit | InetInit | UnixInit | UnspecInit
