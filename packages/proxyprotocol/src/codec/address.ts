// IP addresses: scanned strictly from US-ASCII bytes into network order, written as canonical text (RFC 5952).
//
// The scanners judge byte by byte, so that a line is refused at the first byte that cannot belong to it. They return
// the index after the address, `NEEDS_MORE` where the bytes end before it is certain that the address does, or a fault
// made by `faultAt`.

import { byteAt, uint16At, writeUint16 } from './bytes.ts'

export const NEEDS_MORE = -1
/** Addresses are scanned into 16 bytes; an IPv4 address takes the last four, where its v4-mapped form has it. */
export const ADDRESS_BYTES = 16
export const V4_AT = 12

const DOT = 0x2e
const COLON = 0x3a
const ZERO = 0x30
const END_OF_TEXT = 0x20
const MAX_GROUPS = 8
/** Six groups of four digits, their colons and a dotted tail: no address text is longer. */
const MAX_TEXT = 45

const octets = Array.from({ length: 256 }, (_, octet) => String(octet))
const dottedOctets = octets.map(octet => `${octet}.`)
const hex = octets.map((_, byte) => byte.toString(16))
const paddedHex = hex.map(digits => digits.padStart(2, '0'))
const hexDigits = '0123456789abcdef'
const hexValues = Int8Array.from({ length: 256 }, (_, byte) =>
  hexDigits.indexOf(String.fromCharCode(byte).toLowerCase()),
)

const text = new Uint8Array(MAX_TEXT + 1)
const scratch = new Uint8Array(ADDRESS_BYTES)
const tail = new Uint8Array(ADDRESS_BYTES)

export function faultAt(index: number): number {
  return -2 - index
}

/** The index of the offending byte in a scanner's negative result. */
export function faultIndex(fault: number): number {
  return -2 - fault
}

/** Scans four decimal octets into `out[12..15]`: exactly three dots, each 0-255 without leading zeros (spec 2.1). */
export function scanV4(bytes: Uint8Array, at: number, out: Uint8Array): number {
  let octet = 0
  let digits = 0
  let next = V4_AT
  for (let i = at; i < bytes.length; i++) {
    const byte = byteAt(bytes, i)
    const digit = byte - ZERO
    if (digit >= 0 && digit <= 9) {
      if (digits > 0 && octet === 0) return faultAt(i)
      octet = octet * 10 + digit
      digits++
      if (octet > 255) return faultAt(i)
    } else {
      if (digits === 0) return faultAt(i)
      out[next++] = octet
      if (next === ADDRESS_BYTES) return i
      if (byte !== DOT) return faultAt(i)
      octet = 0
      digits = 0
    }
  }
  return NEEDS_MORE
}

/** Scans an IPv6 address, a dotted IPv4 tail included, into `out`: one `::` at most, for at least one group. */
export function scanV6(bytes: Uint8Array, at: number, out: Uint8Array): number {
  let count = 0
  let gap = bytes[at] === COLON ? 0 : -1
  let i = gap === 0 ? at + 2 : at
  if (gap === 0 && bytes[at + 1] !== COLON) return at + 1 < bytes.length ? faultAt(at + 1) : NEEDS_MORE
  for (;;) {
    const start = i
    let group = 0
    for (; i < bytes.length && i - start < 4 && hexValueAt(bytes, i) >= 0; i++)
      group = (group << 4) | hexValueAt(bytes, i)
    const room = (gap < 0 ? MAX_GROUPS : MAX_GROUPS - 1) - count
    if (room === 0 && i > start) return faultAt(start)
    if (i === bytes.length) return NEEDS_MORE
    if (i === start) {
      if (gap !== count) return faultAt(i)
      break
    }
    if (bytes[i] === DOT) {
      const end = room === 2 || (gap >= 0 && room > 2) ? scanTail(bytes, start, i) : faultAt(i)
      if (end < 0) return end
      writeUint16(out, 2 * count++, uint16At(tail, V4_AT))
      writeUint16(out, 2 * count++, uint16At(tail, V4_AT + 2))
      i = end
      break
    }
    writeUint16(out, 2 * count++, group)
    if (bytes[i] !== COLON) {
      if (gap < 0 && count < MAX_GROUPS) return faultAt(i)
      break
    }
    if (room === 1) return faultAt(i)
    if (bytes[++i] === COLON) {
      if (gap >= 0) return faultAt(i)
      gap = count
      i++
    }
  }
  if (gap >= 0) openGap(out, gap, count)
  return i
}

/** An address from text: 4 or 16 bytes in network order, undefined where the text is no address (zone ids are none). */
export function parseAddress(address: string): Uint8Array | undefined {
  const family = writeAddress(address, scratch)
  if (family === 0) return undefined
  return scratch.slice(family === 4 ? V4_AT : 0)
}

