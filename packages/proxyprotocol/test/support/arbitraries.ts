// Generators for properties: headers as decoding gives them, bytes that are one canonical header, and several kinds of junk.

import fc from 'fast-check'
import type { ProxyHeader, Tlv, UnixEndpoint } from '../../src/codec/index.ts'
import { rfc5952 } from './references.ts'
import { fromHex, vectorFiles } from './vectors.ts'

export const V2_SIGNATURE: Uint8Array = fromHex('0d0a0d0a000d0a515549540a')
const UNIX_PATH_BYTES = 108

/** Records with the prototype that objects usually have, so that they can be equal to them. */
function plain<T>(model: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> {
  return fc.record<T>(model, { noNullPrototype: true })
}

const port = fc.oneof(fc.constantFrom(0, 1, 443, 65_535), fc.nat(65_535))
const sparse = fc.oneof({ weight: 2, arbitrary: fc.constant(0) }, fc.constant(0xff), fc.nat(255))

/** Four bytes; zeros and ones come up often. */
export const ipv4Bytes: fc.Arbitrary<Uint8Array> = fc
  .array(sparse, { minLength: 4, maxLength: 4 })
  .map(octets => Uint8Array.from(octets))

/** Sixteen bytes: anything, runs of zeros, v4-mapped. */
export const ipv6Bytes: fc.Arbitrary<Uint8Array> = fc.oneof(
  fc.uint8Array({ minLength: 16, maxLength: 16 }),
  fc.array(fc.constantFrom(0, 0, 0, 1, 0xabcd), { minLength: 8, maxLength: 8 }).map(groups => {
    return Uint8Array.from(groups.flatMap(group => [group >> 8, group & 0xff]))
  }),
  ipv4Bytes.map(v4 => Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, ...v4)),
)

/** Bytes of TLVs one after the other. */
export function writeTlvs(tlvs: readonly Tlv[]): Uint8Array {
  return Buffer.concat(
    tlvs.map(({ type, value }) =>
      Buffer.concat([Uint8Array.of(type, value.length >> 8, value.length), value]),
    ),
  )
}

const opaqueTlv = fc
  .record({ type: fc.nat(255), value: fc.uint8Array({ maxLength: 40 }) }, { noNullPrototype: true })
  .filter(({ type }) => type !== 0x03 && type !== 0x20)
const sslTlv = fc
  .tuple(fc.uint8Array({ minLength: 5, maxLength: 5 }), fc.array(opaqueTlv, { maxLength: 4 }))
  .map(([start, tlvs]) => ({ type: 0x20, value: Uint8Array.from(Buffer.concat([start, writeTlvs(tlvs)])) }))

/** TLVs that every header may carry; no checksum among them. */
export const tlvs: fc.Arbitrary<readonly Tlv[]> = fc.array(
  fc.oneof({ weight: 4, arbitrary: opaqueTlv }, sslTlv),
  { maxLength: 5 },
)

const inetEnd = plain({ address: ipv4Bytes.map(bytes => bytes.join('.')), port })
const inet6End = plain({ address: ipv6Bytes.map(rfc5952), port })
const pathText = fc
  .tuple(fc.constantFrom('', '\0', '\0\0'), fc.string({ unit: 'binary', maxLength: 40 }))
  .map(([start, name]) => start + name)
  .filter(path => /^(?:[^\0]*|\0.*[^\0])$/su.test(path) && Buffer.byteLength(path) <= UNIX_PATH_BYTES)
const pathBytes = fc
  .uint8Array({ minLength: UNIX_PATH_BYTES - 1, maxLength: UNIX_PATH_BYTES - 1 })
  .map(bytes => Uint8Array.of(0xff, ...bytes)) // no UTF-8 text starts with it
const unixEnd: fc.Arbitrary<UnixEndpoint> = plain({ path: fc.oneof(pathText, pathBytes) })

const proxied = {
  command: fc.constant('PROXY'),
  transport: fc.constantFrom('STREAM', 'DGRAM'),
  tlvs,
} as const
const v1 = {
  version: fc.constant(1),
  command: fc.constant('PROXY'),
  transport: fc.constant('STREAM'),
  tlvs: fc.constant([]),
} as const
const v2 = { version: fc.constant(2), ...proxied } as const

/** Headers of version 2 that have ends. */
const withEnds: fc.Arbitrary<ProxyHeader> = fc.oneof(
  plain({ ...v2, family: fc.constant('INET'), source: inetEnd, destination: inetEnd } as const),
  plain({ ...v2, family: fc.constant('INET6'), source: inet6End, destination: inet6End } as const),
  plain({ ...v2, family: fc.constant('UNIX'), source: unixEnd, destination: unixEnd } as const),
)
const withoutEnds: fc.Arbitrary<ProxyHeader> = fc
  .tuple(fc.constantFrom('LOCAL', 'PROXY'), tlvs)
  .map(([command, list]) => ({
    version: 2,
    command,
    family: 'UNSPEC',
    transport: 'UNSPEC',
    tlvs: list,
    block: Uint8Array.from(writeTlvs(list)),
  }))

/** Headers of version 2, without a checksum. */
export const v2Header: fc.Arbitrary<ProxyHeader> = fc.oneof({ weight: 3, arbitrary: withEnds }, withoutEnds)

