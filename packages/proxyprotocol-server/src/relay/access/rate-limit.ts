// The generic cell rate algorithm. A client whose time has passed needs no entry.

import { parseAddress, ProxyProtocolError, unmapAddress } from 'proxyprotocol'
import { compileNetworks, type ConnectionInfo } from 'proxyprotocol/server'
import type { Rate } from '../../config/index.ts'

/** About 6 MB. */
const MAX_CLIENTS = 65_536
/** So the map shrinks without a long clean-up. */
const SWEPT_AT_ONCE = 2
/** A client can use every address of its IPv6 network. */
const IPV6_CLIENT_BYTES = 8

export class RateLimit {
  readonly #cost: number
  readonly #credit: number
  readonly #isExempt: ReturnType<typeof compileNetworks>
  readonly #now: () => number
  readonly #paidAt = new Map<number | string, number>()

  constructor({ connections, per, burst, exempt }: Rate, now: () => number) {
    this.#cost = per / connections
    this.#credit = this.#cost * (burst - 1)
    this.#isExempt = compileNetworks(exempt)
    this.#now = now
  }

  get clients(): number {
    return this.#paidAt.size
  }

  readonly validate = ({ header, source }: ConnectionInfo): ProxyProtocolError | undefined => {
    const isUnknown = header !== undefined && (header.command === 'LOCAL' || header.family === 'UNSPEC')
    if (isUnknown || source === undefined || 'path' in source) return undefined
    const { address } = source
    if (this.#isExempt({ address, transport: 'tcp' })) return undefined
    return this.#pay(clientOf(address))
      ? undefined
      : new ProxyProtocolError('limit_rate', { detail: address })
  }

  #pay(client: number | string): boolean {
    const now = this.#now()
    const paidAt = Math.max(now, this.#paidAt.get(client) ?? 0)
    const isPaid = paidAt - now <= this.#credit
    this.#paidAt.delete(client) // also if refused: a client that hammers must not be forgotten first
    this.#paidAt.set(client, isPaid ? paidAt + this.#cost : paidAt)
    this.#sweep(now)
    return isPaid
  }

  #sweep(now: number): void {
    let left = SWEPT_AT_ONCE
    for (const [client, paidAt] of this.#paidAt) {
      if (left-- === 0 || (paidAt > now && this.#paidAt.size <= MAX_CLIENTS)) return
      this.#paidAt.delete(client)
    }
  }
}

/** A number for IPv4, which is quick to look up. */
function clientOf(address: string): number | string {
  const bytes = parseAddress(unmapAddress(address.replace(/%.*$/, ''))) as Uint8Array // headers and sockets give addresses
  if (bytes.length === 4) return bytes.reduce((sum, byte) => sum * 256 + byte, 0)
  return String(bytes.subarray(0, IPV6_CLIENT_BYTES))
}
