// Bytes are plain numbers here, so a chunk costs one addition; readers sum up.

import type { Listing } from 'proxyprotocol/dnsbl'
import type { Connection } from 'proxyprotocol/server'
import type { SentHeader } from '../../config/index.ts'
import type { TlsFacts } from '../../figures/index.ts'
import type { ClientHello } from '../passthrough/index.ts'
import type { Traffic } from '../tunnel/index.ts'
import type { Route } from '../upstreams/index.ts'
import { tlsFacts } from './tls-facts.ts'

/** Milliseconds; undefined for stages not reached. */
export interface RelayTimings {
  /** From accept until its header was accepted. */
  readonly header: number
  /** From then until the block lists answered; undefined if none was asked. */
  readonly dnsbl: number | undefined
  /** From then until its upstream was connected. */
  readonly connect: number | undefined
  /** From accept until the upstream's first byte. */
  readonly firstByte: number | undefined
}

export class RelayedConnection implements Traffic {
  bytesUp = 0
  bytesDown = 0
  firstByteAt: number | undefined
  upstreamEnded = false
  readonly route: Route = { upstream: undefined, upstreamAddress: undefined, attempts: 0 }
  sent: SentHeader | undefined
  hello: ClientHello | undefined
  /** The client has asked for TLS as PostgreSQL's do. */
  sslRequest = false
  listing: Listing | undefined
  /** Taken at the start, because the socket forgets them. */
  #tls: TlsFacts | undefined
  readonly #acceptedAt: number
  readonly #openedAt: number
  #answeredAt: number | undefined
  #connectedAt: number | undefined

  constructor(connection: Pick<Connection, 'age' | 'info' | 'tls'>) {
    this.#openedAt = performance.now()
    this.#acceptedAt = this.#openedAt - connection.age
    this.#tls = tlsFacts(connection)
  }

  /** Its TLS has begun after the start, and the socket knows more than the ClientHello. */
  secured(connection: Pick<Connection, 'info' | 'tls'>): void {
    this.hello = undefined
    this.#tls = tlsFacts(connection)
  }

  answered(listing: Listing | undefined): void {
    this.listing = listing
    if (listing) this.#answeredAt = performance.now()
  }

  connected(): void {
    this.#connectedAt = performance.now()
  }

  get tls(): TlsFacts | undefined {
    const serverName = this.hello?.serverName
    return serverName === undefined ? this.#tls : { version: this.#tls?.version, serverName }
  }

  get timings(): RelayTimings {
    const { firstByteAt } = this
    const askedUntil = this.#answeredAt ?? this.#openedAt
    return {
      header: this.#openedAt - this.#acceptedAt,
      dnsbl: this.#answeredAt && this.#answeredAt - this.#openedAt,
      connect: this.#connectedAt && Math.max(0, this.#connectedAt - askedUntil),
      firstByte: firstByteAt && firstByteAt - this.#acceptedAt,
    }
  }
}