/**
 * An address as canonical text: dotted decimal for 4 bytes, RFC 5952 for 16.
 *
 * @throws RangeError for any other number of bytes.
 *
 * @example
 * ```ts
 * import { formatAddress, parseAddress } from 'proxyprotocol'
 *
 * const bytes = parseAddress('2001:DB8:0:0:0:0:0:1')
 * if (bytes) console.log(formatAddress(bytes)) // 2001:db8::1
 * ```
 */
export function formatAddress(bytes: Uint8Array): string {
  if (bytes.length === 4) return formatV4(bytes, 0)
  if (bytes.length === ADDRESS_BYTES) return formatV6(bytes, 0)
  throw new RangeError(`an address has 4 or 16 bytes, got ${String(bytes.length)}`)
}

/** Writes the address into `out[0..15]` with IPv4 in its v4-mapped form, and tells which it was; 0 for neither. */
export function writeAddress(address: string, out: Uint8Array): 0 | 4 | 6 {
  if (address.length > MAX_TEXT) return 0
  for (let i = 0; i < address.length; i++) {
    const unit = address.charCodeAt(i)
    if (unit > 0x7f) return 0
    text[i] = unit
  }
  text[address.length] = END_OF_TEXT
  if (scanV4(text, 0, out) === address.length) {
    mapV4(out)
    return 4
  }
  return scanV6(text, 0, out) === address.length ? 6 : 0
}

/** Makes the IPv4 address in `out[12..15]` the v4-mapped IPv6 address `::ffff:a.b.c.d`. */
export function mapV4(out: Uint8Array): void {
  out.fill(0, 0, 10).fill(0xff, 10, V4_AT)
}

/** Whether the sixteen bytes at `at` are a v4-mapped address, `::ffff:0:0/96`. */
export function isMapped(bytes: Uint8Array, at: number): boolean {
  if (uint16At(bytes, at + 10) !== 0xffff) return false
  for (let i = at; i < at + 10; i += 2) if (uint16At(bytes, i) !== 0) return false
  return true
}

/** The four bytes at `at` in dotted decimal. */
export function formatV4(bytes: Uint8Array, at: number): string {
  return (
    textOf(dottedOctets, bytes, at) +
    textOf(dottedOctets, bytes, at + 1) +
    textOf(dottedOctets, bytes, at + 2) +
    textOf(octets, bytes, at + 3)
  )
}

/** The sixteen bytes at `at` as RFC 5952 wants them: lower case, longest zero run as `::`, v4-mapped with dots. */
export function formatV6(bytes: Uint8Array, at: number): string {
  if (isMapped(bytes, at)) return '::ffff:' + formatV4(bytes, at + V4_AT)
  let runAt = -1
  let runLength = 1
  for (let i = 0; i < MAX_GROUPS; i++) {
    let end = i
    while (end < MAX_GROUPS && uint16At(bytes, at + 2 * end) === 0) end++
    if (end - i > runLength) {
      runAt = i
      runLength = end - i
    }
    if (end > i) i = end
  }
  let result = ''
  for (let i = 0; i < MAX_GROUPS; i++) {
    if (i === runAt) {
      result += '::'
      i += runLength - 1
    } else {
      if (i > 0 && i !== runAt + runLength) result += ':'
      result += groupText(bytes, at + 2 * i)
    }
  }
  return result
}

/** A dotted tail from the digits at `start`; what is no octet was still a legal group until the `dot` came. */
function scanTail(bytes: Uint8Array, start: number, dot: number): number {
  const end = scanV4(bytes, start, tail)
  return end >= NEEDS_MORE ? end : faultAt(Math.max(dot, faultIndex(end)))
}

/** Moves the groups after the gap to the end and zeroes what the `::` stands for. */
function openGap(out: Uint8Array, gap: number, count: number): void {
  const after = 2 * (count - gap)
  out.copyWithin(ADDRESS_BYTES - after, 2 * gap, 2 * count)
  out.fill(0, 2 * gap, ADDRESS_BYTES - after)
}

function hexValueAt(bytes: Uint8Array, at: number): number {
  return hexValues[byteAt(bytes, at)] as number // a byte always indexes the table
}

function textOf(table: readonly string[], bytes: Uint8Array, at: number): string {
  return table[byteAt(bytes, at)] as string // a byte always indexes the table
}

function groupText(bytes: Uint8Array, at: number): string {
  return bytes[at] === 0
    ? textOf(hex, bytes, at + 1)
    : textOf(hex, bytes, at) + textOf(paddedHex, bytes, at + 1)
}
