// What is known of a connection while it is relayed. Bytes are counted here as plain numbers, so that a chunk costs an
// addition; whoever shows them sums up when asked.

import type { Listing } from 'proxyprotocol/dnsbl'
import type { Connection } from 'proxyprotocol/server'
import type { SentHeader } from '../../config/index.ts'
import type { TlsFacts } from '../../figures/index.ts'
import type { ClientHello } from '../passthrough/index.ts'
import type { Traffic } from '../tunnel/index.ts'
import type { Route } from '../upstreams/index.ts'
import { tlsFacts } from './tls-facts.ts'

/** How long the stages took, in milliseconds; undefined where a connection did not come so far. */
export interface RelayTimings {
  /** From accept until its header was there and believed. */
  readonly header: number
  /** From then until the block lists had answered; undefined where nobody was asked. */
  readonly dnsbl: number | undefined
  /** From then until its upstream was connected to. */
  readonly connect: number | undefined
  /** From accept until the upstream sent its first byte. */
  readonly firstByte: number | undefined
}

/** One connection on its way. */
export class RelayedConnection implements Traffic {
  bytesUp = 0
  bytesDown = 0
  /** By the clock of `performance.now()`; the tunnel sets it. */
  firstByteAt: number | undefined
  /** The way to its upstream. */
  readonly route: Route = { upstream: undefined, upstreamAddress: undefined, attempts: 0 }
  /** What the upstream that was tried last was to be sent. */
  sent: SentHeader | undefined
  /** What its TLS says in clear, where it was looked at. */
  hello: ClientHello | undefined
  /** What the block lists say of the client, once they have. */
  listing: Listing | undefined
  /** As they were at the start: the socket forgets. */
  readonly #tls: TlsFacts | undefined
  readonly #acceptedAt: number
  readonly #openedAt: number
  #answeredAt: number | undefined
  #connectedAt: number | undefined

  constructor(connection: Pick<Connection, 'age' | 'info' | 'tls'>) {
    this.#openedAt = performance.now()
    this.#acceptedAt = this.#openedAt - connection.age
    this.#tls = tlsFacts(connection)
  }

  /** The block lists have answered; undefined where there was nobody to ask about. */
  answered(listing: Listing | undefined): void {
    this.listing = listing
    if (listing) this.#answeredAt = performance.now()
  }

  /** Its upstream stands. */
  connected(): void {
    this.#connectedAt = performance.now()
  }

  /** What is known of the client's TLS. */
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
