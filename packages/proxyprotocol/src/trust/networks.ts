// Networks in CIDR notation; an ambiguous list is refused.

import { quote } from '../checks/index.ts'
import { formatAddress, parseAddress, unmapAddress } from '../codec/index.ts'
import { type AddressInterval, AddressIntervals } from './address-intervals.ts'

const PREFIX = /^(?:0|[1-9]\d{0,2})$/

/** The peer of a socket. */
export interface Peer {
  /** Undefined for UNIX sockets, and if the peer left early. */
  readonly address: string | undefined
  readonly transport: 'tcp' | 'udp' | 'unix'
  /** This machine's address; undefined for UDP and UNIX sockets. */
  readonly localAddress?: string | undefined
  readonly localPort?: number | undefined
}

/** IPv4 networks match IPv4-mapped peers, too. A peer without an address matches only `'unix'`. */
export function compileNetworks(entries: readonly string[], name = 'networks'): (peer: Peer) => boolean {
  if (!Array.isArray(entries)) {
    throw new TypeError(about(name, `must be a list such as ['10.0.0.0/8'], got ${quote(entries)}`))
  }
  const unix = entries.includes('unix')
  const networks = entries.filter(entry => entry !== 'unix').map(entry => parseNetwork(entry, name))
  const inet = intervalsOf(networks, 4)
  const inet6 = intervalsOf(networks, 16)
  return ({ address, transport }) => {
    if (transport === 'unix') return unix
    if (networks.length === 0) return false
    const bytes = address === undefined ? undefined : addressBytes(address)
    return bytes !== undefined && (bytes.length === 4 ? inet : inet6).has(bytes)
  }
}

/** An IPv6 client can use every address of its /64. */
const IPV6_CLIENT_BYTES = 8

/** Without the zone of link-local peers. */
export function addressBytes(address: string): Uint8Array | undefined {
  const zoneAt = address.indexOf('%')
  return parseAddress(unmapAddress(zoneAt < 0 ? address : address.slice(0, zoneAt)))
}

/** An IPv6 client counts by its /64. */
export function sourceKey(address: string): string {
  const bytes = addressBytes(address)
  return String(bytes?.length === 16 ? bytes.subarray(0, IPV6_CLIENT_BYTES) : bytes)
}

export function isLoopback(address: string): boolean {
  const bytes = addressBytes(address)
  if (bytes === undefined) return false
  return bytes.length === 4 ? bytes[0] === 127 : bytes.every((byte, at) => byte === (at === 15 ? 1 : 0))
}

function intervalsOf(networks: readonly AddressInterval[], addressBytes: 4 | 16): AddressIntervals {
  const ofFamily = networks.filter(({ first }) => first.length === addressBytes)
  return new AddressIntervals(ofFamily, addressBytes)
}

function parseNetwork(entry: unknown, name: string): AddressInterval {
  const [text = '', prefixText, ...more] = typeof entry === 'string' ? entry.split('/') : []
  const written = parseAddress(text)
  const bytes = written?.length === 4 ? written : parseAddress(unmapAddress(text))
  if (written === undefined || bytes === undefined || more.length > 0) {
    const what = 'must hold addresses, networks such as "10.0.0.0/8" or "unix"'
    throw new TypeError(about(name, `${what}, got ${quote(entry)}`))
  }
  const bits = written.length * 8
  const writtenPrefix =
    prefixText === undefined ? bits : PREFIX.test(prefixText) ? Number(prefixText) : Infinity
  if (writtenPrefix > bits) {
    throw new RangeError(about(name, `must hold prefixes from 0 to ${bits}, got ${quote(entry)}`))
  }
  const prefix = writtenPrefix - (bits - bytes.length * 8)
  if (prefix < 0) {
    // CVE-2026-90711: taken literally, it would hold every IPv4 address.
    const what = 'must hold IPv4-mapped networks from /96 on'
    throw new RangeError(about(name, `${what}, got ${quote(entry)}; write it as an IPv4 network`))
  }
  const first = bytes.map((byte, index) => byte & maskAt(index, prefix))
  if (Buffer.compare(first, bytes) !== 0) {
    const meant = quote(`${formatAddress(first)}/${prefix}`)
    const what = `must hold networks without bits behind their prefix, got ${quote(entry)}`
    throw new RangeError(about(name, `${what}; did you mean ${meant}?`))
  }
  return { first, last: bytes.map((byte, index) => byte | (0xff ^ maskAt(index, prefix))) }
}

function maskAt(index: number, prefix: number): number {
  const covered = Math.min(8, Math.max(0, prefix - index * 8))
  return (0xff00 >> covered) & 0xff
}

function about(name: string, problem: string): string {
  return name === '' ? problem : `${name} ${problem}`
}
