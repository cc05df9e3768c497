// Encodes a zlib stream (RFC 1950 around RFC 1951), the same for the same input: one block of fixed Huffman codes over
// greedy matches, each found through the last place with the same hash, or stored blocks where those are smaller.

import { byteAt, writeUint16, writeUint32 } from './bytes.ts'
import { adler32 } from './inflate.ts'

/** Deflate with a 32 KiB window, compressed by the fastest method, check bits included (RFC 1950 section 2.2). */
const ZLIB_HEADER = 0x7801
const HEADER_BYTES = 2
const CHECKSUM_BYTES = 4
/** One slot for each position of a 4 KiB text, the most that a certificate's description usually takes. */
const HASH_BITS = 12
const GOLDEN_RATIO = 0x9e3779b1
const MIN_MATCH = 3
const MAX_MATCH = 258
const MAX_DISTANCE = 32_768
const MAX_STORED_BYTES = 0xffff
const STORED_HEADER_BYTES = 5
const END_OF_BLOCK = 256
const LONGEST_MATCH_SYMBOL = 285

/**
 * A zlib stream that any inflate reads back as `bytes`, at most 11 bytes longer than they are, and 5 more for every
 * further 65535 bytes.
 *
 * @see RFC 1950, RFC 1951
 */
export function deflate(bytes: Uint8Array): Uint8Array {
  const compressed = fixedBlock(bytes)
  const body = compressed.length < storedLength(bytes) ? compressed : storedBlocks(bytes)
  const stream = new Uint8Array(HEADER_BYTES + body.length + CHECKSUM_BYTES)
  writeUint16(stream, 0, ZLIB_HEADER)
  stream.set(body, HEADER_BYTES)
  writeUint32(stream, HEADER_BYTES + body.length, adler32(bytes))
  return stream
}

function fixedBlock(bytes: Uint8Array): Uint8Array {
  const writer = new BitWriter(bytes.length)
  writer.write(1, 1) // the only block is the last one
  writer.write(1, 2)
  const lastByHash = new Array<number>(1 << HASH_BITS)
  let coded = 0 // the end of what is written; positions inside a match are only remembered
  for (let at = 0; at < bytes.length; at++) {
    const hash = hashAt(bytes, at)
    const distance = at - (lastByHash[hash] ?? -Infinity)
    lastByHash[hash] = at
    if (at < coded) continue
    const length = matchLength(bytes, at, distance)
    if (length >= MIN_MATCH) writeMatch(writer, length, distance)
    else writeSymbol(writer, byteAt(bytes, at))
    coded = at + (length >= MIN_MATCH ? length : 1)
  }
  writeSymbol(writer, END_OF_BLOCK)
  return writer.finish()
}

/** A slot for the three bytes at `at`; fewer are left at the end, where any slot does, since no match is that short. */
function hashAt(bytes: Uint8Array, at: number): number {
  if (at + MIN_MATCH > bytes.length) return 0
  const trigram = (byteAt(bytes, at) << 16) | (byteAt(bytes, at + 1) << 8) | byteAt(bytes, at + 2)
  return Math.imul(trigram, GOLDEN_RATIO) >>> (32 - HASH_BITS)
}

function matchLength(bytes: Uint8Array, at: number, distance: number): number {
  if (distance > MAX_DISTANCE) return 0
  const most = Math.min(MAX_MATCH, bytes.length - at)
  let length = 0
  while (length < most && bytes[at + length] === bytes[at + length - distance]) length++
  return length
}

function writeMatch(writer: BitWriter, length: number, distance: number): void {
  if (length === MAX_MATCH) {
    writeSymbol(writer, LONGEST_MATCH_SYMBOL)
  } else {
    const { symbol, extra, rest } = rangeOf(length - 3, 2)
    writeSymbol(writer, symbol + 257)
    writer.write(rest, extra)
  }
  const { symbol, extra, rest } = rangeOf(distance - 1, 1)
  writer.writeCode(symbol, 5)
  writer.write(rest, extra)
}

/**
 * The symbol and extra bits for a length or distance, counted from 0: the tables of RFC 1951 3.2.5 are floating point
 * numbers with a mantissa of `mantissaBits`, an exponent in the symbol, and the rest in extra bits.
 */
function rangeOf(value: number, mantissaBits: number): { symbol: number; extra: number; rest: number } {
  const extra = Math.max(0, 31 - Math.clz32(value) - mantissaBits)
  return { symbol: (extra << mantissaBits) + (value >>> extra), extra, rest: value & ((1 << extra) - 1) }
}

/** Writes a literal or length in the fixed code (RFC 1951 3.2.6). */
function writeSymbol(writer: BitWriter, symbol: number): void {
  if (symbol < 144) writer.writeCode(symbol + 0x30, 8)
  else if (symbol < 256) writer.writeCode(symbol - 144 + 0x190, 9)
  else if (symbol < 280) writer.writeCode(symbol - 256, 7)
  else writer.writeCode(symbol - 280 + 0xc0, 8)
}

function storedBlockCount(bytes: Uint8Array): number {
  return Math.max(1, Math.ceil(bytes.length / MAX_STORED_BYTES))
}

function storedLength(bytes: Uint8Array): number {
  return bytes.length + storedBlockCount(bytes) * STORED_HEADER_BYTES
}

function storedBlocks(bytes: Uint8Array): Uint8Array {
  const blocks = new Uint8Array(storedLength(bytes))
  const last = storedBlockCount(bytes) - 1
  for (let index = 0; index <= last; index++) {
    const part = bytes.subarray(index * MAX_STORED_BYTES, (index + 1) * MAX_STORED_BYTES)
    const complement = part.length ^ 0xffff
    const header = [index === last ? 1 : 0, part.length, part.length >>> 8, complement, complement >>> 8]
    const at = index * (STORED_HEADER_BYTES + MAX_STORED_BYTES)
    blocks.set(header, at)
    blocks.set(part, at + STORED_HEADER_BYTES)
  }
  return blocks
}

/** Collects bits from the lowest of each byte on (RFC 1951 3.1.1). */
class BitWriter {
  readonly #bytes: Uint8Array
  #length = 0
  #pending = 0
  #pendingBits = 0

  /** Room for `literals` in the longest fixed code, 9 bits each, which no match exceeds, and 10 bits around them. */
  constructor(literals: number) {
    this.#bytes = new Uint8Array(Math.ceil((literals * 9 + 10) / 8))
  }

  write(value: number, bits: number): void {
    this.#pending |= value << this.#pendingBits
    this.#pendingBits += bits
    while (this.#pendingBits >= 8) {
      this.#bytes[this.#length++] = this.#pending
      this.#pending >>>= 8
      this.#pendingBits -= 8
    }
  }

  /** Writes a Huffman code, whose highest bit comes first. */
  writeCode(code: number, bits: number): void {
    let reversed = 0
    for (let bit = 0; bit < bits; bit++) reversed = (reversed << 1) | ((code >>> bit) & 1)
    this.write(reversed, bits)
  }

  /** The bytes so far, the last one filled up with zeros. */
  finish(): Uint8Array {
    this.write(0, 7)
    return this.#bytes.subarray(0, this.#length)
  }
}
