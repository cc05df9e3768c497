// Second opinions, each written another way than the codec does it: RFC 5952 by regular expressions, CRC-32C bit by bit,
// version 1 as one pattern with node:net as the judge of addresses.

import { isIPv4, isIPv6 } from 'node:net'

/** Sixteen bytes as RFC 5952 text. */
export function rfc5952(bytes: Uint8Array): string {
  const groups = Array.from({ length: 8 }, (_, i) => ((bytes[2 * i] ?? 0) << 8) | (bytes[2 * i + 1] ?? 0))
  const full = groups.map(group => group.toString(16)).join(':')
  if (full.startsWith('0:0:0:0:0:ffff:')) return `::ffff:${bytes.subarray(12).join('.')}`
  for (let run = 8; run > 1; run--) {
    const zeros = new RegExp(`(?:^|:)0(?::0){${String(run - 1)}}(?:$|:)`)
    if (zeros.test(full)) return full.replace(zeros, '::')
  }
  return full
}

/** CRC-32C (Castagnoli) by shifting one bit at a time. */
export function crc32c(bytes: Uint8Array): number {
  let crc = 0xffff_ffff
  for (const byte of bytes) {
    crc ^= byte
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f6_3b78 : crc >>> 1
  }
  return (crc ^ 0xffff_ffff) >>> 0
}

/** How many bytes the version 1 line at the start of the text has; 0 where there is none. */
export function lengthOfV1(text: string): number {
  const end = text.slice(0, 107).indexOf('\r\n') + 2
  const line = text.slice(0, end)
  if (line.startsWith('PROXY UNKNOWN')) return end
  const [, protocol, ...fields] = /^PROXY (TCP4|TCP6) ([^ ]+) ([^ ]+) (\d+) (\d+)\r\n$/.exec(line) ?? []
  const isAddress = (address = ''): boolean =>
    protocol === 'TCP4' ? isIPv4(address) : isIPv6(address) && !address.includes('%')
  const isPort = (port = ''): boolean => String(Number(port)) === port && Number(port) < 65_536
  const isRight = isAddress(fields[0]) && isAddress(fields[1]) && isPort(fields[2]) && isPort(fields[3])
  return isRight ? end : 0
}
