// The private extension of the Python library icgood/proxy-protocol: TLVs inside a NOOP TLV behind a magic number,
// which other receivers skip. Its contents need zlib: server/extension.ts.

import { sameBytes } from '../bytes.ts'
import { areTlvs, nestTlvs, splitTlvs, type Tlv, tlvType } from './tlv.ts'

export const EXTENSION_MAGIC: Uint8Array = Uint8Array.of(0x88, 0x1b, 0x79, 0xc1, 0xce, 0x96, 0x85, 0xb0)

/** The types of the TLVs in the private extension of the Python library. */
export const extensionType = { compression: 1, secretBits: 2, peercert: 3, dnsbl: 4 } as const

/** The TLVs in the value of a NOOP TLV; undefined if it is mere padding. */
export function readExtensionTlvs(value: Uint8Array): readonly Tlv[] | undefined {
  const start = EXTENSION_MAGIC.length
  const isExtension =
    sameBytes(value.subarray(0, start), EXTENSION_MAGIC) && areTlvs(value, start, value.length)
  return isExtension ? splitTlvs(value, start, value.length) : undefined
}

export function nestExtension(tlvs: readonly Tlv[]): Tlv {
  return { type: tlvType.noop, value: nestTlvs(EXTENSION_MAGIC, tlvs) }
}
