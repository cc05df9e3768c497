// CRC-32C (Castagnoli, reflected) over a whole header with the four checksum bytes taken as zero (spec 2.2.3).

const POLYNOMIAL = 0x82f63b78
const CHECKSUM_BYTES = 4

const table = Int32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1
  return crc
})

/**
 * The checksum of the header that ends at `end` and whose CRC-32C value stands at `valueAt`; the four bytes there count
 * as zero and are not touched. Computed over the bytes as they came, never over a header written anew: the order of the
 * TLVs is the sender's, and sorting them breaks the sum.
 */
export function headerChecksum(header: Uint8Array, end: number, valueAt: number): number {
  const valueEnd = valueAt + CHECKSUM_BYTES
  let crc = -1
  for (let i = 0; i < end; i++) {
    const byte = i >= valueAt && i < valueEnd ? 0 : (header[i] as number) // i < end <= length
    crc = (table[(crc ^ byte) & 0xff] as number) ^ (crc >>> 8) // the index is masked to the table's size
  }
  return ~crc >>> 0
}
