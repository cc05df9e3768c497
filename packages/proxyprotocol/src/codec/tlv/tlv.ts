// Type-length-value triples (spec 2.2), in order with duplicates.

import { byteAt, copyOf, uint16At, writeUint16 } from '../bytes.ts'
import type { ErrorCode } from '../errors.ts'
import { quote } from '../../checks/index.ts'

/** One TLV, not interpreted. */
export interface Tlv {
  /** 0 to 255; see `tlvType`. */
  readonly type: number
  readonly value: Uint8Array
}

/** The types of the specification (2.2.1 to 2.2.7) and of vendors. */
export const tlvType = {
  alpn: 0x01,
  authority: 0x02,
  checksum: 0x03,
  noop: 0x04,
  uniqueId: 0x05,
  ssl: 0x20,
  sslVersion: 0x21,
  sslCn: 0x22,
  sslCipher: 0x23,
  sslSigAlg: 0x24,
  sslKeyAlg: 0x25,
  sslGroup: 0x26,
  sslSigScheme: 0x27,
  sslClientCert: 0x28,
  netns: 0x30,
  spiffe: 0xd0,
  gcp: 0xe0,
  alibaba: 0xe1,
  aws: 0xea,
  azure: 0xee,
} as const

export const TLV_HEAD_BYTES = 3
export const CHECKSUM_TLV_BYTES = 7
export const MAX_TLV_BYTES = 0xffff
/** Spec 2.2.5. */
export const MAX_UNIQUE_ID_BYTES = 128

/** client (1) and verify (4), before the sub-TLVs (spec 2.2.6). */
export const SSL_FIXED_BYTES = 5

export const NO_BYTES: Uint8Array = Object.freeze(new Uint8Array(0))
export const NO_TLVS: readonly Tlv[] = Object.freeze([])

/** Beyond `end` if the TLV overruns. */
export function tlvEnd(bytes: Uint8Array, at: number, end: number): number {
  return at + TLV_HEAD_BYTES > end ? end + 1 : at + TLV_HEAD_BYTES + uint16At(bytes, at + 1)
}

export function areTlvs(bytes: Uint8Array, start: number, end: number): boolean {
  let at = start
  while (at < end) at = tlvEnd(bytes, at, end)
  return at === end
}

export function tlvValueFault(bytes: Uint8Array, at: number, end: number): ErrorCode | undefined {
  const valueAt = at + TLV_HEAD_BYTES
  switch (byteAt(bytes, at)) {
    case tlvType.checksum:
      return end - at === CHECKSUM_TLV_BYTES ? undefined : 'checksum_length'
    case tlvType.uniqueId:
      return end - valueAt > MAX_UNIQUE_ID_BYTES ? 'unique_id_length' : undefined
    case tlvType.ssl:
      if (valueAt + SSL_FIXED_BYTES > end) return 'ssl_length'
      return areTlvs(bytes, valueAt + SSL_FIXED_BYTES, end) ? undefined : 'ssl_overrun'
    default:
      return undefined
  }
}

/** Each value owns its memory. */
export function splitTlvs(bytes: Uint8Array, start: number, end: number): readonly Tlv[] {
  const tlvs: Tlv[] = []
  for (let at = start, next: number; at < end; at = next) {
    next = tlvEnd(bytes, at, end)
    tlvs.push({ type: byteAt(bytes, at), value: copyOf(bytes, at + TLV_HEAD_BYTES, next) })
  }
  return tlvs
}

export function sizeOfTlvs(tlvs: readonly Tlv[]): number {
  let size = 0
  for (const { type, value } of tlvs) {
    if (!Number.isInteger(type) || type < 0 || type > 0xff) {
      throw new RangeError(`a TLV's type must be an integer from 0 to 255, got ${quote(type)}`)
    }
    if (!(value instanceof Uint8Array)) {
      throw new TypeError(`the value of TLV ${String(type)} must be a Uint8Array, got ${quote(value)}`)
    }
    if (value.length > MAX_TLV_BYTES) {
      throw new RangeError(
        `the value of TLV ${String(type)} must have at most 65535 bytes, got ${String(value.length)}`,
      )
    }
    size += TLV_HEAD_BYTES + value.length
  }
  return size
}

export function writeTlv(bytes: Uint8Array, at: number, { type, value }: Tlv): number {
  bytes[at] = type
  writeUint16(bytes, at + 1, value.length)
  bytes.set(value, at + TLV_HEAD_BYTES)
  return at + TLV_HEAD_BYTES + value.length
}

export function nestTlvs(start: Uint8Array, tlvs: readonly Tlv[]): Uint8Array {
  const value = new Uint8Array(start.length + sizeOfTlvs(tlvs))
  value.set(start)
  let at = start.length
  for (const tlv of tlvs) at = writeTlv(value, at, tlv)
  return value
}

/** A header has few TLVs: a map takes longer. */
export function firstValue(tlvs: readonly Tlv[], type: number): Uint8Array | undefined {
  for (const tlv of tlvs) if (tlv.type === type) return tlv.value
  return undefined
}
