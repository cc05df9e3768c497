// Lists of networks in CIDR notation, written exactly and compiled once: a list that could mean more than it says is refused.

import { parseAddress, unmapAddress } from '../../codec/index.ts'

/** An address and how it is reached; a UNIX socket has no address. */
export interface Place {
  /** Undefined for UNIX sockets, and where the address is not known any more. */
  readonly address: string | undefined
  readonly transport: 'tcp' | 'unix'
}

interface Network {
  readonly bytes: Uint8Array
  readonly prefix: number
}

/**
 * Compiles a list of networks, addresses and `'unix'` into a function that tells whether the list holds an address. IPv4
 * matches IPv4 networks only, also where a dual-stack socket shows it as `::ffff:a.b.c.d`. No network holds what has no address.
 *
 * @param name of the list, for errors.
 * @throws TypeError or RangeError naming the entry that is wrong.
 *
 * @example
 * ```ts run
 * import { compileNetworks } from 'proxyprotocol/server'
 *
 * const isOurs = compileNetworks(['10.0.0.0/8', '2001:db8::/32'])
 * isOurs({ address: '10.1.2.3', transport: 'tcp' }) // true
 * ```
 */
export function compileNetworks(entries: readonly string[], name = 'networks'): (place: Place) => boolean {
  const unix = entries.includes('unix')
  const networks = entries.filter(entry => entry !== 'unix').map(entry => parseNetwork(entry, name))
  return ({ address, transport }) => {
    if (transport === 'unix') return unix
    const bytes = address === undefined ? undefined : addressBytes(address)
    return bytes !== undefined && networks.some(network => contains(network, bytes))
  }
}

/** The 4 or 16 bytes of an address, 4 for a v4-mapped one; a zone, which link-local peers carry, is left out. */
export function addressBytes(address: string): Uint8Array | undefined {
  return parseAddress(unmapAddress(address.replace(/%.*$/, '')))
}

/** 127.0.0.0/8 and ::1. */
export function isLoopback(address: string): boolean {
  const bytes = addressBytes(address)
  if (bytes === undefined) return false
  return bytes.length === 4 ? bytes[0] === 127 : bytes.every((byte, at) => byte === (at === 15 ? 1 : 0))
}

function parseNetwork(entry: unknown, name: string): Network {
  const quoted = JSON.stringify(entry)
  const [text = '', prefixText, ...more] = typeof entry === 'string' ? entry.split('/') : []
  const written = parseAddress(text)
  if (written === undefined || more.length > 0) {
    throw new TypeError(`${name}: ${quoted} is neither an address, a CIDR such as '10.0.0.0/8' nor 'unix'`)
  }
  const bits = written.length * 8
  const writtenPrefix =
    prefixText === undefined ? bits : /^(?:0|[1-9]\d{0,2})$/.test(prefixText) ? Number(prefixText) : Infinity
  if (writtenPrefix > bits) {
    throw new RangeError(`${name}: the prefix of ${quoted} must be a number from 0 to ${bits}`)
  }
  const bytes = parseAddress(unmapAddress(text)) ?? written
  const prefix = writtenPrefix - (bits - bytes.length * 8)
  if (prefix < 0) {
    // Taken literally it would hold every IPv4 address there is (CVE-2026-90711).
    throw new RangeError(`${name}: ${quoted} is a v4-mapped network below /96; write it as an IPv4 network`)
  }
  if (!bytes.every((byte, index) => (byte & maskAt(index, prefix)) === byte)) {
    throw new RangeError(`${name}: ${quoted} has bits set behind its prefix; name the network itself`)
  }
  return { bytes, prefix }
}

function contains({ bytes, prefix }: Network, address: Uint8Array): boolean {
  return (
    bytes.length === address.length &&
    address.every((byte, index) => (byte & maskAt(index, prefix)) === bytes[index])
  )
}

/** The bits of byte `index` that a prefix of so many bits covers. */
function maskAt(index: number, prefix: number): number {
  const covered = Math.min(8, Math.max(0, prefix - index * 8))
  return (0xff00 >> covered) & 0xff
}
