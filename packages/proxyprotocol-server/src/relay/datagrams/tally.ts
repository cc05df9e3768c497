// Counts datagrams, so that received = accepted + dropped at every moment.

import { type DropReason, dropReasons, type FlowStats, zeros } from 'proxyprotocol/internal/udp'
import type { DatagramFigures } from '../../figures/index.ts'

export type Direction = 'up' | 'down'

export class Tally {
  #received = 0
  #accepted = 0
  readonly #dropped = zeros(dropReasons)
  readonly #sent = { up: { datagrams: 0, bytes: 0 }, down: { datagrams: 0, bytes: 0 } }

  received(): void {
    this.#received++
  }

  dropped(reason: DropReason): void {
    this.#dropped[reason]++
  }

  accepted(): void {
    this.#accepted++
  }

  sent(direction: Direction, bytes: number): void {
    this.#sent[direction].datagrams++
    this.#sent[direction].bytes += bytes
  }

  /** It was accepted, but could not be sent. */
  lost(reason: DropReason): void {
    this.#accepted--
    this.#dropped[reason]++
  }

  /** The same after {@link sent}. */
  unsent(direction: Direction, bytes: number, reason: DropReason): void {
    this.#sent[direction].datagrams--
    this.#sent[direction].bytes -= bytes
    this.lost(reason)
  }

  figures(flows: FlowStats): Omit<DatagramFigures, 'kernelDrops'> {
    const { up, down } = this.#sent
    return {
      received: this.#received,
      accepted: this.#accepted,
      dropped: { ...this.#dropped },
      up: { ...up },
      down: { ...down },
      flows,
    }
  }
}