/** Headers of version 1. */
export const v1Header: fc.Arbitrary<ProxyHeader> = fc.oneof(
  plain({ ...v1, family: fc.constant('INET'), source: inetEnd, destination: inetEnd } as const),
  plain({ ...v1, family: fc.constant('INET6'), source: inet6End, destination: inet6End } as const),
  fc.constant({
    version: 1,
    command: 'PROXY',
    family: 'UNSPEC',
    transport: 'UNSPEC',
    tlvs: [],
    block: new Uint8Array(0),
  } as const),
)

/** Whole version 2 headers with any addresses and sound TLVs, written here and not by the codec. */
export const v2Bytes: fc.Arbitrary<Uint8Array> = fc
  .tuple(
    fc.constantFrom([0x11, 12], [0x12, 12], [0x21, 36], [0x22, 36], [0x31, 216], [0x32, 216]),
    fc.uint8Array({ minLength: 216, maxLength: 216 }),
    fc.nat(108),
    tlvs,
  )
  .map(([[family = 0, size = 0], addresses, zerosFrom, list]) => {
    const block = Buffer.concat([addresses.fill(0, zerosFrom, 108).subarray(0, size), writeTlvs(list)])
    const fixed = Uint8Array.of(...V2_SIGNATURE, 0x21, family, block.length >> 8, block.length)
    return Uint8Array.from(Buffer.concat([fixed, block]))
  })

const words = [
  'PROXY',
  'TCP4',
  'TCP6',
  'UNKNOWN',
  ' ',
  '\t',
  '\r\n',
  '\r',
  '\n',
  '.',
  ':',
  '::',
  '0',
  '00',
  'x',
  '\0',
]
const ends = [
  '192.0.2.1',
  '256.1.1.1',
  '1.2.3',
  '::1',
  '2001:db8::1',
  '::ffff:192.0.2.1',
  'fe80::1%eth0',
  'ffff:',
]
const ports = ['0', '443', '65535', '65536', '0443', '-1']

/** Text that is almost a version 1 line, or is one. */
export const v1Junk: fc.Arbitrary<string> = fc.oneof(
  fc
    .tuple(
      fc.constantFrom('TCP4', 'TCP6', 'TCP4', 'TCP6', 'UNKNOWN', 'UDP4'),
      fc.constantFrom(...ends),
      fc.constantFrom(...ends),
      fc.constantFrom(...ports),
      fc.constantFrom(...ports),
      fc.constantFrom('\r\n', '\r\n', '\r\n', '\n', '\r', ' \r\n', ''),
    )
    .map(([protocol, source, destination, from, to, end]) => {
      return `PROXY ${protocol} ${source} ${destination} ${from} ${to}${end}`
    }),
  fc
    .tuple(
      fc.constantFrom('PROXY ', 'PROXY TCP4 ', 'PROXY TCP6 ', 'PROXY UNKNOWN'),
      fc.array(fc.constantFrom(...words, ...ends, ...ports), { maxLength: 16 }),
    )
    .map(([start, list]) => start + list.join('')),
)

const tlvPieces = [
  '04',
  '0000',
  '040000',
  '0100026832',
  '040001ff',
  '0400ff',
  '02ffff',
  '030004d45a11b9',
  '030003aabbcc',
]
const valuePieces = [
  '200000',
  '2000050100000000',
  '20000801000000002100',
  '200009010000000020000101',
  '050003aabbcc',
]
const pieces = [...tlvPieces, ...valuePieces, '050081' + '75'.repeat(129)]

/** Bytes with the signature of version 2 whose fields are often right, and whose block is a mixture of TLVs and noise. */
export const v2Junk: fc.Arbitrary<Uint8Array> = fc
  .tuple(
    fc.constantFrom(0x20, 0x21, 0x21, 0x21, 0x21, 0x2f, 0x11),
    fc.oneof({ weight: 5, arbitrary: fc.constantFrom(0x00, 0x10, 0x11, 0x12, 0x21, 0x31) }, fc.nat(255)),
    fc.constantFrom(0, 0, 0, 0, -1, 1, 300, 65_535),
    fc.constantFrom(0, 12, 12, 12, 36, 36, 216),
    fc.array(fc.constantFrom(...pieces), { maxLength: 5 }),
  )
  .map(([command, family, error, addresses, list]) => {
    const block = Buffer.concat([Buffer.alloc(addresses, 0x61), Buffer.from(list.join(''), 'hex')])
    const length = Math.max(0, Math.min(65_535, block.length + error))
    return Uint8Array.of(...V2_SIGNATURE, command, family, length >> 8, length, ...block)
  })

const allVectors = vectorFiles.flatMap(({ vectors }) => vectors).filter(({ bytes }) => bytes.length > 0)

/** A vector with up to three bytes changed and some cut off. */
export const mutatedVector: fc.Arbitrary<Uint8Array> = fc
  .tuple(
    fc.constantFrom(...allVectors),
    fc.array(fc.tuple(fc.nat(255), fc.nat(255)), { maxLength: 3 }),
    fc.oneof(fc.constant(0), fc.nat(30)),
  )
  .map(([{ bytes }, changes, cut]) => {
    const mutated = bytes.slice(0, Math.max(1, bytes.length - cut))
    for (const [at, byte] of changes) mutated[at % mutated.length] = byte
    return mutated
  })
