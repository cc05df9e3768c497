// The builders: each writes what its reader reads, and names what it cannot send.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { untyped } from 'test-support/untyped'
import { encodeHeader, parseHeader, readTlvs, tlv, tlvType, type Tlv } from '../../../src/codec/index.ts'
import { toHex } from '../../support/vectors.ts'

const built: readonly (readonly [string, Tlv, number, string])[] = [
  ['alpn', tlv.alpn('h2'), tlvType.alpn, '6832'],
  ['authority', tlv.authority('bücher.example'), tlvType.authority, '62c3bc636865722e6578616d706c65'],
  ['noop', tlv.noop(3), tlvType.noop, '000000'],
  ['noop of zero bytes', tlv.noop(0), tlvType.noop, ''],
  ['uniqueId from text', tlv.uniqueId('id-ä'), tlvType.uniqueId, '69642dc3a4'],
  ['uniqueId from bytes', tlv.uniqueId(Uint8Array.of(0, 255)), tlvType.uniqueId, '00ff'],
  ['netns', tlv.netns('blue'), tlvType.netns, '626c7565'],
  ['ssl', tlv.ssl({ version: 'TLSv1.3' }), tlvType.ssl, '0100000001210007544c5376312e33'],
  ['aws', tlv.aws('vpce-0'), tlvType.aws, '01767063652d30'],
  ['spiffe', tlv.spiffe('spiffe://a/b'), tlvType.spiffe, '7370696666653a2f2f612f62'],
  ['azure', tlv.azure(0x1234_5678), tlvType.azure, '0178563412'],
  ['gcp', tlv.gcp(0x1_2345_6789n), tlvType.gcp, '0000000123456789'],
  ['alibaba, VPC', tlv.alibaba('vpcId', 'v'), tlvType.alibaba, '0176'],
  ['alibaba, endpoint', tlv.alibaba('endpointId', 'e'), tlvType.alibaba, '0265'],
  ['alibaba, endpoint service', tlv.alibaba('endpointServiceId', 's'), tlvType.alibaba, '0373'],
  [
    'extension',
    tlv.extension([{ type: 4, value: Buffer.from('zen') }]),
    tlvType.noop,
    '881b79c1ce9685b00400037a656e',
  ],
]

for (const [name, { type, value }, wantedType, hex] of built) {
  test(`${name}: type ${String(wantedType)}, value ${hex}`, () => {
    assert.equal(type, wantedType)
    assert.equal(toHex(value), hex)
  })
}

test('readTlvs() reads back what all builders write, through a header', () => {
  const tlvs = [
    ...[
      tlv.alpn('h2'),
      tlv.authority('example.org'),
      tlv.uniqueId('id'),
      tlv.netns('blue'),
      tlv.aws('vpce-0'),
      tlv.spiffe('spiffe://a'),
    ],
    ...[
      tlv.azure(0xffff_ffff),
      tlv.gcp(2n ** 64n - 1n),
      tlv.alibaba('vpcId', 'v'),
      tlv.alibaba('endpointId', 'e'),
    ],
    ...[
      tlv.noop(5),
      tlv.extension([{ type: 2, value: Uint8Array.of(1, 0) }]),
      tlv.ssl({ version: 'TLSv1.3' }),
    ],
  ]
  const { ssl, extension, checksum, uniqueId, ...values } = readTlvs(
    parseHeader(encodeHeader({ command: 'LOCAL', tlvs }, { checksum: true })),
  )
  assert.deepEqual(values, {
    alpn: 'h2',
    authority: 'example.org',
    netns: 'blue',
    spiffe: 'spiffe://a',
    aws: { vpcEndpointId: 'vpce-0' },
    azure: { linkId: 0xffff_ffff },
    gcp: { pscConnectionId: 2n ** 64n - 1n },
    alibaba: { vpcId: 'v', endpointId: 'e', endpointServiceId: undefined },
  })
  assert.equal(ssl?.version, 'TLSv1.3')
  assert.deepEqual(extension, [{ type: 2, value: Uint8Array.of(1, 0) }])
  assert.equal(typeof checksum, 'number')
  assert.equal(uniqueId && toHex(uniqueId), '6964')
})

