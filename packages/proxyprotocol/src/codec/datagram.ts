// A header in front of the payload of one UDP datagram (spec 2.2).

import { checkBytes } from './bytes.ts'
import { decodeHeader, faultOf } from './decode.ts'
import type { ProxyProtocolError } from './errors.ts'
import type { InetInit, LocalInit } from './header-init.ts'
import type { ProxyHeader } from './header.ts'
import { type DecodeOptions, decodeOptions } from './options.ts'
import { type EncodeOptions, encodeV2 } from './v2/index.ts'

/** 65535 less 20 bytes of IPv4 and 8 of UDP. */
const MAX_DATAGRAM_BYTES = 65_507

const version2 = decodeOptions({ versions: [2] })

/** The outcome of decoding a datagram; drop one that is not `header`. */
export type DatagramResult =
  | {
      readonly status: 'header'
      readonly header: ProxyHeader
      /** A view of the datagram's bytes. */
      readonly payload: Uint8Array
    }
  | { readonly status: 'invalid'; readonly error: ProxyProtocolError }

/**
 * Decodes a datagram that starts with a header. Default: only version 2, because version 1 cannot express
 * UDP. nginx sends version 1 all the same: set `versions`.
 *
 * @throws TypeError or RangeError for wrong options, never for any bytes.
 * @example
 * ```ts run
 * import { decodeDatagram, encodeDatagram } from 'proxyprotocol'
 *
 * const source = { address: '192.0.2.1', port: 5353 }
 * const destination = { address: '198.51.100.7', port: 53 }
 * const result = decodeDatagram(encodeDatagram({ source, destination }, Uint8Array.of(1, 2, 3)))
 * if (result.status === 'header') console.log(result.header.transport, result.payload.length) // DGRAM 3
 * ```
 */
export function decodeDatagram(datagram: Uint8Array, options: DecodeOptions = version2): DatagramResult {
  const result = decodeHeader(datagram, options.versions ? options : { ...options, versions: [2] })
  if (result.status !== 'header') return { status: 'invalid', error: faultOf(result, datagram) }
  return { status: 'header', header: result.header, payload: datagram.subarray(result.byteLength) }
}

/**
 * Puts a version 2 header in front of a payload; the transport is `DGRAM` by default. Keep the whole below
 * the path's MTU.
 *
 * @throws TypeError or RangeError naming what is wrong, also above 65507 bytes.
 */
export function encodeDatagram(
  header: InetInit | LocalInit,
  payload: Uint8Array,
  options: EncodeOptions = {},
): Uint8Array {
  if (header.version === 1) throw new TypeError('version 1 cannot express UDP: leave version out')
  checkBytes(payload, 'payload')
  const head = encodeV2(
    header.command === 'LOCAL' ? header : { ...header, transport: header.transport ?? 'DGRAM' },
    options,
  )
  return withPayload(head, payload)
}

export function withPayload(head: Uint8Array, payload: Uint8Array): Uint8Array {
  const total = head.length + payload.length
  if (total > MAX_DATAGRAM_BYTES) {
    throw new RangeError(`header and payload must fit 65507 bytes, got ${String(total)}`)
  }
  const datagram = new Uint8Array(total)
  datagram.set(head)
  datagram.set(payload, head.length)
  return datagram
}
