// Decodes a whole zlib stream (RFC 1950 around RFC 1951) in one pass: bits are looked at in place by their position, and
// Huffman codes are walked a bit at a time, so that no block makes the decoder build more than its few hundred symbols.

import { byteAt, copyOf, uint16At, uint32At } from './bytes.ts'

/** The symbols of a canonical prefix code, grouped by length from 1 bit on and in code order: that says all of it. */
type Code = readonly (readonly number[])[]

interface Inflation {
  readonly input: Uint8Array
  /** Where the blocks end and the Adler-32 begins. */
  readonly bodyEnd: number
  readonly limit: number
  /** The position of the next bit to read; it may run past `bodyEnd`, and then the stream is truncated. */
  bit: number
  output: Uint8Array
  length: number
}

const HEADER_BYTES = 2
const CHECKSUM_BYTES = 4
const MAX_CODE_BITS = 15
const END_OF_BLOCK = 256
const LONGEST_MATCH_SYMBOL = 285
const LONGEST_MATCH = 258
/** 286 and 287 take part in the fixed code but never occur, as do distances 30 and 31 (RFC 1951 3.2.6). */
const MAX_LITERALS = 286
const MAX_DISTANCES = 30
/** The order in which a dynamic block lists the lengths of its code length code (RFC 1951 3.2.7). */
const LENGTH_ORDER = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15]
/** Text shrinks to a third or a half, so that the first guess rarely has to grow. */
const FIRST_GUESS_RATIO = 4
/** Sums of so many bytes stay below 2^31, where engines add fastest, before they are reduced. */
const ADLER_STRIDE = 2048
const ADLER_MODULUS = 65521

const FIXED_LITERALS = codeOf([...repeat(8, 144), ...repeat(9, 112), ...repeat(7, 24), ...repeat(8, 8)])
const FIXED_DISTANCES = codeOf(repeat(5, 32))

/**
 * The bytes inside a zlib stream, or undefined where the stream is malformed, truncated, needs a preset dictionary, fails
 * its Adler-32, is followed by anything, or holds more than `limit` bytes. It never throws on input, its time is linear in
 * input and output, and its memory is bounded by about twice `limit`, whatever a peer sends. A distance may exceed the
 * window that the header declares, as in zlib itself: all output is at hand.
 *
 * @param limit the most bytes to put out, a non-negative integer
 * @see RFC 1950, RFC 1951
 */
export function inflate(bytes: Uint8Array, limit: number): Uint8Array | undefined {
  const bodyEnd = bytes.length - CHECKSUM_BYTES
  if (bodyEnd < HEADER_BYTES || !isZlibHeader(bytes)) return undefined
  const output = new Uint8Array(Math.min(limit, bytes.length * FIRST_GUESS_RATIO))
  const state: Inflation = { input: bytes, bodyEnd, limit, bit: HEADER_BYTES * 8, output, length: 0 }
  let isFinal = false
  while (!isFinal) {
    isFinal = take(state, 1) === 1
    if (!inflateBlock(state, take(state, 2))) return undefined
  }
  const result = copyOf(state.output, 0, state.length)
  return nextByte(state) === bodyEnd && uint32At(bytes, bodyEnd) === adler32(result) ? result : undefined
}

/** The checksum at the end of a zlib stream (RFC 1950 section 8.2). */
export function adler32(bytes: Uint8Array): number {
  let a = 1
  let b = 0
  for (let start = 0; start < bytes.length; start += ADLER_STRIDE) {
    for (const byte of bytes.subarray(start, start + ADLER_STRIDE)) {
      a += byte
      b += a
    }
    a %= ADLER_MODULUS
    b %= ADLER_MODULUS
  }
  return b * 0x10000 + a
}

/** Method 8 with a window of at most 32 KiB, a matching check, and no preset dictionary (RFC 1950 section 2.2). */
function isZlibHeader(bytes: Uint8Array): boolean {
  const header = uint16At(bytes, 0)
  return (header & 0x0f00) === 0x0800 && header < 0x8000 && header % 31 === 0 && (header & 0x20) === 0
}

function inflateBlock(state: Inflation, type: number): boolean {
  if (type === 0) return inflateStored(state)
  if (type === 1) return inflateSymbols(state, FIXED_LITERALS, FIXED_DISTANCES)
  return type === 2 && inflateDynamic(state)
}

function inflateStored(state: Inflation): boolean {
  const start = nextByte(state) + 4
  if (start > state.bodyEnd) return false
  const { input } = state
  const length = byteAt(input, start - 4) | (byteAt(input, start - 3) << 8)
  const complement = byteAt(input, start - 2) | (byteAt(input, start - 1) << 8)
  const end = start + length
  if ((length ^ complement) !== 0xffff || end > state.bodyEnd || !reserve(state, length)) return false
  state.output.set(input.subarray(start, end), state.length)
  state.length += length
  state.bit = end * 8
  return true
}

function inflateDynamic(state: Inflation): boolean {
  const literalCount = take(state, 5) + 257
  const distanceCount = take(state, 5) + 1
  const listed = take(state, 4) + 4
  if (literalCount > MAX_LITERALS || distanceCount > MAX_DISTANCES) return false
  const metaLengths = repeat(0, LENGTH_ORDER.length)
  for (const symbol of LENGTH_ORDER.slice(0, listed)) metaLengths[symbol] = take(state, 3)
  const lengths = readLengths(state, codeOf(metaLengths), literalCount + distanceCount)
  if (lengths === undefined) return false
  const literals = codeOf(lengths.slice(0, literalCount))
  const distances = codeOf(lengths.slice(literalCount))
  return isSound(literals) && isSound(distances) && inflateSymbols(state, literals, distances)
}

