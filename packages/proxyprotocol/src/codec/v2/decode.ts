// Decodes version 2 (spec 2.2): the fixed 16 bytes one by one, the rest when it is complete.

import { formatV4, formatV6, readUnixPath, UNIX_PATH_BYTES } from '../address/index.ts'
import { byteAt, copyOf, uint16At, uint32At } from '../bytes.ts'
import { type DecodeResult, invalid, partial } from '../decode-result.ts'
import type { InetHeader, UnixHeader } from '../header.ts'
import { FIXED_BYTES } from '../options.ts'
import {
  areTlvs,
  CHECKSUM_TLV_BYTES,
  NO_BYTES,
  NO_TLVS,
  splitTlvs,
  type Tlv,
  TLV_HEAD_BYTES,
  tlvEnd,
  tlvType,
  tlvValueFault,
} from '../tlv/index.ts'
import { headerChecksum } from './checksum.ts'

export const V2_SIGNATURE: Uint8Array = Uint8Array.of(13, 10, 13, 10, 0, 13, 10, 81, 85, 73, 84, 10)
/** `V2_SIGNATURE` as 32-bit numbers. */
export const SIGNATURE_START = 0x0d0a_0d0a
export const SIGNATURE_MIDDLE = 0x000d_0a51
export const SIGNATURE_END = 0x5549_540a

/** By family: none, 2 x 4 + 2 x 2, 2 x 16 + 2 x 2, 2 x 108. */
const BLOCK_BYTES = [0, 12, 36, 216]
const INET = 1
const INET6 = 2
const UNIX = 3
const PROXY = 1
const STREAM = 1
const DGRAM = 2

const COMMAND_AT = 12
const FAMILY_AT = 13
const LENGTH_AT = 14

export function decodeV2(bytes: Uint8Array, maxHeaderBytes: number): DecodeResult {
  const available = bytes.length
  if (available <= COMMAND_AT) return partial(FIXED_BYTES - available)
  const versionAndCommand = byteAt(bytes, COMMAND_AT)
  if (versionAndCommand >> 4 !== 2) return invalid('v2_version', COMMAND_AT)
  const command = versionAndCommand & 0x0f
  if (command > PROXY) return invalid('v2_command', COMMAND_AT)
  if (available <= FAMILY_AT) return partial(FIXED_BYTES - available)
  const family = byteAt(bytes, FAMILY_AT) >> 4
  const transport = byteAt(bytes, FAMILY_AT) & 0x0f
  if (command === PROXY && family > UNIX) return invalid('v2_family', FAMILY_AT)
  if (command === PROXY && transport > DGRAM) return invalid('v2_transport', FAMILY_AT)
  if (available <= LENGTH_AT) return partial(FIXED_BYTES - available)
  const atLeast = FIXED_BYTES + (byteAt(bytes, LENGTH_AT) << 8)
  if (atLeast > maxHeaderBytes) return invalid('header_too_long', LENGTH_AT)
  if (available < FIXED_BYTES) return partial(FIXED_BYTES - available)
  const end = atLeast + byteAt(bytes, LENGTH_AT + 1)
  if (end > maxHeaderBytes) return invalid('header_too_long', LENGTH_AT)
  const tlvsAt = FIXED_BYTES + addressBlockBytes(bytes)
  if (end < tlvsAt) return invalid('v2_length', LENGTH_AT)
  if (available < end) return partial(end - available)
  return tlvsAt > FIXED_BYTES ? decodeProxied(bytes, tlvsAt, end) : decodeUnproxied(bytes, end)
}

/** None for LOCAL, or without a family or a transport. */
export function addressBlockBytes(fixed: Uint8Array): number {
  const command = byteAt(fixed, COMMAND_AT) & 0x0f
  const transport = byteAt(fixed, FAMILY_AT) & 0x0f
  return command === PROXY && transport > 0 ? blockBytes(byteAt(fixed, FAMILY_AT) >> 4) : 0
}

function decodeProxied(bytes: Uint8Array, tlvsAt: number, end: number): DecodeResult {
  const tlvs = tlvsAt < end ? takeTlvs(bytes, tlvsAt, end) : NO_TLVS
  if ('status' in tlvs) return tlvs
  const family = byteAt(bytes, FAMILY_AT) >> 4
  const transport = (byteAt(bytes, FAMILY_AT) & 0x0f) === STREAM ? 'STREAM' : 'DGRAM'
  const header = family === UNIX ? unixHeader(bytes, transport, tlvs) : inetHeader(bytes, transport, tlvs)
  return { status: 'header', header, byteLength: end }
}

