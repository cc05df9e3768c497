// Version 2 as bytes (spec 2.2): measured, checked, then written once into memory of exactly that size.

import { ADDRESS_BYTES, UNIX_PATH_BYTES, unixPathBytes, V4_AT } from '../address/index.ts'
import { byteAt, writeUint16, writeUint32 } from '../bytes.ts'
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
import { V2_SIGNATURE } from './decode.ts'

/** How a version 2 header is finished. */
export interface EncodeOptions {
  /**
   * `true` sends a CRC-32C checksum, `false` leaves one out that stands among the TLVs. By default one is sent where
   * one stands, at its place. Its value is always computed anew.
   */
  readonly checksum?: boolean | undefined
  /** Pads with a NOOP TLV so that the header takes exactly so many bytes. */
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

/** @throws TypeError or RangeError naming what is wrong with the header or the options. */
export function encodeV2(header: HeaderInit, options: EncodeOptions): Uint8Array {
  const ends = endsOf(header)
  const family = ends === undefined ? 0 : isUnix(ends) ? UNIX : writeEnds(ends) === 4 ? INET : INET6
  const tlvsAt = FIXED_BYTES + blockBytes(family)
  const tlvs = tlvsToSend(header.tlvs ?? NO_TLVS, tlvsAt, options)
  const total = tlvsAt + sizeOfTlvs(tlvs)
  if (total > MAX_V2_BYTES) {
    throw new RangeError(`a header has at most 65551 bytes, this one would take ${String(total)}`)
  }
  const bytes = new Uint8Array(total)
  for (let i = 0; i < V2_SIGNATURE.length; i++) bytes[i] = byteAt(V2_SIGNATURE, i)
  bytes[12] = header.command === 'LOCAL' ? LOCAL : PROXY
  bytes[13] = ends === undefined ? 0 : family | (ends.transport === 'DGRAM' ? DGRAM : STREAM)
  writeUint16(bytes, 14, total - FIXED_BYTES)
  if (ends !== undefined && isUnix(ends)) {
    bytes.set(unixPathBytes(ends.source.path, 'source.path'), FIXED_BYTES)
    bytes.set(unixPathBytes(ends.destination.path, 'destination.path'), FIXED_BYTES + UNIX_PATH_BYTES)
  } else if (ends !== undefined) {
    writeInet(bytes, ends, family === INET ? V4_AT : 0)
  }
  writeTlvs(bytes, tlvsAt, tlvs)
  return bytes
}

function blockBytes(family: number): number {
  if (family === 0) return 0
  if (family === UNIX) return 2 * UNIX_PATH_BYTES
  return family === INET ? INET_BLOCK_BYTES : INET6_BLOCK_BYTES
}

/** Writes the ends that `writeEnds` has left behind, each from `from` on. */
function writeInet(bytes: Uint8Array, ends: InetInit, from: number): void {
  const size = ADDRESS_BYTES - from
  for (let i = 0; i < size; i++) {
    bytes[FIXED_BYTES + i] = byteAt(sourceBytes, from + i)
    bytes[FIXED_BYTES + size + i] = byteAt(destinationBytes, from + i)
  }
  writeUint16(bytes, FIXED_BYTES + 2 * size, ends.source.port)
  writeUint16(bytes, FIXED_BYTES + 2 * size + 2, ends.destination.port)
}

/** The caller's TLVs with the checksum and the padding that the options ask for. */
function tlvsToSend(tlvs: readonly Tlv[], tlvsAt: number, options: EncodeOptions): readonly Tlv[] {
  const { checksum, padTo } = options
  if (checksum !== undefined && typeof checksum !== 'boolean') {
    throw new TypeError(`checksum must be true or false, got ${quote(checksum)}`)
  }
  let all = tlvs
  if (checksum !== undefined && tlvs.some(({ type }) => type === tlvType.checksum) !== checksum) {
    all = checksum ? [checksumTlv, ...tlvs] : tlvs.filter(({ type }) => type !== tlvType.checksum)
  }
  if (padTo === undefined) return all
  const size = tlvsAt + sizeOfTlvs(all)
  const missing = padTo - size
  if (padTo === size) return all
  if (!Number.isInteger(padTo) || missing < TLV_HEAD_BYTES || padTo > MAX_V2_BYTES) {
    throw new RangeError(
      `padTo must be the header's ${String(size)} bytes, or from ${String(size + TLV_HEAD_BYTES)} to 65551, got ${quote(padTo)}`,
    )
  }
  return [...all, { type: tlvType.noop, value: new Uint8Array(missing - TLV_HEAD_BYTES) }]
}

/** @throws RangeError when a value breaks the rules of its type, so that no receiver is sent what ours would refuse. */
function writeTlvs(bytes: Uint8Array, tlvsAt: number, tlvs: readonly Tlv[]): void {
  let at = tlvsAt
  let checksumAt = 0
  for (const [index, tlv] of tlvs.entries()) {
    const end = writeTlv(bytes, at, tlv)
    let fault = tlvValueFault(bytes, at, end)
    if (tlv.type === tlvType.checksum) {
      if (checksumAt > 0) fault ??= 'checksum_duplicate'
      checksumAt = at + TLV_HEAD_BYTES
    }
    if (fault) throw new RangeError(`tlvs[${String(index)}] (${quote(tlv.value)}): ${errorMessages[fault]}`)
    at = end
  }
  if (checksumAt > 0) writeUint32(bytes, checksumAt, headerChecksum(bytes, bytes.length, checksumAt))
}
