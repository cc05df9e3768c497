// Which addresses of an answer become members. The order of an answer changes from one to the next, and so may its choice:
// what is in use stays, and the rest is taken in an order of its own, so that a long answer does not move clients about.

import type { LookupAddress } from 'node:dns'
import { parseAddress } from 'proxyprotocol'

/** What is used of an answer. */
export interface MemberList {
  readonly addresses: readonly LookupAddress[]
  /** How many addresses are not used. */
  readonly leftOut: number
}

/** Each address once: those that are in use first, then the lowest, `most` in all. */
export function memberList(
  answer: readonly LookupAddress[],
  inUse: Pick<ReadonlyMap<string | undefined, unknown>, 'has'>,
  most: number,
): MemberList {
  const distinct = [...new Map(answer.map(each => [each.address, each])).values()]
  const sorted = distinct
    .map(each => ({ each, key: `${inUse.has(each.address) ? 0 : 1} ${sortKey(each.address)}` }))
    .sort((one, other) => (one.key < other.key ? -1 : 1))
    .map(({ each }) => each)
  return { addresses: sorted.slice(0, most), leftOut: Math.max(0, sorted.length - most) }
}

/** Text that sorts as the numbers do, IPv4 first. */
function sortKey(address: string): string {
  const bytes = parseAddress(address.replace(/%.*$/, '')) ?? [] // a resolver gives addresses only
  return `${bytes.length === 4 ? 4 : 6} ${Buffer.from(bytes).toString('hex')}`
}
