// Addresses from strings; the scanners of address.ts need bytes, and converting takes as long again.

import { writeUint16 } from '../bytes.ts'
import { ADDRESS_BYTES, hexValues, openGap, V4_AT } from './address.ts'

const ZERO = 0x30
const DOT = 0x2e
const COLON = 0x3a
const MAX_ASCII = 0x7f
const MAX_DIGITS = 4
const MAX_GROUPS = 8
const TAIL_AT = 6

const scratch = new Uint8Array(ADDRESS_BYTES)

/** An address from text: 4 or 16 bytes in network order, undefined for other text (zone ids too). */
export function parseAddress(address: string): Uint8Array | undefined {
  const family = writeAddress(address, scratch)
  if (family === 0) return undefined
  return scratch.slice(family === 4 ? V4_AT : 0)
}

/** Writes IPv4 into `out[12..15]` or IPv6 into `out[0..15]`; 0 for neither. */
export function writeAddress(address: string, out: Uint8Array): 0 | 4 | 6 {
  if (readV4(address, 0, out)) return 4
  return readV6(address, out) ? 6 : 0
}

function readV4(text: string, at: number, out: Uint8Array): boolean {
  let octet = -1
  let next = V4_AT
  for (let i = at; i < text.length; i++) {
    const unit = text.charCodeAt(i)
    if (unit === DOT) {
      if (octet < 0 || next === ADDRESS_BYTES - 1) return false
      out[next++] = octet
      octet = -1
    } else {
      const digit = unit - ZERO
      if (digit < 0 || digit > 9 || octet === 0) return false
      octet = octet < 0 ? digit : 10 * octet + digit
      if (octet > 255) return false
    }
  }
  if (octet < 0 || next < ADDRESS_BYTES - 1) return false
  out[next] = octet
  return true
}

/** One `::` at most, for at least one group. */
function readV6(text: string, out: Uint8Array): boolean {
  let count = 0
  let gap = -1
  let group = 0
  let digits = 0
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i)
    const digit = unit > MAX_ASCII ? -1 : (hexValues[unit] as number) // it has all of ASCII
    if (digit >= 0) {
      if (digits++ === MAX_DIGITS) return false
      group = (group << 4) | digit
    } else if (unit === DOT) {
      if (gap < 0 ? count !== TAIL_AT : count >= TAIL_AT) return false
      if (!readV4(text, i - digits, out)) return false
      out.copyWithin(2 * count, V4_AT)
      return fillGap(out, gap, count + 2)
    } else if (unit !== COLON || count === MAX_GROUPS) {
      return false
    } else if (digits > 0) {
      writeUint16(out, 2 * count++, group)
      group = digits = 0
    } else {
      if (gap >= 0 || (i === 0 && text.charCodeAt(++i) !== COLON)) return false
      gap = count
    }
  }
  if (digits === 0) return gap === count && fillGap(out, gap, count)
  if (count === MAX_GROUPS) return false
  writeUint16(out, 2 * count, group)
  return fillGap(out, gap, count + 1)
}

function fillGap(out: Uint8Array, gap: number, count: number): boolean {
  if (gap < 0) return count === MAX_GROUPS
  if (count === MAX_GROUPS) return false
  openGap(out, gap, count)
  return true
}
