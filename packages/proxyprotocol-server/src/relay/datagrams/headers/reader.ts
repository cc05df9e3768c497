// What a datagram of a client says.

import type { InetEndpoint, ProxyHeader } from 'proxyprotocol'
import type { DropReason } from 'proxyprotocol/udp'

/** What a header says, or the peer without one. */
export interface Announced {
  readonly source: InetEndpoint
  /** Undefined if no header names it. */
  readonly destination: InetEndpoint | undefined
  readonly header: ProxyHeader | undefined
  /** What replies must start with. */
  readonly back: Uint8Array | undefined
}

export interface ClientDatagram {
  readonly announced: Announced
  readonly payload: Uint8Array
  /** True for the header of `unsafe-first` that has no payload. */
  readonly isHeaderOnly: boolean
}

export type Read = (bytes: Buffer, peer: InetEndpoint) => ClientDatagram | DropReason
