// Decodes version 1, a line of text (spec 2.1), in one pass.

import {
  ADDRESS_BYTES,
  endOfGroup,
  faultAt,
  faultIndex,
  formatV4,
  formatV6,
  mapV4,
  NEEDS_MORE,
  scanV4,
  scanV6,
  V4_AT,
} from '../address/index.ts'
import { byteAt } from '../bytes.ts'
import { type DecodeResult, invalid, partial } from '../decode-result.ts'
import type { ErrorCode } from '../errors.ts'
import type { UnspecHeader } from '../header.ts'
import { utf8Bytes } from '../text.ts'
import { NO_BYTES, NO_TLVS } from '../tlv/index.ts'

/** With CRLF (spec 2.1). */
export const MAX_V1_BYTES = 107
/** `PROXY UNKNOWN\r\n` */
export const MIN_V1_BYTES = 15
export const V1_PREFIX: Uint8Array = utf8Bytes('PROXY ')

const PROTOCOL_AT = 6
const ADDRESSES_AT = 11
const SPACE = 0x20
const TAB = 0x09
const DOT = 0x2e
const COLON = 0x3a
const CR = 0x0d
const LF = 0x0a
const ZERO = 0x30

const TCP4 = utf8Bytes('TCP4')
const TCP6 = utf8Bytes('TCP6')
const UNKNOWN = utf8Bytes('UNKNOWN')

const unspec: UnspecHeader = Object.freeze({
  version: 1,
  command: 'PROXY',
  family: 'UNSPEC',
  transport: 'UNSPEC',
  tlvs: NO_TLVS,
  block: NO_BYTES,
})
const source = new Uint8Array(ADDRESS_BYTES)
const destination = new Uint8Array(ADDRESS_BYTES)
/** The last result of `scanPort`. */
let port = 0

/** `promote` takes IPv4 addresses in a TCP6 line. */
export function decodeV1(bytes: Uint8Array, promote: boolean): DecodeResult {
  if (bytes[PROTOCOL_AT] === UNKNOWN[0]) return decodeUnknown(bytes)
  const protocol = bytes[PROTOCOL_AT + 3] === TCP6[3] ? TCP6 : TCP4
  const end = match(bytes, PROTOCOL_AT, protocol)
  if (end < 0) return stopped(bytes, end, 'v1_protocol')
  if (bytes[end] !== SPACE)
    return stopped(bytes, end < bytes.length ? faultAt(end) : NEEDS_MORE, 'v1_separator')
  if (protocol === TCP4) return decodeInet(bytes, scanV4)
  return decodeInet(bytes, promote ? scanEither : scanV6)
}

function decodeUnknown(bytes: Uint8Array): DecodeResult {
  const end = match(bytes, PROTOCOL_AT, UNKNOWN)
  if (end < 0) return stopped(bytes, end, 'v1_protocol')
  // Everything up to the CRLF is ignored, lone CRs and LFs included (spec 2.1).
  for (let i = end; i < bytes.length - 1 && i < MAX_V1_BYTES - 1; i++) {
    if (bytes[i] === CR && bytes[i + 1] === LF) return { status: 'header', header: unspec, byteLength: i + 2 }
  }
  return stopped(bytes, NEEDS_MORE, 'v1_line_end')
}

