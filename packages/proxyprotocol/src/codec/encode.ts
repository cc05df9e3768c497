// Checks a header, then encodes it.

import type { HeaderInit } from './header-init.ts'
import { quote } from '../checks/index.ts'
import { encodeV1 } from './v1/index.ts'
import { type EncodeOptions, encodeV2 } from './v2/index.ts'

/**
 * Encodes a header. Send it in one write before any payload: some receivers drop a header in two segments.
 * Version 1 expresses TCP only; anything else becomes `PROXY UNKNOWN` (spec 2.1).
 *
 * @throws TypeError or RangeError naming what is wrong.
 * @see Specification, sections 2.1, 2.2 and 2.2.3.
 * @example
 * ```ts run
 * import { encodeHeader, tlv } from 'proxyprotocol'
 *
 * const source = { address: '192.0.2.1', port: 56324 }
 * const destination = { address: '198.51.100.7', port: 443 }
 * const bytes = encodeHeader({ source, destination, tlvs: [tlv.authority('example.org')] }, { checksum: true })
 * console.log(bytes.length) // 49
 * const line = encodeHeader({ version: 1, source, destination })
 * console.log(new TextDecoder().decode(line)) // PROXY TCP4 192.0.2.1 198.51.100.7 56324 443
 * ```
 */
export function encodeHeader(header: HeaderInit, options: EncodeOptions = {}): Uint8Array {
  if (typeof header !== 'object' || (header as unknown) === null) {
    throw new TypeError(`header must be an object such as { source, destination }, got ${quote(header)}`)
  }
  const version: unknown = header.version ?? 2
  if (version === 2) return encodeV2(header, options)
  if (version !== 1) throw new TypeError(`version must be 1 or 2, got ${quote(version)}`)
  if (header.tlvs !== undefined && header.tlvs.length > 0) {
    throw new TypeError('version 1 cannot carry TLVs: leave tlvs out or use version 2')
  }
  if (options.checksum === true || options.padTo !== undefined) {
    throw new TypeError(
      'version 1 has neither checksum nor padding: leave checksum and padTo out or use version 2',
    )
  }
  return encodeV1(header)
}
