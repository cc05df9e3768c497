// TLVs of cloud vendors: the types are anybody's, so only the vendor's exact layout counts.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { readTlvs } from '../../../src/codec/index.ts'
import { fromHex, toHex } from '../../support/vectors.ts'

function read(type: number, ...values: readonly string[]): ReturnType<typeof readTlvs> {
  return readTlvs({ tlvs: values.map(hex => ({ type, value: fromHex(hex) })) })
}

function ascii(subtype: number, text: string): string {
  return Buffer.from([subtype, ...Buffer.from(text)]).toString('hex')
}

describe('AWS, 0xEA', () => {
  test('subtype 1 is a VPC endpoint id', () => {
    assert.deepEqual(read(0xea, ascii(1, 'vpce-08d2bf15fac5001c9')).aws, {
      vpcEndpointId: 'vpce-08d2bf15fac5001c9',
    })
  })
  for (const hex of [
    '',
    '01',
    ascii(2, 'vpce-1'),
    ascii(1, 'vpce_1'),
    ascii(1, 'vpce-1\n'),
    '01ff',
    '0161c3a4',
  ]) {
    test(`anything else is not: ${hex}`, () => {
      assert.equal(read(0xea, hex).aws, undefined)
    })
  }
})

describe('Azure, 0xEE', () => {
  test('subtype 1 is a link id, little-endian', () => {
    assert.deepEqual(read(0xee, '0178563412').azure, { linkId: 0x1234_5678 })
    assert.deepEqual(read(0xee, '01ffffffff').azure, { linkId: 0xffff_ffff })
  })
  for (const hex of ['', '01', '0278563412', '01785634', '017856341200']) {
    test(`anything else is not: ${hex}`, () => {
      assert.equal(read(0xee, hex).azure, undefined)
    })
  }
})

describe('Google, 0xE0', () => {
  test('eight bytes are a connection id, big-endian', () => {
    assert.deepEqual(read(0xe0, '0000000123456789').gcp, { pscConnectionId: 0x1_2345_6789n })
    assert.deepEqual(read(0xe0, 'ffffffffffffffff').gcp, { pscConnectionId: 2n ** 64n - 1n })
  })
  for (const hex of ['', '00000001234567', '000000012345678900']) {
    test(`anything else is not: ${hex}`, () => {
      assert.equal(read(0xe0, hex).gcp, undefined)
    })
  }
})

describe('Istio, 0xD0', () => {
  const id = 'spiffe://cluster.local/ns/shop/sa/cart'
  test('a SPIFFE id is the identity of the workload', () => {
    assert.equal(read(0xd0, toHex(Buffer.from(id))).spiffe, id)
  })
  for (const text of [
    '',
    'cluster.local/ns/shop',
    'spiffe://x/ü',
    'spiffe://x/y#z',
    `spiffe://x/${'y'.repeat(2_048)}`,
  ]) {
    test(`anything else is none: ${text.slice(0, 20)}`, () => {
      assert.equal(read(0xd0, toHex(Buffer.from(text))).spiffe, undefined)
    })
  }
})

describe('Alibaba, 0xE1', () => {
  test('each id comes in a TLV of its own, in any order', () => {
    const values = [ascii(3, 'eps-1'), ascii(1, 'vpc-1'), ascii(2, 'ep-1')]
    assert.deepEqual(read(0xe1, ...values).alibaba, {
      vpcId: 'vpc-1',
      endpointId: 'ep-1',
      endpointServiceId: 'eps-1',
    })
  })
  test('one id alone leaves the others undefined', () => {
    const none = { vpcId: undefined, endpointId: undefined, endpointServiceId: undefined }
    assert.deepEqual(read(0xe1, ascii(2, 'ep-1')).alibaba, { ...none, endpointId: 'ep-1' })
    assert.deepEqual(read(0xe1, ascii(3, 'eps-1')).alibaba, { ...none, endpointServiceId: 'eps-1' })
  })
  for (const hex of ['', ascii(4, 'x'), '01ff']) {
    test(`anything else is none: ${hex}`, () => {
      assert.equal(read(0xe1, hex).alibaba, undefined)
    })
  }
})
