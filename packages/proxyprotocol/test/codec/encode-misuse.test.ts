// encodeHeader() with what it cannot send: each refusal names the field, what it got and what it wants.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { untyped } from 'test-support/untyped'
import { encodeHeader, tlv, type EncodeOptions, type InetEndpoint, type Tlv } from '../../src/codec/index.ts'
import { toHex } from '../support/vectors.ts'

const MAX_V2_BYTES = 65_551
const source: InetEndpoint = { address: '192.0.2.1', port: 56_324 }
const destination: InetEndpoint = { address: '198.51.100.7', port: 443 }
const ends = { source, destination }
const unixEnds = { source: { path: '/a' }, destination: { path: '/b' } }

function tlvOf(type: number, length: number): Tlv {
  return { type, value: new Uint8Array(length) }
}

describe('misuse is refused, naming what was got and what is wanted', () => {
  const at = (address: unknown, port: unknown): unknown => ({ source, destination: { address, port } })
  const withTlv = (type: unknown, value: unknown): unknown => ({ ...ends, tlvs: [{ type, value }] })
  const noVersion1 = 'version 1 cannot carry TLVs: leave tlvs out or use version 2'
  const address = 'destination.address must be an IPv4 or IPv6 address without zone, got'
  const port = 'destination.port must be an integer from 0 to 65535, got'
  const family = "family must be 'INET' or 'INET6' or 'UNIX' or 'UNSPEC', got"
  const type = "a TLV's type must be an integer from 0 to 255, got"

  const refused: readonly (readonly [unknown, 'TypeError' | 'RangeError', string])[] = [
    [{ ...ends, version: 3 }, 'TypeError', 'version must be 1 or 2, got 3'],
    [{ ...ends, version: '2' }, 'TypeError', 'version must be 1 or 2, got "2"'],
    [{ ...ends, version: 1, tlvs: [tlv.alpn('h2')] }, 'TypeError', noVersion1],
    [{ ...ends, command: 'proxy' }, 'TypeError', `command must be 'LOCAL' or 'PROXY', got "proxy"`],
    [{ ...ends, family: 'IPv4' }, 'TypeError', `${family} "IPv4"`],
    [{ ...ends, family: 4 }, 'TypeError', `${family} 4`],
    [{ ...ends, transport: 'UNSPEC' }, 'TypeError', `transport must be 'STREAM' or 'DGRAM', got "UNSPEC"`],
    ...[undefined, null, 'PROXY UNKNOWN'].map(
      header =>
        [
          header,
          'TypeError',
          `header must be an object such as { source, destination }, got ${JSON.stringify(header)}`,
        ] as const,
    ),
    [{}, 'TypeError', 'source must be { address, port }, got undefined'],
    [{ source }, 'TypeError', 'destination must be { address, port }, got undefined'],
    [{ source: null, destination }, 'TypeError', 'source must be { address, port }, got null'],
    [
      { source, destination: '198.51.100.7' },
      'TypeError',
      'destination must be { address, port }, got "198.51.100.7"',
    ],
    [{ source: {}, destination }, 'TypeError', 'source must be { address, port }, got {  }'],
    [{ family: 'UNIX', ...ends }, 'TypeError', 'source must be { path }, got { address, port }'],
    [{ family: 'INET', ...unixEnds }, 'TypeError', 'source must be { address, port }, got { path }'],
    [
      { family: 'INET', ...(at('::1', 1) as object) },
      'TypeError',
      "family is 'INET' but destination.address is IPv6",
    ],
    [
      { family: 'INET', source: { address: '::', port: 1 }, destination },
      'TypeError',
      "family is 'INET' but source.address is IPv6",
    ],
    [at('localhost', 1), 'TypeError', `${address} "localhost"`],
    [at('fe80::1%eth0', 1), 'TypeError', `${address} "fe80::1%eth0"`],
    [at('', 1), 'TypeError', `${address} ""`],
    [at('192.0.2.01', 1), 'TypeError', `${address} "192.0.2.01"`],
    [at('１.2.3.4', 1), 'TypeError', `${address} "１.2.3.4"`],
    [at('0'.repeat(100), 1), 'TypeError', `${address} "${'0'.repeat(80)}"`],
    [at(undefined, 1), 'TypeError', `${address} undefined`],
    [at(3_221_225_985, 1), 'TypeError', `${address} 3221225985`],
    [at('::1', -1), 'RangeError', `${port} -1`],
    [at('::1', 65_536), 'RangeError', `${port} 65536`],
    [at('::1', 1.5), 'RangeError', `${port} 1.5`],
    [at('::1', Number.NaN), 'RangeError', `${port} NaN`],
    [at('::1', '443'), 'RangeError', `${port} "443"`],
    [at('::1', undefined), 'RangeError', `${port} undefined`],
    [withTlv(-1, new Uint8Array(0)), 'RangeError', `${type} -1`],
    [withTlv(256, new Uint8Array(0)), 'RangeError', `${type} 256`],
    [withTlv(1.5, new Uint8Array(0)), 'RangeError', `${type} 1.5`],
    [withTlv('alpn', new Uint8Array(0)), 'RangeError', `${type} "alpn"`],
    [withTlv(1, 'h2'), 'TypeError', 'the value of TLV 1 must be a Uint8Array, got "h2"'],
    [withTlv(1, undefined), 'TypeError', 'the value of TLV 1 must be a Uint8Array, got undefined'],
    [
      withTlv(4, new Uint8Array(65_536)),
      'RangeError',
      'the value of TLV 4 must have at most 65535 bytes, got 65536',
    ],
  ]
  for (const [header, name, message] of refused) {
    test(message, () => {
      assert.throws(() => encodeHeader(untyped(header)), { name, message })
    })
  }

  test('what our own receiver would refuse is not sent', () => {
    const wrong: readonly (readonly [readonly Tlv[], string])[] = [
      [[tlvOf(1, 2), tlvOf(3, 5)], 'tlvs[1] (5 bytes): a CRC-32C TLV must hold exactly 4 bytes'],
      [[tlvOf(3, 4), tlvOf(3, 4)], 'tlvs[1] (4 bytes): a header must carry at most one CRC-32C TLV'],
      [[tlvOf(3, 4), tlvOf(3, 0)], 'tlvs[1] (0 bytes): a CRC-32C TLV must hold exactly 4 bytes'],
      [[tlvOf(5, 129)], 'tlvs[0] (129 bytes): a unique id must have at most 128 bytes'],
      [[tlvOf(0x20, 4)], 'tlvs[0] (4 bytes): an SSL TLV must hold at least 5 bytes'],
      [[tlvOf(0x20, 6)], 'tlvs[0] (6 bytes): the sub-TLVs of an SSL TLV must fill it exactly'],
    ]
    for (const [tlvs, message] of wrong) {
      assert.throws(() => encodeHeader({ ...ends, tlvs }), { name: 'RangeError', message })
    }
  })

  test('a TLV that is refused is named by its place in the list of the caller, also behind an added checksum', () => {
    const message = 'tlvs[0] (129 bytes): a unique id must have at most 128 bytes'
    assert.throws(() => encodeHeader({ ...ends, tlvs: [tlvOf(5, 129)] }, { checksum: true }), { message })
  })

  for (const checksum of [1, 'yes', null]) {
    test(`checksum: ${JSON.stringify(checksum)}`, () => {
      const message = `checksum must be true or false, got ${JSON.stringify(checksum)}`
      assert.throws(() => encodeHeader(ends, { checksum: untyped(checksum) }), { name: 'TypeError', message })
    })
  }

  for (const options of [{ checksum: true }, { padTo: 64 }]) {
    test(`version 1 with ${Object.keys(options).join()}`, () => {
      const message =
        'version 1 has neither checksum nor padding: leave checksum and padTo out or use version 2'
      assert.throws(() => encodeHeader({ version: 1, ...ends }, options), { name: 'TypeError', message })
    })
  }
})

