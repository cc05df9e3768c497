// CRC-32C (Castagnoli, reflected) over a whole header with the four checksum bytes as zero (spec 2.2.3): eight bytes at
// a time, with a table for each position among them.

import { byteAt, uint16At } from '../bytes.ts'
import type { DecodeResult } from '../decode-result.ts'
import { FIXED_BYTES } from '../options.ts'
import { TLV_HEAD_BYTES } from '../tlv/index.ts'

const POLYNOMIAL = 0x82f63b78
const CHECKSUM_BYTES = 4
const BLOCK_BYTES = 8
const LENGTH_AT = 14

const tables = new Int32Array(BLOCK_BYTES * 256)
for (let i = 0; i < 256; i++) {
  let crc = i
  for (let distance = 0; distance < BLOCK_BYTES; distance++) {
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1
    tables[256 * distance + i] = crc
  }
}

/** What `add` leaves behind. */
let crc = 0

/**
 * The checksum of the header that ends at `end`, whose CRC-32C value stands at `valueAt`. It covers the received bytes,
 * never a header written anew, because sorting the TLVs would break it.
 */
export function headerChecksum(header: Uint8Array, end: number, valueAt: number): number {
  crc = -1
  add(header, 0, valueAt)
  if (valueAt < end) {
    crc = entry(3, crc) ^ entry(2, crc >>> 8) ^ entry(1, crc >>> 16) ^ entry(0, crc >>> 24)
    add(header, valueAt + CHECKSUM_BYTES, end)
  }
  return ~crc >>> 0
}

/** Takes the bytes into `crc`. */
function add(bytes: Uint8Array, start: number, end: number): void {
  let sum = crc
  let i = start
  for (; i + 8 <= end; i += 8) {
    sum =
      entry(7, sum ^ byteAt(bytes, i)) ^
      entry(6, (sum >>> 8) ^ byteAt(bytes, i + 1)) ^
      entry(5, (sum >>> 16) ^ byteAt(bytes, i + 2)) ^
      entry(4, (sum >>> 24) ^ byteAt(bytes, i + 3)) ^
      entry(3, byteAt(bytes, i + 4)) ^
      entry(2, byteAt(bytes, i + 5)) ^
      entry(1, byteAt(bytes, i + 6)) ^
      entry(0, byteAt(bytes, i + 7))
  }
  if (i + 4 <= end) {
    sum =
      entry(3, sum ^ byteAt(bytes, i)) ^
      entry(2, (sum >>> 8) ^ byteAt(bytes, i + 1)) ^
      entry(1, (sum >>> 16) ^ byteAt(bytes, i + 2)) ^
      entry(0, (sum >>> 24) ^ byteAt(bytes, i + 3))
    i += 4
  }
  for (; i < end; i++) sum = entry(0, sum ^ byteAt(bytes, i)) ^ (sum >>> 8)
  crc = sum
}

/**
 * The checksum that a header should have which was refused for the one it has.
 *
 * @param bytes start with the header, as they were given to `decodeHeader`.
 * @returns undefined unless the result is `checksum_mismatch`.
 * @see Specification, section 2.2.3.
 *
 * @example
 * ```ts run
 * import { decodeHeader, encodeHeader, expectedChecksum } from 'proxyprotocol'
 *
 * const bytes = encodeHeader({ command: 'LOCAL' }, { checksum: true }).fill(0, 19)
 * console.log(expectedChecksum(bytes, decodeHeader(bytes))) // 2847440527
 * ```
 */
export function expectedChecksum(bytes: Uint8Array, decoded: DecodeResult): number | undefined {
  if (decoded.status !== 'invalid' || decoded.code !== 'checksum_mismatch') return undefined
  return headerChecksum(bytes, FIXED_BYTES + uint16At(bytes, LENGTH_AT), decoded.offset + TLV_HEAD_BYTES)
}

function entry(distance: number, byte: number): number {
  return tables[256 * distance + (byte & 0xff)] as number // the index is masked to the table's size
}
