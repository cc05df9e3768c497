// IPv4 addresses inside IPv6 (RFC 4291 section 2.5.5.2).

import { int32At } from '../bytes.ts'
import { V4_AT } from './address.ts'
import { parseAddress } from './parse.ts'
import { formatV4, formatV6 } from './text.ts'

const MAPPED_BYTES = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff]
/** The usual spelling, which needs no parsing. */
const KERNEL_PREFIX = '::ffff:'
/** No other text is parsed. */
const MAYBE_MAPPED = /^[0:]+:ffff:/i

/**
 * Writes an IPv4-mapped IPv6 address as IPv4. Every other text stays as it is.
 *
 * @see RFC 4291, section 2.5.5.2.
 * @example
 * ```ts run
 * import { unmapAddress } from 'proxyprotocol'
 *
 * console.log(unmapAddress('::ffff:192.0.2.1'), unmapAddress('2001:db8::1')) // 192.0.2.1 2001:db8::1
 * ```
 */
export function unmapAddress(address: string): string {
  if (!MAYBE_MAPPED.test(address)) return address
  if (address.startsWith(KERNEL_PREFIX)) {
    const dotted = address.slice(KERNEL_PREFIX.length)
    if (parseAddress(dotted)?.length === 4) return dotted
  }
  const bytes = parseAddress(address)
  const isMapped = bytes !== undefined && MAPPED_BYTES.every((byte, at) => byte === bytes[at])
  return isMapped ? formatV4(bytes, V4_AT) : address
}

export function formatUnmapped(bytes: Uint8Array, at: number): string {
  const isMapped =
    int32At(bytes, at) === 0 && int32At(bytes, at + 4) === 0 && int32At(bytes, at + 8) === 0xffff
  return isMapped ? formatV4(bytes, at + V4_AT) : formatV6(bytes, at)
}
