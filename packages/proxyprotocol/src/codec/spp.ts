// Simple Proxy Protocol, Cloudflare's for UDP: 38 bytes in front of each datagram, both ways.

import { formatUnmapped } from './address/index.ts'
import { byteAt, checkBytes, uint16At, writeUint16 } from './bytes.ts'
import { withPayload } from './datagram.ts'
import { type DecodeResult, invalid } from './decode-result.ts'
import { destinationBytes, endsOf, sourceBytes, writeEnds } from './header-ends.ts'
import type { InetEndpoint } from './header.ts'

const MAGIC = [0x56, 0xec] as const
const SOURCE_AT = 2
const DESTINATION_AT = 18
const SOURCE_PORT_AT = 34
const DESTINATION_PORT_AT = 36
const SPP_BYTES = 38

/** The header of Simple Proxy Protocol. IPv4 travels IPv4-mapped, and is shown as IPv4. */
export interface SppHeader {
  readonly source: InetEndpoint
  /** The proxy's address that the client sent to. */
  readonly destination: InetEndpoint
}

/** The outcome of decoding Simple Proxy Protocol; drop a datagram that is not `header`. */
export type SppResult =
  | {
      readonly status: 'header'
      readonly header: SppHeader
      /** A view of the datagram's bytes. */
      readonly payload: Uint8Array
    }
  | Extract<DecodeResult, { status: 'invalid' }>

/**
 * Decodes a datagram that starts with a header of Simple Proxy Protocol, 38 bytes. A fault is
 * `header_missing` or `header_truncated`.
 *
 * @throws TypeError for anything but bytes.
 * @see https://developers.cloudflare.com/spectrum/reference/simple-proxy-protocol-header/
 * @example
 * ```ts run
 * import { decodeSpp, encodeSpp } from 'proxyprotocol'
 *
 * const source = { address: '192.0.2.1', port: 5353 }
 * const destination = { address: '198.51.100.7', port: 53 }
 * const result = decodeSpp(encodeSpp({ source, destination }, Uint8Array.of(1, 2, 3)))
 * if (result.status === 'header') console.log(result.header.source.address, result.payload.length) // 192.0.2.1 3
 * ```
 */
export function decodeSpp(datagram: Uint8Array): SppResult {
  checkBytes(datagram, 'datagram')
  const wrong = MAGIC.findIndex((byte, at) => at < datagram.length && byteAt(datagram, at) !== byte)
  if (wrong >= 0) return invalid('header_missing', wrong)
  if (datagram.length < SPP_BYTES) return invalid('header_truncated', datagram.length)
  const header = {
    source: endpointAt(datagram, SOURCE_AT, SOURCE_PORT_AT),
    destination: endpointAt(datagram, DESTINATION_AT, DESTINATION_PORT_AT),
  }
  return { status: 'header', header, payload: datagram.subarray(SPP_BYTES) }
}

/**
 * Puts a header of Simple Proxy Protocol in front of a payload. A reply carries its request's header
 * unchanged.
 *
 * @throws TypeError or RangeError naming what is wrong, also above 65507 bytes.
 * @example
 * ```ts run
 * import { encodeSpp } from 'proxyprotocol'
 *
 * const source = { address: '2001:db8::1', port: 5353 }
 * const destination = { address: '2001:db8::53', port: 53 }
 * console.log(encodeSpp({ source, destination }, new Uint8Array()).length) // 38
 * ```
 */
export function encodeSpp({ source, destination }: SppHeader, payload: Uint8Array): Uint8Array {
  checkBytes(payload, 'payload')
  endsOf({ source, destination, family: 'INET6' })
  writeEnds({ source, destination, family: 'INET6' })
  const head = new Uint8Array(SPP_BYTES)
  head.set(MAGIC)
  head.set(sourceBytes, SOURCE_AT)
  head.set(destinationBytes, DESTINATION_AT)
  writeUint16(head, SOURCE_PORT_AT, source.port)
  writeUint16(head, DESTINATION_PORT_AT, destination.port)
  return withPayload(head, payload)
}

function endpointAt(datagram: Uint8Array, addressAt: number, portAt: number): InetEndpoint {
  return { address: formatUnmapped(datagram, addressAt), port: uint16At(datagram, portAt) }
}