function inetHeader(bytes: Uint8Array, transport: 'STREAM' | 'DGRAM', tlvs: readonly Tlv[]): InetHeader {
  const v4 = byteAt(bytes, FAMILY_AT) >> 4 === INET
  const portsAt = FIXED_BYTES + blockBytes(v4 ? INET : INET6) - 4
  return {
    version: 2,
    command: 'PROXY',
    family: v4 ? 'INET' : 'INET6',
    transport,
    source: {
      address: v4 ? formatV4(bytes, FIXED_BYTES) : formatV6(bytes, FIXED_BYTES),
      port: uint16At(bytes, portsAt),
    },
    destination: {
      address: v4 ? formatV4(bytes, FIXED_BYTES + 4) : formatV6(bytes, FIXED_BYTES + 16),
      port: uint16At(bytes, portsAt + 2),
    },
    tlvs,
  }
}

function unixHeader(bytes: Uint8Array, transport: 'STREAM' | 'DGRAM', tlvs: readonly Tlv[]): UnixHeader {
  return {
    version: 2,
    command: 'PROXY',
    family: 'UNIX',
    transport,
    source: { path: readUnixPath(bytes, FIXED_BYTES) },
    destination: { path: readUnixPath(bytes, FIXED_BYTES + UNIX_PATH_BYTES) },
    tlvs,
  }
}

/**
 * Whatever the block holds is accepted (spec 2.2), except a wrong checksum. TLVs may follow the fixed part
 * (haproxy, AWS) or an address block.
 */
function decodeUnproxied(bytes: Uint8Array, end: number): DecodeResult {
  const behindAddresses = FIXED_BYTES + blockBytes(byteAt(bytes, FAMILY_AT) >> 4)
  let tlvsAt = FIXED_BYTES
  if (!areTlvs(bytes, tlvsAt, end)) tlvsAt = areTlvs(bytes, behindAddresses, end) ? behindAddresses : end
  const checksumAt = onlyChecksum(bytes, tlvsAt, end)
  if (checksumAt > 0 && !isChecksumRight(bytes, checksumAt, end))
    return invalid('checksum_mismatch', checksumAt)
  const block = end === FIXED_BYTES ? NO_BYTES : copyOf(bytes, FIXED_BYTES, end)
  const tlvs = tlvsAt === end ? NO_TLVS : splitTlvs(bytes, tlvsAt, end)
  const command = (byteAt(bytes, COMMAND_AT) & 0x0f) === PROXY ? 'PROXY' : 'LOCAL'
  return {
    status: 'header',
    header: { version: 2, command, family: 'UNSPEC', transport: 'UNSPEC', tlvs, block },
    byteLength: end,
  }
}

function takeTlvs(bytes: Uint8Array, start: number, end: number): readonly Tlv[] | DecodeResult {
  const tlvs: Tlv[] = []
  let checksumAt = 0
  for (let at = start, next: number; at < end; at = next) {
    next = tlvEnd(bytes, at, end)
    if (next > end) return invalid(end - at < TLV_HEAD_BYTES ? 'tlv_stray' : 'tlv_overrun', at)
    const code = tlvValueFault(bytes, at, next)
    if (code) return invalid(code, at)
    if (bytes[at] === tlvType.checksum) {
      if (checksumAt > 0) return invalid('checksum_duplicate', at)
      checksumAt = at
    }
    tlvs.push({ type: byteAt(bytes, at), value: copyOf(bytes, at + TLV_HEAD_BYTES, next) })
  }
  if (checksumAt > 0 && !isChecksumRight(bytes, checksumAt, end))
    return invalid('checksum_mismatch', checksumAt)
  return tlvs
}

/** 0 for none, and for several. */
function onlyChecksum(bytes: Uint8Array, start: number, end: number): number {
  let found = 0
  for (let at = start, next: number; at < end; at = next) {
    next = tlvEnd(bytes, at, end)
    if (bytes[at] === tlvType.checksum && next - at === CHECKSUM_TLV_BYTES) {
      if (found > 0) return 0
      found = at
    }
  }
  return found
}

function isChecksumRight(header: Uint8Array, tlvAt: number, end: number): boolean {
  const valueAt = tlvAt + TLV_HEAD_BYTES
  return uint32At(header, valueAt) === headerChecksum(header, end, valueAt)
}

function blockBytes(family: number): number {
  return BLOCK_BYTES[family] ?? 0
}
