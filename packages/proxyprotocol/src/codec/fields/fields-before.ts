// The fields before a fault, or before the input ends.

import { uint16At, writeUint16 } from '../bytes.ts'
import type { DecodeResult } from '../decode-result.ts'
import type { ProxyHeader } from '../header.ts'
import { FIXED_BYTES, MAX_V2_BYTES } from '../options.ts'
import { areTlvs, splitTlvs, tlvEnd } from '../tlv/index.ts'
import { addressBlockBytes, decodeV2, V2_SIGNATURE } from '../v2/index.ts'
import type { HeaderField } from './field-list.ts'
import { binaryFields, lineFields } from './fields.ts'
import type { ChecksumVerdict } from './tlv-fields.ts'

type Decoded = Extract<DecodeResult, { status: 'header' }>

const COMMAND_AT = 12
const LENGTH_AT = 14
const LOCAL = 0x20
const MAX_ADDRESS_BYTES = 216
/** Their offset is the byte behind a field. */
const BEHIND_A_FIELD = new Set(['v1_separator', 'v1_line_end'])

/**
 * The fields that are complete before the fault or the end of the input; all if only the checksum is wrong.
 * They are for display: do not trust a header with a fault.
 *
 * @param bytes as given to `decodeHeader`.
 * @param result its result; `absent` has no fields.
 * @example
 * ```ts run
 * import { decodeHeader, fieldsBefore } from 'proxyprotocol'
 *
 * const bytes = new TextEncoder().encode('PROXY TCP4 192.0.2.1 198.51.100.256 56324 443\r\n')
 * const result = decodeHeader(bytes)
 * if (result.status === 'invalid') {
 *   for (const { name, value } of fieldsBefore(bytes, result)) console.log(name, value) // up to source address 192.0.2.1
 * }
 * ```
 */
export function fieldsBefore(
  bytes: Uint8Array,
  result: Exclude<DecodeResult, { status: 'header' }>,
): readonly HeaderField[] {
  if (result.status === 'absent') return []
  const end = result.status === 'invalid' ? result.offset : bytes.length
  if (result.status === 'invalid' && result.code === 'checksum_mismatch')
    return binaryFieldsBefore(bytes, FIXED_BYTES + uint16At(bytes, LENGTH_AT), 'wrong')
  if (bytes[0] === V2_SIGNATURE[0]) return binaryFieldsBefore(bytes, end, 'not checked')
  return lineFieldsBefore(
    bytes.subarray(0, end),
    result.status === 'invalid' && BEHIND_A_FIELD.has(result.code),
  )
}

function lineFieldsBefore(line: Uint8Array, isLastComplete: boolean): readonly HeaderField[] {
  const text = String.fromCharCode(...line)
  if (!text.includes(' ')) return []
  const fields = lineFields(text).fields.filter(({ byteLength }) => byteLength > 0)
  const last = fields.at(-1)
  return isLastComplete || last?.name === 'separator' ? fields : fields.slice(0, -1)
}

/** Fills missing addresses with zeros, and leaves them out of the fields. */
function binaryFieldsBefore(
  bytes: Uint8Array,
  end: number,
  checksum: ChecksumVerdict,
): readonly HeaderField[] {
  const filled = new Uint8Array(FIXED_BYTES + MAX_ADDRESS_BYTES)
  filled[COMMAND_AT] = LOCAL
  filled.set(bytes.subarray(0, Math.min(end, filled.length)))
  const announced = uint16At(filled, LENGTH_AT)
  const tlvsAt = FIXED_BYTES + addressBlockBytes(filled)
  writeUint16(filled, LENGTH_AT, tlvsAt - FIXED_BYTES)
  const decoded = decodeV2(filled.subarray(0, tlvsAt), MAX_V2_BYTES) as Decoded // it ends before the fault
  const tlvsEnd = endOfTlvs(bytes, tlvsAt, end)
  const header: ProxyHeader = { ...decoded.header, tlvs: splitTlvs(bytes, tlvsAt, tlvsEnd) }
  const fields = binaryFields(header, tlvsEnd, { announced, checksum })
  return fields.filter(({ offset, byteLength }) => offset + byteLength <= end)
}

/** Without addresses the block may be anything, unless TLVs fill it. */
function endOfTlvs(bytes: Uint8Array, start: number, end: number): number {
  if (start === FIXED_BYTES && !areTlvs(bytes, start, end)) return start
  let at = start
  for (let next = tlvEnd(bytes, at, end); next <= end; next = tlvEnd(bytes, at, end)) at = next
  return at
}