/** The code lengths of both codes of a dynamic block, run-length coded as one list (RFC 1951 3.2.7). */
function readLengths(state: Inflation, code: Code, count: number): number[] | undefined {
  if (!isSound(code)) return undefined
  const lengths: number[] = []
  while (lengths.length < count) {
    const symbol = takeSymbol(state, code)
    const length = symbol === 16 ? lengths.at(-1) : symbol
    if (symbol === undefined || length === undefined) return undefined
    if (symbol < 16) lengths.push(length)
    else if (symbol === 16) lengths.push(...repeat(length, take(state, 2) + 3))
    else lengths.push(...repeat(0, symbol === 17 ? take(state, 3) + 3 : take(state, 7) + 11))
  }
  return lengths.length === count ? lengths : undefined
}

function inflateSymbols(state: Inflation, literals: Code, distances: Code): boolean {
  while (state.bit < state.bodyEnd * 8) {
    const symbol = takeSymbol(state, literals)
    if (symbol === undefined || symbol >= MAX_LITERALS) return false
    if (symbol === END_OF_BLOCK) return true
    if (symbol > END_OF_BLOCK) {
      if (!inflateMatch(state, symbol, distances)) return false
    } else {
      if (!reserve(state, 1)) return false
      state.output[state.length++] = symbol
    }
  }
  return false
}

function inflateMatch(state: Inflation, symbol: number, distances: Code): boolean {
  const length = symbol === LONGEST_MATCH_SYMBOL ? LONGEST_MATCH : takeRanged(state, symbol - 257, 2) + 3
  const distanceSymbol = takeSymbol(state, distances)
  if (distanceSymbol === undefined || distanceSymbol >= MAX_DISTANCES) return false
  const distance = takeRanged(state, distanceSymbol, 1) + 1
  if (distance > state.length || !reserve(state, length)) return false
  const { output } = state
  for (const end = state.length + length; state.length < end; state.length++) {
    output[state.length] = byteAt(output, state.length - distance) // a match may overlap what it makes
  }
  return true
}

/**
 * The value that a length or distance symbol stands for, counted from 0: the tables of RFC 1951 3.2.5 are floating point
 * numbers with a mantissa of `mantissaBits`, an exponent in the symbol, and the rest in extra bits.
 */
function takeRanged(state: Inflation, symbol: number, mantissaBits: number): number {
  const extra = Math.max(0, (symbol >>> mantissaBits) - 1)
  return ((symbol - (extra << mantissaBits)) << extra) + take(state, extra)
}

/** The next symbol of a canonical code (RFC 1951 3.2.2), or undefined where an incomplete code has none for these bits. */
function takeSymbol(state: Inflation, code: Code): number | undefined {
  let bits = peek(state)
  let index = 0 // of the code read so far among the codes of its length
  for (const symbols of code) {
    index = index * 2 + (bits & 1)
    bits >>>= 1
    state.bit++
    if (index < symbols.length) return symbols[index]
    index -= symbols.length
  }
  return undefined
}

function take(state: Inflation, bits: number): number {
  const value = peek(state) & ((1 << bits) - 1)
  state.bit += bits
  return value
}

/** The next 25 bits or more; zeros past the body, where the position alone tells that the stream is truncated. */
function peek({ input, bodyEnd, bit }: Inflation): number {
  const at = bit >>> 3
  if (at >= bodyEnd) return 0 // the four bytes at the end of the body are the checksum's at most
  const low = byteAt(input, at) | (byteAt(input, at + 1) << 8)
  return (low | (byteAt(input, at + 2) << 16) | (byteAt(input, at + 3) << 24)) >>> (bit & 7)
}

function nextByte(state: Inflation): number {
  return Math.ceil(state.bit / 8)
}

/** Makes room for `count` bytes more, unless that would pass the limit: checked first, so that a bomb costs nothing. */
function reserve(state: Inflation, count: number): boolean {
  const needed = state.length + count
  if (needed > state.limit) return false
  if (needed > state.output.length) {
    const grown = new Uint8Array(Math.min(state.limit, needed * 2))
    grown.set(state.output)
    state.output = grown
  }
  return true
}

function codeOf(lengths: readonly number[]): Code {
  const byLength: number[][] = [[]]
  while (byLength.length <= MAX_CODE_BITS) byLength.push([])
  lengths.forEach((length, symbol) => {
    if (length > 0) byLength[length]?.push(symbol) // a length of 0 is for symbols that do not occur
  })
  return byLength.slice(1)
}

/**
 * Whether a code neither gives two symbols the same bits nor leaves bits without one. A lone symbol of one bit, or none
 * at all, is allowed as in RFC 1951 3.2.7 and by zlib: the unused bits are then a fault only where they occur.
 */
function isSound(code: Code): boolean {
  let free = 1
  let usedBits = 0
  for (const [index, symbols] of code.entries()) {
    free = free * 2 - symbols.length
    usedBits += symbols.length * (index + 1)
  }
  return free === 0 || usedBits <= 1
}

function repeat(value: number, count: number): number[] {
  return new Array<number>(count).fill(value)
}
