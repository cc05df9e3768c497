// Who may send a header: decided from the peer's address before a byte is read, and closed wherever in doubt.

import { parseAddress } from '../codec/index.ts'

/** The other end of an accepted socket. */
export interface Peer {
  /** The address as the socket has it; undefined for UNIX sockets and for peers that are gone already. */
  readonly address: string | undefined
  readonly transport: 'tcp' | 'unix'
}

/**
 * Whose headers are believed: a list of CIDRs (`'10.0.0.0/8'`, `'2001:db8::/32'`, single addresses, `'unix'` for peers
 * on a UNIX socket), `'anyone'`, or a predicate.
 */
export type Trust = 'anyone' | readonly string[] | ((peer: Peer) => boolean)

interface Network {
  readonly bytes: Uint8Array
  readonly prefix: number
}

/**
 * Compiles a trust setting into a question about a peer. IPv4 peers match IPv4 networks only, also where a dual-stack
 * socket shows them as `::ffff:a.b.c.d`; a peer without an address is never trusted by a network.
 *
 * @throws TypeError or RangeError naming the entry that is wrong.
 */
export function compileTrust(trust: Trust): (peer: Peer) => boolean {
  if (trust === 'anyone') return () => true
  if (typeof trust === 'function') {
    return peer => {
      const verdict: unknown = trust(peer)
      if (verdict instanceof Promise) {
        verdict.catch(() => undefined) // nobody else will, and it would end the process
        throw new TypeError('trust must answer at once, but the predicate gave a promise')
      }
      return verdict === true
    }
  }
  if (!Array.isArray(trust)) {
    throw new TypeError(`trust must be a list of CIDRs, 'anyone' or a function, got ${JSON.stringify(trust)}`)
  }
  const unix = trust.includes('unix')
  const networks = trust.filter(entry => entry !== 'unix').map(parseNetwork)
  return ({ address, transport }) => {
    if (transport === 'unix') return unix
    const bytes = address === undefined ? undefined : parseAddress(withoutZone(address))
    if (bytes === undefined) return false
    const inner = unmapped(bytes)
    return networks.some(network => contains(network, inner))
  }
}

function parseNetwork(entry: unknown): Network {
  const [text = '', prefixText, ...more] = typeof entry === 'string' ? entry.split('/') : []
  const written = parseAddress(text)
  if (written === undefined || more.length > 0) {
    throw new TypeError(
      `trust: ${JSON.stringify(entry)} is neither an address, a CIDR such as '10.0.0.0/8' nor 'unix'`,
    )
  }
  const bits = written.length * 8
  const writtenPrefix =
    prefixText === undefined ? bits : /^(?:0|[1-9]\d{0,2})$/.test(prefixText) ? Number(prefixText) : Infinity
  if (writtenPrefix > bits) {
    throw new RangeError(
      `trust: the prefix of ${JSON.stringify(entry)} must be a number from 0 to ${String(bits)}`,
    )
  }
  const bytes = unmapped(written)
  const prefix = writtenPrefix - (bits - bytes.length * 8)
  if (prefix < 0) {
    // Taken literally it would hold every IPv4 address there is (CVE-2026-90711).
    throw new RangeError(
      `trust: ${JSON.stringify(entry)} is a v4-mapped network below /96; write it as an IPv4 network`,
    )
  }
  if (!bytes.every((byte, index) => (byte & maskAt(index, prefix)) === byte)) {
    throw new RangeError(
      `trust: ${JSON.stringify(entry)} has bits set behind its prefix; name the network itself`,
    )
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

/** The four bytes of a v4-mapped address; any other address as it is. */
function unmapped(bytes: Uint8Array): Uint8Array {
  const mapped =
    bytes.length === 16 && bytes.every((byte, index) => index >= 12 || byte === (index < 10 ? 0 : 0xff))
  return mapped ? bytes.subarray(12) : bytes
}

/** Link-local peers carry the interface they came in by, `fe80::1%eth0`; networks do not. */
function withoutZone(address: string): string {
  return address.replace(/%.*$/, '')
}
