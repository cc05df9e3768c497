// What decoding came to, in the shape in which vectors say it, and when it has to come to it.

import type { DecodeResult, Endpoint, ErrorCode, ProxyHeader } from '../../src/codec/index.ts'
import { toHex, type Expected, type ExpectedHeader, type Vector, type VectorEndpoint } from './vectors.ts'

const DEFAULT_MAX_HEADER_BYTES = 4096
const FIXED_BYTES = 16
const LENGTH_AT = 14

/** A result as plain data that `deepEqual` can hold against a vector. */
export function outcomeOf(result: DecodeResult): Expected {
  switch (result.status) {
    case 'header':
      return { status: 'header', byteLength: result.byteLength, ...fieldsOf(result.header) }
    case 'partial':
      return { status: 'partial', missing: result.missing }
    case 'absent':
      return { status: 'absent', offset: result.offset }
    case 'invalid':
      return { status: 'invalid', code: result.code, offset: result.offset }
    default:
      return result satisfies never
  }
}

function fieldsOf(header: ProxyHeader): Omit<ExpectedHeader, 'status' | 'byteLength'> {
  const { version, command, family, transport } = header
  const tlvs = header.tlvs.map(({ type, value }) => [type, toHex(value)] as const)
  if (header.family === 'UNSPEC')
    return { version, command, family, transport, tlvs, block: toHex(header.block) }
  const source = endpointOf(header.source)
  const destination = endpointOf(header.destination)
  return { version, command, family, transport, source, destination, tlvs }
}

function endpointOf(endpoint: Endpoint): VectorEndpoint {
  if (!('path' in endpoint)) return endpoint
  return typeof endpoint.path === 'string' ? { path: endpoint.path } : { pathHex: toHex(endpoint.path) }
}

/**
 * How many bytes it takes to come to the vector's outcome: a header when it is complete, anything else with the first
 * byte that is wrong. Exceptions are the faults that no single byte makes: a line is too long with the 107th byte, a
 * length is wrong with its second byte (too long already with its first where that is enough), TLVs are judged once
 * all of them are there, and digits that no IPv4 address starts with wait for the byte behind them.
 */
export function verdictAt({ bytes, options, expected }: Vector): number {
  switch (expected.status) {
    case 'header':
      return expected.byteLength
    case 'partial':
      return Infinity
    case 'absent':
      return expected.offset + 1
    case 'invalid':
      return faultAt(bytes, expected, options?.maxHeaderBytes ?? DEFAULT_MAX_HEADER_BYTES)
    default:
      return expected satisfies never
  }
}

function faultAt(
  bytes: Uint8Array,
  fault: { code: ErrorCode; offset: number },
  maxHeaderBytes: number,
): number {
  const view = new DataView(bytes.buffer)
  switch (fault.code) {
    case 'v1_too_long':
      return fault.offset
    case 'v2_length':
      return FIXED_BYTES
    case 'header_too_long':
      return FIXED_BYTES + view.getUint8(LENGTH_AT) * 256 > maxHeaderBytes ? LENGTH_AT + 1 : FIXED_BYTES
    case 'v1_address':
    case 'v1_family_mismatch':
      return addressVerdictAt(bytes, fault.offset)
    default:
      return isBlockFault(fault.code) ? FIXED_BYTES + view.getUint16(LENGTH_AT) : fault.offset + 1
  }
}

/** In a TCP4 line the first digits may be those of an IPv6 address: the byte behind them tells. */
function addressVerdictAt(bytes: Uint8Array, offset: number): number {
  const line = Buffer.from(bytes).toString('latin1')
  if (!line.startsWith('PROXY TCP4 ')) return offset + 1
  const start = line.lastIndexOf(' ', offset - 1) + 1
  const [digits = ''] = /^[0-9a-f]{0,4}/i.exec(line.slice(start)) ?? []
  return Math.max(offset, start + digits.length) + 1
}

function isBlockFault(code: ErrorCode): boolean {
  return /^(?:tlv|checksum|unique_id|ssl)_/.test(code)
}

/** All byte arrays inside a header: values of TLVs, the raw block, paths that are not text. */
export function byteArraysOf(header: ProxyHeader): readonly Uint8Array[] {
  const arrays = header.tlvs.map(({ value }) => value)
  if (header.family === 'UNSPEC') return [...arrays, header.block]
  if (header.family !== 'UNIX') return arrays
  const paths = [header.source.path, header.destination.path]
  return [...arrays, ...paths.filter(path => typeof path !== 'string')]
}
