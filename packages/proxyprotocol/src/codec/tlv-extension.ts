// The private extension of the Python library icgood/proxy-protocol: a NOOP TLV that starts with a magic number and goes
// on with TLVs of its own, so that receivers which do not know it skip it.

import { sameBytes, uint16At, writeUint16 } from './bytes.ts'
import { deflate } from './deflate.ts'
import { inflate } from './inflate.ts'
import { quote } from './quote.ts'
import { asciiBytes, asciiText, textBytes, utf8Bytes, utf8Text } from './text.ts'
import { areTlvs, firstValues, nestTlvs, splitTlvs, tlvType, type Tlv } from './tlv.ts'

export const EXTENSION_MAGIC: Uint8Array = Uint8Array.of(0x88, 0x1b, 0x79, 0xc1, 0xce, 0x96, 0x85, 0xb0)
/** The types of the TLVs behind the magic number. */
export const extensionType = { compression: 1, secretBits: 2, peercert: 3, dnsbl: 4 } as const
/** A certificate's fields as JSON take 1-4 KiB; more than 64 KiB out of a TLV of at most as much is an attack. */
const MAX_PEERCERT_BYTES = 65_536
/** Python's description of a certificate nests four deep; thousands would overflow the stack of whoever prints it. */
const MAX_PEERCERT_NESTING = 16

/** What the Python library tells about a client beyond the specification. */
export interface ExtensionInfo {
  /** TLS compression, as Python's `SSLSocket.compression()` names it. */
  readonly compression: string | undefined
  /** Secret bits of the cipher. */
  readonly secretBits: number | undefined
  /** The client's certificate as Python's `SSLSocket.getpeercert()` describes it. */
  readonly peercert: Readonly<Record<string, unknown>> | undefined
  /** The DNSBL's answer about the client. */
  readonly dnsbl: string | undefined
}

/** Reads the value of a NOOP TLV; undefined where it is mere padding. */
export function readExtension(value: Uint8Array): ExtensionInfo | undefined {
  if (
    !sameBytes(value.subarray(0, EXTENSION_MAGIC.length), EXTENSION_MAGIC) ||
    !areTlvs(value, EXTENSION_MAGIC.length, value.length)
  )
    return undefined
  const values = firstValues(splitTlvs(value, EXTENSION_MAGIC.length, value.length))
  const compression = values.get(extensionType.compression)
  const secretBits = values.get(extensionType.secretBits)
  const peercert = values.get(extensionType.peercert)
  const dnsbl = values.get(extensionType.dnsbl)
  return {
    compression: compression && asciiText(compression),
    secretBits: secretBits?.length === 2 ? uint16At(secretBits, 0) : undefined,
    peercert: peercert && readPeercert(peercert),
    dnsbl: dnsbl && utf8Text(dnsbl),
  }
}

/** @throws TypeError or RangeError naming the field that cannot be written. */
export function extensionTlv(init: Partial<ExtensionInfo>): Tlv {
  const { compression, secretBits, peercert, dnsbl } = init
  const tlvs: Tlv[] = []
  if (compression !== undefined)
    tlvs.push({ type: extensionType.compression, value: asciiBytes(compression, 'compression') })
  if (secretBits !== undefined) {
    if (!Number.isInteger(secretBits) || secretBits < 0 || secretBits > 0xffff) {
      throw new RangeError(`secretBits must be an integer from 0 to 65535, got ${quote(secretBits)}`)
    }
    const value = new Uint8Array(2)
    writeUint16(value, 0, secretBits)
    tlvs.push({ type: extensionType.secretBits, value })
  }
  if (peercert !== undefined)
    tlvs.push({ type: extensionType.peercert, value: deflate(utf8Bytes(JSON.stringify(peercert))) })
  if (dnsbl !== undefined) tlvs.push({ type: extensionType.dnsbl, value: textBytes(dnsbl, 'dnsbl') })
  return { type: tlvType.noop, value: nestTlvs(EXTENSION_MAGIC, tlvs) }
}

function readPeercert(value: Uint8Array): Readonly<Record<string, unknown>> | undefined {
  const inflated = inflate(value, MAX_PEERCERT_BYTES)
  const text = inflated && utf8Text(inflated)
  if (text === undefined) return undefined
  try {
    const parsed: unknown = JSON.parse(text)
    return isRecord(parsed) && nestingOf(text) <= MAX_PEERCERT_NESTING ? parsed : undefined
  } catch {
    return undefined
  }
}

/** How deep arrays and objects stand in each other in valid JSON. */
function nestingOf(json: string): number {
  let depth = 0
  let deepest = 0
  for (const [bracket] of json.replace(/"(?:[^"\\]|\\.)*"/g, '').matchAll(/[[\]{}]/g)) {
    depth += bracket === '[' || bracket === '{' ? 1 : -1
    deepest = Math.max(deepest, depth)
  }
  return deepest
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
