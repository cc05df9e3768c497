// Encodes version 2 (spec 2.2): measured and checked first.

import { ADDRESS_BYTES, UNIX_PATH_BYTES, unixPathBytes, V4_AT } from '../address/index.ts'
import { int32At, writeUint16, writeUint32 } from '../bytes.ts'
import { errorMessages } from '../errors.ts'
import { destinationBytes, endsOf, isUnix, sourceBytes, writeEnds } from '../header-ends.ts'
import type { HeaderInit, InetInit } from '../header-init.ts'
import { FIXED_BYTES, MAX_V2_BYTES } from '../options.ts'
import { quote } from '../../checks/index.ts'
import {
  CHECKSUM_TLV_BYTES,
  NO_TLVS,
  sizeOfTlvs,
  type Tlv,
  TLV_HEAD_BYTES,
  tlvType,
  tlvValueFault,
  writeTlv,
} from '../tlv/index.ts'
import { headerChecksum } from './checksum.ts'
import { SIGNATURE_END, SIGNATURE_MIDDLE, SIGNATURE_START } from './decode.ts'

/** Options for version 2. */
export interface EncodeOptions {
  /**
   * `true` sends a CRC-32C checksum, `false` drops one from the TLVs. Default: recomputes one that is among
   * the TLVs.
   */
  readonly checksum?: boolean | undefined
  /** Total bytes of the header, padded with a NOOP TLV. */
  readonly padTo?: number | undefined
}

const LOCAL = 0x20
const PROXY = 0x21
const STREAM = 1
const DGRAM = 2
const INET = 0x10
const INET6 = 0x20
const UNIX = 0x30
const INET_BLOCK_BYTES = 12
const INET6_BLOCK_BYTES = 36

const checksumTlv: Tlv = {
  type: tlvType.checksum,
  value: new Uint8Array(CHECKSUM_TLV_BYTES - TLV_HEAD_BYTES),
}

export function encodeV2(header: HeaderInit, options: EncodeOptions): Uint8Array {
  const ends = endsOf(header)
  const unix = ends !== undefined && isUnix(ends)
  const family = ends === undefined ? 0 : unix ? UNIX : writeEnds(ends) === 4 ? INET : INET6
  const blockEnd = FIXED_BYTES + blockBytes(family)
  const given = header.tlvs ?? NO_TLVS
  const addsChecksum = wantsChecksum(options) && !given.some(isChecksum)
  const tlvsAt = addsChecksum ? blockEnd + CHECKSUM_TLV_BYTES : blockEnd
  const tlvs = options.checksum === false ? given.filter(tlv => !isChecksum(tlv)) : given
  const paddingAt = tlvsAt + sizeOfTlvs(tlvs)
  const total = paddedTo(options.padTo, paddingAt)
  if (total > MAX_V2_BYTES) {
    throw new RangeError(`a header has at most 65551 bytes, this one would take ${String(total)}`)
  }
  const bytes = new Uint8Array(total)
  writeUint32(bytes, 0, SIGNATURE_START)
  writeUint32(bytes, 4, SIGNATURE_MIDDLE)
  writeUint32(bytes, 8, SIGNATURE_END)
  bytes[12] = header.command === 'LOCAL' ? LOCAL : PROXY
  bytes[13] = ends === undefined ? 0 : family | (ends.transport === 'DGRAM' ? DGRAM : STREAM)
  writeUint16(bytes, 14, total - FIXED_BYTES)
  if (unix) {
    bytes.set(unixPathBytes(ends.source.path, 'source.path'), FIXED_BYTES)
    bytes.set(unixPathBytes(ends.destination.path, 'destination.path'), FIXED_BYTES + UNIX_PATH_BYTES)
  } else if (ends !== undefined) {
    writeInet(bytes, ends, family)
  }
  if (addsChecksum) writeTlv(bytes, blockEnd, checksumTlv)
  const found = writeTlvs(bytes, tlvsAt, tlvs)
  const checksumAt = addsChecksum ? blockEnd : found
  const valueAt = checksumAt + TLV_HEAD_BYTES
  if (total > paddingAt) {
    writeTlv(bytes, paddingAt, {
      type: tlvType.noop,
      value: new Uint8Array(total - paddingAt - TLV_HEAD_BYTES),
    })
  }
  if (checksumAt > 0) writeUint32(bytes, valueAt, headerChecksum(bytes, total, valueAt))
  return bytes
}

function blockBytes(family: number): number {
  if (family === 0) return 0
  if (family === UNIX) return 2 * UNIX_PATH_BYTES
  return family === INET ? INET_BLOCK_BYTES : INET6_BLOCK_BYTES
}

function writeInet(bytes: Uint8Array, ends: InetInit, family: number): void {
  if (family === INET) {
    writeUint32(bytes, FIXED_BYTES, int32At(sourceBytes, V4_AT))
    writeUint32(bytes, FIXED_BYTES + 4, int32At(destinationBytes, V4_AT))
  } else {
    bytes.set(sourceBytes, FIXED_BYTES)
    bytes.set(destinationBytes, FIXED_BYTES + ADDRESS_BYTES)
  }
  const portsAt = FIXED_BYTES + blockBytes(family) - 4
  writeUint16(bytes, portsAt, ends.source.port)
  writeUint16(bytes, portsAt + 2, ends.destination.port)
}

function wantsChecksum({ checksum }: EncodeOptions): boolean {
  if (checksum !== undefined && typeof checksum !== 'boolean') {
    throw new TypeError(`checksum must be true or false, got ${quote(checksum)}`)
  }
  return checksum === true
}

function isChecksum({ type }: Tlv): boolean {
  return type === tlvType.checksum
}

function paddedTo(padTo: number | undefined, size: number): number {
  if (padTo === undefined || padTo === size) return size
  const least = size + TLV_HEAD_BYTES
  if (!Number.isInteger(padTo) || padTo < least || padTo > MAX_V2_BYTES) {
    throw new RangeError(
      `padTo must be the header's ${String(size)} bytes, or from ${String(least)} to 65551, got ${quote(padTo)}`,
    )
  }
  return padTo
}

/** Returns the offset of the checksum, 0 for none. */
function writeTlvs(bytes: Uint8Array, tlvsAt: number, tlvs: readonly Tlv[]): number {
  let at = tlvsAt
  let checksumAt = 0
  for (let index = 0; index < tlvs.length; index++) {
    const tlv = tlvs[index] as Tlv // below the length
    const end = writeTlv(bytes, at, tlv)
    let fault = tlvValueFault(bytes, at, end)
    if (isChecksum(tlv)) {
      if (checksumAt > 0) fault ??= 'checksum_duplicate'
      checksumAt = at
    }
    if (fault) throw new RangeError(`tlvs[${String(index)}] (${quote(tlv.value)}): ${errorMessages[fault]}`)
    at = end
  }
  return checksumAt
}
