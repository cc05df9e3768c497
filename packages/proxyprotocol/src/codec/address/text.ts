// Addresses as canonical text (RFC 5952), from letters in one call: V8 keeps a sum of strings as a tree.

import { byteAt, uint16At } from '../bytes.ts'

const DOT = 0x2e
const COLON = 0x3a
const ZERO = 0x30
const BEFORE_A = 0x57
const GROUPS = 8
const V4_AT = 12
const MAX_V4_TEXT = 15
const MAX_V6_TEXT = 39
const MAPPED_GROUPS = 6

type Letters<T extends number[] = []> = T['length'] extends typeof MAX_V6_TEXT ? T : Letters<[...T, number]>

/** Shared: valid until the next address. */
const letters: Letters = Array.from({ length: MAX_V6_TEXT }, () => ZERO) as Letters // made just so long
const groups = new Uint16Array(GROUPS)

export function formatV4(bytes: Uint8Array, at: number): string {
  return spelt(spellV4(bytes, at, 0))
}

export function formatV6(bytes: Uint8Array, at: number): string {
  return spelt(spellV6(bytes, at))
}

export function writeV4(address: Uint8Array, line: Uint8Array, at: number): number {
  return copyLetters(spellV4(address, V4_AT, 0), line, at)
}

export function writeV6(address: Uint8Array, line: Uint8Array, at: number): number {
  return copyLetters(spellV6(address, 0), line, at)
}

function copyLetters(length: number, line: Uint8Array, at: number): number {
  for (let i = 0; i < length; i++) line[at + i] = letters[i] as number // length is that of the letters
  return at + length
}

function spellV4(bytes: Uint8Array, from: number, at: number): number {
  let end = spellOctet(byteAt(bytes, from), at)
  letters[end++] = DOT
  end = spellOctet(byteAt(bytes, from + 1), end)
  letters[end++] = DOT
  end = spellOctet(byteAt(bytes, from + 2), end)
  letters[end++] = DOT
  return spellOctet(byteAt(bytes, from + 3), end)
}

function spellV6(bytes: Uint8Array, from: number): number {
  let zeros = 0
  let gapAt = -1
  let gapLength = 1
  for (let i = 0; i < GROUPS; i++) {
    const group = uint16At(bytes, from + 2 * i)
    groups[i] = group
    zeros = group === 0 ? zeros + 1 : 0
    if (zeros > gapLength) {
      gapLength = zeros
      gapAt = i + 1 - zeros
    }
  }
  const mapped = gapAt === 0 && gapLength === MAPPED_GROUPS - 1 && groups[MAPPED_GROUPS - 1] === 0xffff
  const end = spellGroups(mapped ? MAPPED_GROUPS : GROUPS, gapAt, gapLength)
  if (!mapped) return end
  letters[end] = COLON
  return spellV4(bytes, from + 2 * MAPPED_GROUPS, end + 1)
}

function spellGroups(count: number, gapAt: number, gapLength: number): number {
  let end = 0
  for (let i = 0; i < count; i++) {
    if (i > 0 || gapAt === 0) letters[end++] = COLON
    if (i === gapAt) {
      i += gapLength - 1
      if (i === count - 1) letters[end++] = COLON
    } else {
      end = spellGroup(groups[i] as number, end) // i < count <= GROUPS
    }
  }
  return end
}

function spellGroup(group: number, at: number): number {
  let end = at
  if (group > 0xfff) letters[end++] = hexLetter(group >> 12)
  if (group > 0xff) letters[end++] = hexLetter((group >> 8) & 0xf)
  if (group > 0xf) letters[end++] = hexLetter((group >> 4) & 0xf)
  letters[end] = hexLetter(group & 0xf)
  return end + 1
}

function hexLetter(digit: number): number {
  return digit + (digit < 10 ? ZERO : BEFORE_A)
}

function spellOctet(octet: number, at: number): number {
  let end = at
  let rest = octet
  if (octet > 99) {
    const hundreds = octet > 199 ? 2 : 1
    letters[end++] = ZERO + hundreds
    rest -= 100 * hundreds
  }
  if (octet > 9) {
    const tens = (rest * 205) >> 11 // a tenth, exact for two digits
    letters[end++] = ZERO + tens
    rest -= 10 * tens
  }
  letters[end] = ZERO + rest
  return end + 1
}

/** V8 is faster with a fixed number of arguments than with `...letters`. */
function spelt(length: number): string {
  if (length <= MAX_V4_TEXT) {
    // prettier-ignore
    return String.fromCharCode(
      letters[0], letters[1], letters[2], letters[3], letters[4], letters[5], letters[6], letters[7],
      letters[8], letters[9], letters[10], letters[11], letters[12], letters[13], letters[14],
    ).slice(0, length)
  }
  // prettier-ignore
  return String.fromCharCode(
    letters[0], letters[1], letters[2], letters[3], letters[4], letters[5], letters[6], letters[7],
    letters[8], letters[9], letters[10], letters[11], letters[12], letters[13], letters[14], letters[15],
    letters[16], letters[17], letters[18], letters[19], letters[20], letters[21], letters[22],
    letters[23], letters[24], letters[25], letters[26], letters[27], letters[28], letters[29],
    letters[30], letters[31], letters[32], letters[33], letters[34], letters[35], letters[36],
    letters[37], letters[38],
  ).slice(0, length)
}
