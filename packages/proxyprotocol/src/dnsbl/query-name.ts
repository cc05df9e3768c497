// An address becomes the labels in front of a zone's name: its octets or nibbles, the last one first.

import { quote } from '../checks/index.ts'
import { parseAddress, unmapAddress } from '../codec/index.ts'

/**
 * Gives the labels that stand in front of a zone's name when the zone is asked about an address:
 * reversed octets for IPv4 (RFC 5782 section 2.1), reversed nibbles for IPv6 (section 2.4).
 *
 * Lists hold IPv4 addresses as IPv4, so that the labels of an IPv4-mapped IPv6 address are its octets. An IPv6 scope
 * (`%eth0`) has a meaning on this machine only and is left out.
 *
 * @throws TypeError when `address` is not an IP address.
 */
export function reversedLabels(address: string): string {
  const bytes = parseAddress(unmapAddress(address.replace(/%.*$/, '')))
  if (bytes === undefined) {
    throw new TypeError(`address must be an IPv4 or IPv6 address, got ${quote(address)}`)
  }
  const labels = bytes.length === 4 ? Array.from(bytes) : Array.from(Buffer.from(bytes).toString('hex'))
  return labels.reverse().join('.')
}
