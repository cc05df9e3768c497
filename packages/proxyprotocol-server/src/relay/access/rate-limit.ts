// The generic cell rate algorithm. A client whose time has passed needs no entry. The older of two maps is dropped whole,
// because a map that is emptied from its front gets slow to walk.

import { parseAddress, ProxyProtocolError, unmapAddress } from 'proxyprotocol'
import { compileNetworks, type ConnectionInfo } from 'proxyprotocol/server'
import type { Rate } from '../../config/index.ts'
import type { RateFigures } from '../../figures/index.ts'

/** The clients of one map; both have about 6 MB. */
const MAX_CLIENTS = 32_768
/** A client can use every address of its IPv6 network. */
const IPV6_CLIENT_BYTES = 8

export class RateLimit {
  readonly #rate: Rate
  readonly #cost: number
  readonly #credit: number
  readonly #isExempt: ReturnType<typeof compileNetworks>
  readonly #now: () => number
  #recent = new Map<string, number>()
  #older: ReadonlyMap<string, number> = new Map()
  #olderEnds = 0

  constructor(rate: Rate, now: () => number) {
    const { connections, per, burst, exempt } = rate
    this.#rate = rate
    this.#cost = per / connections
    this.#credit = this.#cost * (burst - 1)
    this.#isExempt = compileNetworks(exempt)
    this.#now = now
  }

  figures(): RateFigures {
    const { connections, per, burst } = this.#rate
    const now = this.#now()
    let latest = now
    for (const clients of [this.#recent, this.#older])
      for (const paidAt of clients.values()) if (paidAt > latest) latest = paidAt
    return { connections, per, burst, used: Math.ceil((latest - now) / this.#cost) }
  }

  readonly validate = ({
    header,
    source,
  }: Pick<ConnectionInfo, 'header' | 'source'>): ProxyProtocolError | undefined => {
    const isUnknown = header !== undefined && (header.command === 'LOCAL' || header.family === 'UNSPEC')
    if (isUnknown || source === undefined || 'path' in source) return undefined
    const { address } = source
    if (this.#isExempt({ address, transport: 'tcp' })) return undefined
    return this.#pay(clientOf(address))
      ? undefined
      : new ProxyProtocolError('limit_rate', { detail: address })
  }

  #pay(client: string): boolean {
    const now = this.#now()
    const paidAt = Math.max(now, this.#recent.get(client) ?? this.#older.get(client) ?? 0)
    const isPaid = paidAt - now <= this.#credit
    if (now >= this.#olderEnds || this.#recent.size >= MAX_CLIENTS) this.#forget(now)
    this.#recent.set(client, isPaid ? paidAt + this.#cost : paidAt) // also if refused: who hammers is not forgotten
    return isPaid
  }

  /** No entry lies further ahead than the credit and one connection. */
  #forget(now: number): void {
    this.#older = this.#recent
    this.#recent = new Map()
    this.#olderEnds = now + this.#credit + this.#cost
  }
}

/** Headers and sockets write an IPv4 address in one way, so it is not parsed. */
function clientOf(address: string): string {
  const plain = unmapAddress(address)
  if (!plain.includes(':')) return plain
  const bytes = parseAddress(plain.replace(/%.*$/, '')) as Uint8Array // headers and sockets give addresses
  return String(bytes.subarray(0, IPV6_CLIENT_BYTES))
}