function decodeInet(bytes: Uint8Array, scan: typeof scanV4): DecodeResult {
  const sourceEnd = scan(bytes, ADDRESSES_AT, source)
  if (bytes[sourceEnd] !== SPACE) return addressStopped(bytes, sourceEnd, ADDRESSES_AT)
  const destinationEnd = scan(bytes, sourceEnd + 1, destination)
  if (bytes[destinationEnd] !== SPACE) return addressStopped(bytes, destinationEnd, sourceEnd + 1)
  const sourcePortEnd = scanPort(bytes, destinationEnd + 1)
  if (sourcePortEnd < 0) return stopped(bytes, sourcePortEnd, 'v1_port')
  if (bytes[sourcePortEnd] !== SPACE) return stopped(bytes, faultAt(sourcePortEnd), 'v1_separator')
  const sourcePort = port
  const lineEnd = scanPort(bytes, sourcePortEnd + 1)
  if (lineEnd < 0) return stopped(bytes, lineEnd, 'v1_port')
  if (bytes[lineEnd] !== CR) return stopped(bytes, faultAt(lineEnd), 'v1_line_end')
  const byteLength = lineEnd + 2
  if (byteLength > bytes.length) return stopped(bytes, NEEDS_MORE, 'v1_line_end')
  if (bytes[lineEnd + 1] !== LF) return stopped(bytes, faultAt(lineEnd + 1), 'v1_line_end')
  if (byteLength > MAX_V1_BYTES) return invalid('v1_too_long', MAX_V1_BYTES)
  const v4 = scan === scanV4
  return {
    status: 'header',
    header: {
      version: 1,
      command: 'PROXY',
      family: v4 ? 'INET' : 'INET6',
      transport: 'STREAM',
      source: {
        address: v4 ? formatV4(source, V4_AT) : formatV6(source, 0),
        port: sourcePort,
      },
      destination: {
        address: v4 ? formatV4(destination, V4_AT) : formatV6(destination, 0),
        port,
      },
      tlvs: NO_TLVS,
    },
    byteLength,
  }
}

function scanEither(bytes: Uint8Array, at: number, out: Uint8Array): number {
  const v6 = scanV6(bytes, at, out)
  if (v6 >= NEEDS_MORE) return v6
  const v4 = scanV4(bytes, at, out)
  if (v4 >= 0) mapV4(out)
  return v4 >= NEEDS_MORE ? v4 : Math.min(v4, v6) // the later of the two faults is the lower number
}

/** No leading zeros; leaves the number in `port`. */
function scanPort(bytes: Uint8Array, at: number): number {
  let value = 0
  for (let i = at; i < bytes.length; i++) {
    const digit = byteAt(bytes, i) - ZERO
    if (digit < 0 || digit > 9) {
      port = value
      return i === at ? faultAt(i) : i
    }
    if (i > at && value === 0) return faultAt(i)
    value = value * 10 + digit
    if (value > 0xffff) return faultAt(i)
  }
  return NEEDS_MORE
}

function match(bytes: Uint8Array, at: number, word: Uint8Array): number {
  for (let i = 0; i < word.length; i++) {
    if (at + i >= bytes.length) return NEEDS_MORE
    if (bytes[at + i] !== word[i]) return faultAt(at + i)
  }
  return at + word.length
}

function addressStopped(bytes: Uint8Array, result: number, start: number): DecodeResult {
  if (result >= 0)
    return stopped(bytes, faultAt(result), byteAt(bytes, result) < SPACE ? 'v1_separator' : 'v1_address')
  const other = isOtherFamily(bytes, faultIndex(result), start)
  if (other === undefined) return stopped(bytes, NEEDS_MORE, 'v1_address')
  return stopped(bytes, result, other ? 'v1_family_mismatch' : 'v1_address')
}

/** Undefined while the bytes do not show it. */
function isOtherFamily(bytes: Uint8Array, index: number, start: number): boolean | undefined {
  if (bytes[PROTOCOL_AT + 3] === TCP4[3]) return isV6(bytes, start)
  if (bytes[index] !== DOT) return false
  const v4 = scanV4(bytes, start, source)
  return v4 >= NEEDS_MORE || faultIndex(v4) > index
}

/** `2001:` starts IPv6, and `2001.` is not an address. */
function isV6(bytes: Uint8Array, start: number): boolean | undefined {
  const end = endOfGroup(bytes, start)
  return end === bytes.length ? undefined : bytes[end] === COLON
}

function stopped(bytes: Uint8Array, result: number, code: ErrorCode): DecodeResult {
  const index = result === NEEDS_MORE ? bytes.length : faultIndex(result)
  if (index >= MAX_V1_BYTES) return invalid('v1_too_long', MAX_V1_BYTES)
  if (result === NEEDS_MORE) return partial(Math.max(1, MIN_V1_BYTES - bytes.length))
  const byte = bytes[index]
  const empty = bytes[index - 1] === SPACE && (byte === SPACE || byte === TAB)
  return invalid(empty ? 'v1_separator' : code, index)
}
