// The shifting order of long answers must not move clients, so members stay.

import { parseAddress } from 'proxyprotocol'
import { type FoundAddress, placeOf } from './found-address.ts'

export interface MemberList {
  readonly addresses: readonly FoundAddress[]
  readonly leftOut: number
}

export function memberList(
  answer: readonly FoundAddress[],
  inUse: Pick<ReadonlyMap<string | undefined, unknown>, 'has'>,
  most: number,
): MemberList {
  const distinct = [...new Map(answer.map(each => [placeOf(each), each])).values()]
  const sorted = distinct
    .map(each => ({
      each,
      key: `${inUse.has(placeOf(each)) ? 0 : 1} ${sortKey(each.address)} ${String(each.port)}`,
    }))
    .sort((one, other) => (one.key < other.key ? -1 : 1))
    .map(({ each }) => each)
  return { addresses: sorted.slice(0, most), leftOut: Math.max(0, sorted.length - most) }
}

function sortKey(address: string): string {
  const bytes = parseAddress(address.replace(/%.*$/, '')) ?? [] // a resolver gives addresses only
  return `${bytes.length === 4 ? 4 : 6} ${Buffer.from(bytes).toString('hex')}`
}
