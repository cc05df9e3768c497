// Decodes bytes into one of four outcomes, and never throws because of them (spec 2).

import { byteAt, checkBytes, int32At } from './bytes.ts'
import { absent, type DecodeResult, partial } from './decode-result.ts'
import { ProxyProtocolError } from './errors.ts'
import type { ProxyHeader } from './header.ts'
import { type DecodeOptions, decodeRules, type DecodeRules, FIXED_BYTES } from './options.ts'
import { decodeV1, MIN_V1_BYTES, V1_PREFIX } from './v1/index.ts'
import { decodeV2, SIGNATURE_END, SIGNATURE_MIDDLE, SIGNATURE_START, V2_SIGNATURE } from './v2/index.ts'
import { whatArrived } from './what-arrived.ts'

/**
 * Decodes the header at the start of `bytes`; payload may follow. While the result is `partial`, call again
 * with the same bytes and more: the outcome does not depend on the cuts.
 * A fault is found at the first byte that cannot belong to a header. TLVs are judged when all are there, and
 * some digits in a TCP4 line when the next byte is.
 *
 * @throws TypeError or RangeError for wrong options or anything but bytes.
 * @see Specification, sections 2.1 and 2.2.
 * @example
 * ```ts run
 * import { decodeHeader } from 'proxyprotocol'
 *
 * const bytes = new TextEncoder().encode('PROXY TCP4 192.0.2.1 198.51.100.7 56324 443\r\nhello')
 * const result = decodeHeader(bytes)
 * if (result.status === 'header' && result.header.family === 'INET') {
 *   console.log(result.header.source.address, bytes.subarray(result.byteLength)) // 192.0.2.1, then "hello"
 * }
 * ```
 */
export function decodeHeader(bytes: Uint8Array, options?: DecodeOptions): DecodeResult {
  return decodeWith(decodeRules(options), bytes)
}

export function decodeWith(rules: DecodeRules, bytes: Uint8Array): DecodeResult {
  checkBytes(bytes, 'bytes')
  if (bytes.length === 0) return partial(rules.v1 ? MIN_V1_BYTES : FIXED_BYTES)
  if (rules.v2 && bytes[0] === V2_SIGNATURE[0]) {
    const at = hasV2Signature(bytes) ? -1 : firstDifference(bytes, V2_SIGNATURE)
    return at < 0 ? decodeV2(bytes, rules.maxHeaderBytes) : absent(at)
  }
  if (rules.v1 && bytes[0] === V1_PREFIX[0]) {
    const at = firstDifference(bytes, V1_PREFIX)
    return at < 0 ? decodeV1(bytes, rules.promote) : absent(at)
  }
  return absent(0)
}

/**
 * Parses bytes that are one whole header.
 *
 * @throws ProxyProtocolError `header_missing`, `header_truncated`, `trailing_bytes`, or the code of the
 * fault.
 * @example
 * ```ts run
 * import { encodeHeader, parseHeader } from 'proxyprotocol'
 *
 * console.log(parseHeader(encodeHeader({ command: 'LOCAL' })).command) // LOCAL
 * ```
 */
export function parseHeader(bytes: Uint8Array, options?: DecodeOptions): ProxyHeader {
  const result = decodeHeader(bytes, options)
  if (result.status === 'header') {
    if (result.byteLength === bytes.length) return result.header
    throw new ProxyProtocolError('trailing_bytes', { offset: result.byteLength })
  }
  throw faultOf(result, bytes)
}

export function faultOf(
  result: Exclude<DecodeResult, { status: 'header' }>,
  bytes: Uint8Array,
): ProxyProtocolError {
  if (result.status === 'invalid') return result.error
  if (result.status === 'partial') return new ProxyProtocolError('header_truncated', { offset: bytes.length })
  return new ProxyProtocolError('header_missing', { offset: result.offset, detail: whatArrived(bytes) })
}

/** Compares 32 bits at a time, because most headers come whole. */
function hasV2Signature(bytes: Uint8Array): boolean {
  return (
    bytes.length >= FIXED_BYTES &&
    int32At(bytes, 0) === SIGNATURE_START &&
    int32At(bytes, 4) === SIGNATURE_MIDDLE &&
    int32At(bytes, 8) === SIGNATURE_END
  )
}

/** Negative if the bytes match as far as they go. */
function firstDifference(bytes: Uint8Array, prefix: Uint8Array): number {
  for (let i = 1; i < prefix.length && i < bytes.length; i++) {
    if (byteAt(bytes, i) !== prefix[i]) return i
  }
  return -1
}
