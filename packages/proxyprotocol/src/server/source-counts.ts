// How many connections each source has open, where their number is limited.

import type { Socket } from 'node:net'
import type { Endpoint } from '../codec/index.ts'
import { addressBytes } from './networks.ts'

/** Bytes of an IPv6 address that name a client: its network, as it can use every address in it. */
const IPV6_CLIENT_BYTES = 8

export class SourceCounts {
  readonly #limit: number
  readonly #counts = new Map<string, number>()

  /** @param limit `Infinity` for no limit. */
  constructor(limit: number) {
    this.#limit = limit
  }

  /** Counts a socket until it closes; false where its source has as many as it may. UNIX sockets are not counted. */
  add(socket: Socket, source: Endpoint | undefined): boolean {
    if (this.#limit === Infinity || source === undefined || 'path' in source) return true
    const bytes = addressBytes(source.address)
    const client = String(bytes?.length === 16 ? bytes.subarray(0, IPV6_CLIENT_BYTES) : bytes)
    const count = this.#counts.get(client) ?? 0
    if (count >= this.#limit) return false
    this.#counts.set(client, count + 1)
    socket.once('close', () => {
      this.#remove(client)
    })
    return true
  }

  #remove(client: string): void {
    const count = this.#counts.get(client) ?? 0
    if (count > 1) this.#counts.set(client, count - 1)
    else this.#counts.delete(client)
  }
}
