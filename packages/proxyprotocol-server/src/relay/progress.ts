// What is known of a connection while it is relayed. Bytes are counted here as plain numbers, so that a chunk costs an
// addition; whoever shows them sums up when asked.

import type { Socket } from 'node:net'
import type { Endpoint } from 'proxyprotocol'
import type { Connection } from 'proxyprotocol/server'
import type { Traffic } from './tunnel.ts'

/** How long the stages took, in milliseconds; undefined where a connection did not come so far. */
export interface RelayTimings {
  /** From accept until its header was there and believed. */
  readonly header: number
  /** From then until its upstream was connected to. */
  readonly connect: number | undefined
  /** From accept until the upstream sent its first byte. */
  readonly firstByte: number | undefined
}

/** One connection on its way. */
export class Progress implements Traffic {
  bytesUp = 0
  bytesDown = 0
  /** By the clock of `performance.now()`; the tunnel sets it. */
  firstByteAt: number | undefined
  /** The address that the upstream's name stood for. */
  upstream: Endpoint | undefined
  readonly #acceptedAt: number
  readonly #openedAt: number
  #connectedAt: number | undefined

  constructor({ age }: Pick<Connection, 'age'>) {
    this.#openedAt = performance.now()
    this.#acceptedAt = this.#openedAt - age
  }

  /** Its upstream stands. */
  connected({ remoteAddress, remotePort }: Pick<Socket, 'remoteAddress' | 'remotePort'>): void {
    this.#connectedAt = performance.now()
    if (remoteAddress !== undefined && remotePort !== undefined) {
      this.upstream = { address: remoteAddress, port: remotePort }
    }
  }

  get timings(): RelayTimings {
    const { firstByteAt } = this
    return {
      header: this.#openedAt - this.#acceptedAt,
      connect: this.#connectedAt && this.#connectedAt - this.#openedAt,
      firstByte: firstByteAt && firstByteAt - this.#acceptedAt,
    }
  }
}