test('the limits of the builders are inclusive', () => {
  assert.equal(tlv.noop(65_535).value.length, 65_535)
  assert.equal(tlv.uniqueId('x'.repeat(128)).value.length, 128)
  assert.equal(toHex(tlv.azure(0).value), '0100000000')
  assert.equal(toHex(tlv.gcp(0n).value), '0000000000000000')
  assert.equal(tlv.alibaba('vpcId', 'x'.repeat(200_000)).value.length, 200_001)
})

describe('what cannot be sent is refused', () => {
  const linkId = 'linkId must be an integer from 0 to 4294967295, got'
  const pscConnectionId = 'pscConnectionId must be from 0n to 2n ** 64n - 1n, got'
  const vpcEndpointId = 'vpcEndpointId must be letters, digits and hyphens, got'
  const length = 'length must be an integer from 0 to 65535, got'
  const refused: readonly (readonly [() => Tlv, 'TypeError' | 'RangeError', string])[] = [
    [() => tlv.alpn(untyped(undefined)), 'TypeError', 'alpn must be text, got undefined'],
    [() => tlv.alpn(untyped(false)), 'TypeError', 'alpn must be text, got false'],
    [() => tlv.authority(untyped(false)), 'TypeError', 'authority must be text, got false'],
    [() => tlv.authority('a\udc00'), 'TypeError', 'authority must be text, got "a\\udc00"'],
    [() => tlv.noop(-1), 'RangeError', `${length} -1`],
    [() => tlv.noop(65_536), 'RangeError', `${length} 65536`],
    [() => tlv.noop(1.5), 'RangeError', `${length} 1.5`],
    [() => tlv.noop(untyped('3')), 'RangeError', `${length} "3"`],
    [() => tlv.uniqueId('ä'.repeat(65)), 'RangeError', 'uniqueId must have at most 128 bytes, got 130'],
    [() => tlv.uniqueId(new Uint8Array(129)), 'RangeError', 'uniqueId must have at most 128 bytes, got 129'],
    [() => tlv.uniqueId(untyped(7)), 'TypeError', 'uniqueId must be text or a Uint8Array, got 7'],
    [() => tlv.netns('grün'), 'TypeError', 'netns must be US-ASCII text, got "grün"'],
    [() => tlv.netns(untyped(null)), 'TypeError', 'netns must be text, got null'],
    [() => tlv.aws('vpce_1'), 'TypeError', `${vpcEndpointId} "vpce_1"`],
    [() => tlv.aws('vpce-1\n'), 'TypeError', `${vpcEndpointId} "vpce-1\\n"`],
    [() => tlv.aws(''), 'TypeError', `${vpcEndpointId} ""`],
    [() => tlv.aws(untyped(undefined)), 'TypeError', 'vpcEndpointId must be text, got undefined'],
    [() => tlv.azure(-1), 'RangeError', `${linkId} -1`],
    [() => tlv.azure(2 ** 32), 'RangeError', `${linkId} 4294967296`],
    [() => tlv.azure(0.5), 'RangeError', `${linkId} 0.5`],
    [() => tlv.gcp(-1n), 'RangeError', `${pscConnectionId} -1n`],
    [() => tlv.gcp(2n ** 64n), 'RangeError', `${pscConnectionId} 18446744073709551616n`],
    [() => tlv.gcp(untyped(5)), 'RangeError', `${pscConnectionId} 5`],
    ...['https://a/b', 'spiffe://', 'spiffe://A/b', 'spiffe://a/b?c', `spiffe://a/${'b'.repeat(2_048)}`].map(
      id =>
        [
          () => tlv.spiffe(id),
          'TypeError',
          `id must be a SPIFFE id such as spiffe://example.org/ns/shop/sa/cart, got "${id.slice(0, 80)}"`,
        ] as const,
    ),
    [
      () => tlv.spiffe(untyped(7)),
      'TypeError',
      'id must be a SPIFFE id such as spiffe://example.org/ns/shop/sa/cart, got 7',
    ],
    [() => tlv.alibaba('vpcId', 'é'), 'TypeError', 'vpcId must be US-ASCII text, got "é"'],
    [
      () => tlv.alibaba(untyped('vpc'), 'x'),
      'TypeError',
      `kind must be 'vpcId', 'endpointId' or 'endpointServiceId', got "vpc"`,
    ],
  ]
  for (const [build, name, message] of refused) {
    test(message, () => {
      assert.throws(build, { name, message })
    })
  }
})
