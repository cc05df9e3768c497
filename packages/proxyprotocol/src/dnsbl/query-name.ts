// An address as labels in front of a zone's name.

import { quote } from '../checks/index.ts'
import { parseAddress, unmapAddress } from '../codec/index.ts'

/**
 * Reversed octets for IPv4 (RFC 5782 section 2.1), reversed nibbles for IPv6 (section 2.4). Lists hold
 * IPv4-mapped addresses as IPv4; a scope (`%eth0`) is local.
 */
export function reversedLabels(address: string): string {
  const bytes = parseAddress(unmapAddress(address.replace(/%.*$/, '')))
  if (bytes === undefined) {
    throw new TypeError(`address must be an IPv4 or IPv6 address, got ${quote(address)}`)
  }
  const labels = bytes.length === 4 ? Array.from(bytes) : Array.from(Buffer.from(bytes).toString('hex'))
  return labels.reverse().join('.')
}
