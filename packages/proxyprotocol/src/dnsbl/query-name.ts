// An address becomes the labels in front of a zone's name: its octets or nibbles, the last one first.

import { isIPv4, isIPv6 } from 'node:net'

/** An IPv4 address inside an IPv6 socket, as hexadecimal digits: `::ffff:0:0/96` (RFC 4291 section 2.5.5.2). */
const V4_MAPPED_PREFIX = '00000000000000000000ffff'

/**
 * Gives the labels that stand in front of a zone's name when the zone is asked about an address:
 * reversed octets for IPv4 (RFC 5782 section 2.1), reversed nibbles for IPv6 (section 2.4).
 *
 * A v4-mapped IPv6 address is asked as the IPv4 address it carries, since that is what lists hold; an
 * IPv6 scope (`%eth0`) means something to this machine only and is left out.
 *
 * @throws TypeError when `address` is not an IP address.
 */
export function reversedLabels(address: string): string {
  if (isIPv4(address)) return address.split('.').reverse().join('.')
  if (!isIPv6(address)) {
    throw new TypeError(`address: got ${JSON.stringify(address)}, want an IPv4 or IPv6 address`)
  }
  const digits = hexDigits(address.replace(/%.*/, ''))
  if (!digits.startsWith(V4_MAPPED_PREFIX)) return Array.from(digits).reverse().join('.')
  const octets = Buffer.from(digits.slice(V4_MAPPED_PREFIX.length), 'hex')
  return Array.from(octets).reverse().join('.')
}

/** Writes a valid IPv6 address as its 32 hexadecimal digits, in lower case. */
function hexDigits(address: string): string {
  const text = address.toLowerCase().replace(/\d+(\.\d+){3}$/, dottedToGroups)
  const given = text.split(':').filter(group => group !== '').length
  return text
    .replace('::', `:${'0:'.repeat(8 - given)}`)
    .split(':')
    .filter(group => group !== '')
    .map(group => group.padStart(4, '0'))
    .join('')
}

function dottedToGroups(dotted: string): string {
  const digits = Buffer.from(dotted.split('.').map(Number)).toString('hex')
  return `${digits.slice(0, 4)}:${digits.slice(4)}`
}
