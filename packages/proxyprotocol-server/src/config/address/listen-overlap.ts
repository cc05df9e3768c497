// Finds listen addresses that the kernel refuses to bind together, before the program starts.

import { isIPv4, isIPv6 } from 'node:net'
import { normalize } from 'node:path'
import { formatAddress, parseAddress, unmapAddress } from 'proxyprotocol'
import type { Address, TcpAddress, UdpAddress } from './address.ts'

type InetAddress = TcpAddress | UdpAddress

const ANY_IPV4 = '0.0.0.0'
const ANY_IPV6 = '::'
/** A socket on `::` takes these too, unless it leaves IPv4 alone. */
const ANY = '*'

export function canonicalHost(host: string): string {
  const [address = '', zone] = host.split('%')
  const bytes = parseAddress(address)
  if (bytes === undefined) return host
  const text = unmapAddress(formatAddress(bytes))
  return zone === undefined ? text : `${text}%${zone}`
}

export function leavesIPv4(listen: Address, others: readonly Address[]): boolean {
  if (!isAt(listen, ANY_IPV6)) return false
  // The port first, because canonical hosts are slow to make for the ports of a range.
  return others.some(each => isSamePort(each, listen) && isAt(each, ANY_IPV4))
}

/** `all` are bound together. */
export function overlap(one: Address, other: Address, all: readonly Address[]): boolean {
  if (one.transport === 'unix' || other.transport === 'unix') {
    const [path, otherPath] = [one, other].map(each => each.transport === 'unix' && normalize(each.path))
    return path === otherPath
  }
  if (!isSamePort(one, other) || one.port === 0) return false
  const [a, b] = [reach(one, all), reach(other, all)]
  return a === b || holds(a, b) || holds(b, a)
}

export function overlapHint(one: Address, other: Address): string {
  if (one.transport === 'unix' || other.transport === 'unix') return ''
  const hosts = [one.host, other.host]
  if (!hosts.includes(undefined) || !hosts.includes(ANY_IPV4)) return ''
  return `; did you mean "[::]:${String(one.port)}", which is IPv6 alone beside 0.0.0.0?`
}

function isAt(listen: Address, host: string): listen is InetAddress {
  return listen.transport !== 'unix' && listen.host !== undefined && canonicalHost(listen.host) === host
}

function isSamePort(one: Address, other: InetAddress): boolean {
  return one.transport === other.transport && one.port === other.port
}

function holds(wide: string, narrow: string): boolean {
  if (wide === ANY) return true
  return (wide === ANY_IPV4 && isIPv4(narrow)) || (wide === ANY_IPV6 && isIPv6(narrow))
}

function reach(address: InetAddress, all: readonly Address[]): string {
  if (address.host === undefined) return ANY
  const host = canonicalHost(address.host)
  return host === ANY_IPV6 && !leavesIPv4(address, all) ? ANY : host
}