describe('a header is as long as its length field can say, and not longer (known bugs 11 and 30)', () => {
  test('65551 bytes', () => {
    const bytes = encodeHeader({ ...ends, tlvs: [tlvOf(4, MAX_V2_BYTES - 28 - 3)] })
    assert.equal(bytes.length, MAX_V2_BYTES)
    assert.equal(toHex(bytes.subarray(14, 16)), 'ffff')
  })

  test('65552 bytes, by the TLVs, the checksum or a family that takes more', () => {
    const message = 'a header has at most 65551 bytes, this one would take 65552'
    const tooLong = (tlvs: readonly Tlv[], options?: EncodeOptions): void => {
      assert.throws(() => encodeHeader({ ...ends, tlvs }, options), { name: 'RangeError', message })
    }
    tooLong([tlvOf(4, MAX_V2_BYTES - 28 - 3 + 1)])
    tooLong([tlvOf(4, 40_000), tlvOf(0xe0, MAX_V2_BYTES - 28 - 3 - 3 - 40_000 + 1)])
    tooLong([tlvOf(4, MAX_V2_BYTES - 28 - 3 - 7 + 1)], { checksum: true })
    const mixed = {
      source,
      destination: { address: '::1', port: 1 },
      tlvs: [tlvOf(4, MAX_V2_BYTES - 52 - 3 + 1)],
    }
    assert.throws(() => encodeHeader(mixed), { name: 'RangeError', message })
  })

  test('a value of 65535 bytes has its place in a TLV, but in no header', () => {
    const message = 'a header has at most 65551 bytes, this one would take 65554'
    const header = { command: 'LOCAL', tlvs: [tlvOf(4, 65_535)] } as const
    assert.throws(() => encodeHeader(header), { name: 'RangeError', message })
  })
})
