// The extension of the Python library icgood/proxy-protocol: TLVs inside a NOOP TLV behind a magic number.

import { sameBytes } from '../bytes.ts'
import { areTlvs, nestTlvs, splitTlvs, type Tlv, tlvType } from './tlv.ts'

export const EXTENSION_MAGIC: Uint8Array = Uint8Array.of(0x88, 0x1b, 0x79, 0xc1, 0xce, 0x96, 0x85, 0xb0)

/** Types of the TLVs in the Python library's extension. */
export const extensionType = { compression: 1, secretBits: 2, peercert: 3, dnsbl: 4 } as const

/** Undefined for padding. */
export function readExtensionTlvs(value: Uint8Array): readonly Tlv[] | undefined {
  const start = EXTENSION_MAGIC.length
  const isExtension =
    sameBytes(value.subarray(0, start), EXTENSION_MAGIC) && areTlvs(value, start, value.length)
  return isExtension ? splitTlvs(value, start, value.length) : undefined
}

export function nestExtension(tlvs: readonly Tlv[]): Tlv {
  return { type: tlvType.noop, value: nestTlvs(EXTENSION_MAGIC, tlvs) }
}
