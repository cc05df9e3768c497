// CRC-32C (Castagnoli, reflected) over a whole header, its own four bytes as zero (spec 2.2.3).

import { byteAt, uint16At } from '../bytes.ts'
import type { DecodeResult } from '../decode-result.ts'
import { FIXED_BYTES } from '../options.ts'
import { TLV_HEAD_BYTES } from '../tlv/index.ts'

const POLYNOMIAL = 0x82f63b78
const CHECKSUM_BYTES = 4
const BLOCK_BYTES = 4
const LENGTH_AT = 14

const tables = new Int32Array(BLOCK_BYTES * 256)
for (let i = 0; i < 256; i++) {
  let crc = i
  for (let distance = 0; distance < BLOCK_BYTES; distance++) {
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1
    tables[256 * distance + i] = crc
  }
}

/** Over the received bytes: a header written anew may sort its TLVs otherwise. */
export function headerChecksum(header: Uint8Array, end: number, valueAt: number): number {
  const valueEnd = valueAt + CHECKSUM_BYTES
  let crc = -1
  for (let i = 0; i < end;) {
    if (i + BLOCK_BYTES <= end && (i + BLOCK_BYTES <= valueAt || i >= valueEnd)) {
      crc =
        entry(3, crc ^ byteAt(header, i)) ^
        entry(2, (crc >>> 8) ^ byteAt(header, i + 1)) ^
        entry(1, (crc >>> 16) ^ byteAt(header, i + 2)) ^
        entry(0, (crc >>> 24) ^ byteAt(header, i + 3))
      i += BLOCK_BYTES
    } else {
      const byte = i >= valueAt && i < valueEnd ? 0 : byteAt(header, i)
      crc = entry(0, crc ^ byte) ^ (crc >>> 8)
      i++
    }
  }
  return ~crc >>> 0
}

/**
 * The right checksum for a header that was refused with `checksum_mismatch`.
 *
 * @param bytes start with the header, as given to `decodeHeader`.
 * @returns undefined for any other result.
 * @see Specification, section 2.2.3.
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
