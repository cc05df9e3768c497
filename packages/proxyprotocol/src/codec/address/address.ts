// Strict scanners of IP addresses: they return the index behind the address, `NEEDS_MORE`, or a fault made by
// `faultAt`.

import { byteAt, uint16At, writeUint16 } from '../bytes.ts'
import { formatV4, formatV6 } from './text.ts'

export const NEEDS_MORE = -1
/** IPv4 takes the last four bytes, as in its v4-mapped form. */
export const ADDRESS_BYTES = 16
export const V4_AT = 12

const DOT = 0x2e
const COLON = 0x3a
const ZERO = 0x30
const NINE = 0x39
const MAX_GROUPS = 8

const hexDigits = '0123456789abcdef'
/** Negative for any byte that is not a hexadecimal digit. */
export const hexValues: Int8Array = Int8Array.from({ length: 256 }, (_, byte) =>
  hexDigits.indexOf(String.fromCharCode(byte).toLowerCase()),
)

const tail = new Uint8Array(ADDRESS_BYTES)

export function faultAt(index: number): number {
  return -2 - index
}

export function faultIndex(fault: number): number {
  return -2 - fault
}

/** No leading zeros (spec 2.1). */
export function scanV4(bytes: Uint8Array, at: number, out: Uint8Array): number {
  const end = bytes.length
  let i = at
  for (let next = V4_AT; i < end; next++) {
    let octet = byteAt(bytes, i) - ZERO
    if (octet < 0 || octet > 9) return faultAt(i)
    if (++i === end) break
    let byte = byteAt(bytes, i)
    if (isDigit(byte)) {
      if (octet === 0) return faultAt(i)
      octet = 10 * octet + byte - ZERO
      if (++i === end) break
      byte = byteAt(bytes, i)
    }
    if (octet > 9 && isDigit(byte)) {
      octet = 10 * octet + byte - ZERO
      if (octet > 255) return faultAt(i)
      if (++i === end) break
      byte = byteAt(bytes, i)
    }
    out[next] = octet
    if (next === ADDRESS_BYTES - 1) return isDigit(byte) ? faultAt(i) : i
    if (byte !== DOT) return faultAt(i)
    i++
  }
  return NEEDS_MORE
}

function isDigit(byte: number): boolean {
  return byte >= ZERO && byte <= NINE
}

/** One `::` at most, for at least one group; the tail may be dotted. */
export function scanV6(bytes: Uint8Array, at: number, out: Uint8Array): number {
  let count = 0
  let gap = bytes[at] === COLON ? 0 : -1
  let i = gap === 0 ? at + 2 : at
  if (gap === 0 && bytes[at + 1] !== COLON) return at + 1 < bytes.length ? faultAt(at + 1) : NEEDS_MORE
  for (;;) {
    const start = i
    const group = scanGroup(bytes, start)
    i = group >> 16
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
    writeUint16(out, 2 * count++, group & 0xffff)
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

export function endOfGroup(bytes: Uint8Array, at: number): number {
  return scanGroup(bytes, at) >> 16
}

/**
 * An address as canonical text: dotted decimal for 4 bytes, RFC 5952 for 16.
 *
 * @throws RangeError for any other number of bytes.
 * @example
 * ```ts run
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

export function mapV4(out: Uint8Array): void {
  out.fill(0, 0, 10).fill(0xff, 10, V4_AT)
}

/** Digits that are not an octet were still a legal group until the `dot`. */
function scanTail(bytes: Uint8Array, start: number, dot: number): number {
  const end = scanV4(bytes, start, tail)
  return end >= NEEDS_MORE ? end : faultAt(Math.max(dot, faultIndex(end)))
}

export function openGap(out: Uint8Array, gap: number, count: number): void {
  let to = ADDRESS_BYTES
  for (let from = 2 * count; from > 2 * gap;) out[--to] = byteAt(out, --from)
  while (to > 2 * gap) out[--to] = 0
}

/** The number, and shifted by 16 the index behind it. Four digits are the common case. */
function scanGroup(bytes: Uint8Array, at: number): number {
  const end = Math.min(at + 4, bytes.length)
  if (end === at + 4) {
    const high = (hexValueAt(bytes, at) << 12) | (hexValueAt(bytes, at + 1) << 8)
    const group = high | (hexValueAt(bytes, at + 2) << 4) | hexValueAt(bytes, at + 3)
    if (group >= 0) return (end << 16) | group
  }
  let group = 0
  for (let i = at; i < end; i++) {
    const digit = hexValueAt(bytes, i)
    if (digit < 0) return (i << 16) | group
    group = (group << 4) | digit
  }
  return (end << 16) | group
}

function hexValueAt(bytes: Uint8Array, at: number): number {
  return hexValues[byteAt(bytes, at)] as number // a byte always indexes the table
}
