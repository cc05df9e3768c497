// Which addresses of an answer become members. The order of an answer changes from one to the next, and so may its choice:
// what is in use stays, and the rest is taken in an order of its own, so that a long answer does not move clients about.

import type { LookupAddress } from 'node:dns'
import { isIPv4 } from 'node:net'

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
  if (isIPv4(address)) return `4 ${address.split('.').map(padded).join('.')}`
  const [head = '', tail = ''] = address.replace(/%.*$/, '').split('::')
  const [first, last] = [groupsOf(head), groupsOf(tail)]
  const zeros = Array<string>(Math.max(0, 8 - first.length - last.length)).fill('0')
  return `6 ${[...first, ...zeros, ...last].map(padded).join(':')}`
}

function groupsOf(text: string): readonly string[] {
  return text === '' ? [] : text.split(':').flatMap(hexGroups)
}

/** IPv6 may end in IPv4, which is two groups. */
function hexGroups(group: string): readonly string[] {
  if (!group.includes('.')) return [group]
  const [a = 0, b = 0, c = 0, d = 0] = group.split('.').map(Number)
  return [(a * 256 + b).toString(16), (c * 256 + d).toString(16)]
}

function padded(part: string): string {
  return part.padStart(4, '0')
}
