// Reads and writes the private extension of the Python library, whose certificate node:zlib inflates within bounds.

import { inspect } from 'node:util'
import { deflateSync, inflateSync } from 'node:zlib'
import { extensionType, readTlvs, tlv, type Tlv } from '../codec/index.ts'

/** A certificate's fields as JSON take 1 to 4 KiB; more than 64 KiB is an attack. */
const MAX_PEERCERT_BYTES = 65_536
/** Python nests certificates four deep; thousands overflow the stack of a program that prints them. */
const MAX_PEERCERT_NESTING = 16
const MAX_SECRET_BITS = 0xffff

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** The private extension of the Python library. */
export interface ExtensionInfo {
  /** TLS compression, as `SSLSocket.compression()` of Python names it. */
  readonly compression: string | undefined
  /** Secret bits of the cipher. */
  readonly secretBits: number | undefined
  /** The client's certificate, as `SSLSocket.getpeercert()` of Python describes it. */
  readonly peercert: Readonly<Record<string, unknown>> | undefined
  /** The DNSBL's answer about the client. */
  readonly dnsbl: string | undefined
}

/**
 * Reads the private extension of the Python library icgood/proxy-protocol from a header. A malformed field is
 * undefined.
 *
 * @returns undefined if the header has no such extension.
 *
 * @example
 * ```ts run
 * import { encodeHeader, parseHeader } from 'proxyprotocol'
 * import { extensionTlv, readExtension } from 'proxyprotocol/server'
 *
 * const tlvs = [extensionTlv({ compression: 'zlib', secretBits: 256 })]
 * const header = parseHeader(encodeHeader({ command: 'LOCAL', tlvs }))
 * console.log(readExtension(header)?.secretBits) // 256
 * ```
 */
export function readExtension(header: { readonly tlvs: readonly Tlv[] }): ExtensionInfo | undefined {
  const { extension } = readTlvs(header)
  if (extension === undefined) return undefined
  const secretBits = valueOf(extension, extensionType.secretBits)
  const peercert = valueOf(extension, extensionType.peercert)
  return {
    compression: asciiText(valueOf(extension, extensionType.compression)),
    secretBits: secretBits?.length === 2 ? Buffer.from(secretBits).readUInt16BE() : undefined,
    peercert: peercert && readPeercert(peercert),
    dnsbl: dnsblOf(extension),
  }
}

/** Without inflating the certificate. */
export function dnsblOf(extension: readonly Tlv[] | undefined): string | undefined {
  return extension && utf8Text(valueOf(extension, extensionType.dnsbl))
}

/**
 * Builds the private extension of the Python library icgood/proxy-protocol.
 *
 * @throws TypeError or RangeError naming the field that cannot be written.
 *
 * @example
 * ```ts run
 * import { encodeHeader } from 'proxyprotocol'
 * import { extensionTlv } from 'proxyprotocol/server'
 *
 * encodeHeader({ command: 'LOCAL', tlvs: [extensionTlv({ dnsbl: 'zen.example' })] })
 * ```
 */
export function extensionTlv(init: Partial<ExtensionInfo>): Tlv {
  const { compression, secretBits, peercert, dnsbl } = init
  const tlvs: Tlv[] = []
  if (compression !== undefined) {
    tlvs.push({ type: extensionType.compression, value: asciiBytes(compression, 'compression') })
  }
  if (secretBits !== undefined) tlvs.push({ type: extensionType.secretBits, value: uint16(secretBits) })
  if (peercert !== undefined) {
    tlvs.push({ type: extensionType.peercert, value: deflateSync(JSON.stringify(peercert)) })
  }
  if (dnsbl !== undefined) tlvs.push({ type: extensionType.dnsbl, value: utf8Bytes(dnsbl, 'dnsbl') })
  return tlv.extension(tlvs)
}

function valueOf(tlvs: readonly Tlv[], type: number): Uint8Array | undefined {
  return tlvs.find(each => each.type === type)?.value
}

function utf8Text(bytes: Uint8Array | undefined): string | undefined {
  try {
    return bytes && utf8.decode(bytes)
  } catch {
    return undefined
  }
}

function asciiText(bytes: Uint8Array | undefined): string | undefined {
  return bytes?.every(byte => byte < 0x80) ? utf8Text(bytes) : undefined
}

/** UTF-8 has no half surrogate pairs. */
function utf8Bytes(text: string, field: string): Uint8Array {
  if (typeof text === 'string' && !/\p{Surrogate}/u.test(text)) return Buffer.from(text)
  throw new TypeError(`${field} must be text, got ${inspect(text)}`)
}

function asciiBytes(text: string, field: string): Uint8Array {
  const bytes = utf8Bytes(text, field)
  if (bytes.length === text.length) return bytes
  throw new TypeError(`${field} must be US-ASCII text, got ${inspect(text)}`)
}

function uint16(value: number): Uint8Array {
  if (Number.isInteger(value) && value >= 0 && value <= MAX_SECRET_BITS) {
    return Uint8Array.of(value >> 8, value & 0xff)
  }
  throw new RangeError(`secretBits must be an integer from 0 to 65535, got ${inspect(value)}`)
}

function readPeercert(value: Uint8Array): Readonly<Record<string, unknown>> | undefined {
  try {
    const text = utf8.decode(inflateSync(value, { maxOutputLength: MAX_PEERCERT_BYTES }))
    if (isNestedDeeper(text, MAX_PEERCERT_NESTING)) return undefined
    const parsed: unknown = JSON.parse(text)
    return isRecord(parsed) ? parsed : undefined
  } catch {
    return undefined // not zlib, too long, not UTF-8 or not JSON
  }
}

/** Looks before JSON.parse(), and stops early. */
function isNestedDeeper(json: string, most: number): boolean {
  let depth = 0
  let quoted = false
  for (let at = 0; at < json.length; at++) {
    const character = json[at]
    if (character === '"') quoted = !quoted
    else if (quoted) at += character === '\\' ? 1 : 0
    else if (character === '[' || character === '{') depth++
    else if (character === ']' || character === '}') depth--
    if (depth > most) return true
  }
  return false
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
