// Addresses as text and as bytes; properties.test.ts holds both against node:net and RFC 5952.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatAddress, parseAddress } from '../../../src/codec/index.ts'
import { fromHex, toHex } from '../../support/vectors.ts'

/** Text, its bytes, and the canonical text where it is another. */
const addresses: readonly (readonly [string, string, string?])[] = [
  ['0.0.0.0', '00000000'],
  ['192.0.2.1', 'c0000201'],
  ['255.255.255.255', 'ffffffff'],
  ['::', '00000000000000000000000000000000'],
  ['::1', '00000000000000000000000000000001'],
  ['1::', '00010000000000000000000000000000'],
  ['2001:db8::1', '20010db8000000000000000000000001'],
  ['2001:DB8:0:0:0:0:0:1', '20010db8000000000000000000000001', '2001:db8::1'],
  ['2001:db8:0:1:1:1:1:1', '20010db8000000010001000100010001'],
  ['2001:db8::1:1:1:1:1', '20010db8000000010001000100010001', '2001:db8:0:1:1:1:1:1'],
  ['2001:0:0:1:0:0:0:1', '20010000000000010000000000000001', '2001:0:0:1::1'],
  ['2001:db8:0:0:1:0:0:1', '20010db8000000000001000000000001', '2001:db8::1:0:0:1'],
  ['1:0:0:0:0:0:0:0', '00010000000000000000000000000000', '1::'],
  ['0:0:0:0:0:0:0:0', '00000000000000000000000000000000', '::'],
  ['::ffff:192.0.2.1', '00000000000000000000ffffc0000201'],
  ['::FFFF:C000:201', '00000000000000000000ffffc0000201', '::ffff:192.0.2.1'],
  ['::192.0.2.1', '000000000000000000000000c0000201', '::c000:201'],
  ['::ffff:0:192.0.2.1', '0000000000000000ffff0000c0000201', '::ffff:0:c000:201'],
  ['64:ff9b::192.0.2.1', '0064ff9b0000000000000000c0000201', '64:ff9b::c000:201'],
  [
    '0000:0000:0000:0000:0000:ffff:255.255.255.255',
    '00000000000000000000ffffffffffff',
    '::ffff:255.255.255.255',
  ],
]

for (const [text, hex, canonical = text] of addresses) {
  test(`parseAddress() reads ${text}, formatAddress() writes ${canonical}`, () => {
    const bytes = parseAddress(text)
    assert.ok(bytes)
    assert.equal(toHex(bytes), hex)
    assert.equal(formatAddress(bytes), canonical)
  })
}

const noAddresses = [
  ...[
    '',
    ' ',
    '.',
    ':',
    '1',
    '1.2.3',
    '1.2.3.4.5',
    '1.2.3.',
    '.1.2.3',
    '1..2.3',
    '256.1.1.1',
    '01.2.3.4',
    '1.2.3.4 ',
  ],
  ...[' 1.2.3.4', '1.2.3.4\0', '1.2.3.+4', '0x7f.0.0.1', '1.2.3.4/8', '1.2.3.4:5', '١.2.3.4', 'localhost'],
  ...[
    ':::',
    '1:',
    ':1',
    '1::2::3',
    '12345::',
    '::g',
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:8:9',
    '1:2:3:4:5:6:7:8::',
  ],
  ...[
    '::1:2:3:4:5:6:7:8',
    '::1%eth0',
    'fe80::1%1',
    '[::1]',
    '::1/128',
    '::1 ',
    '::1.2.3',
    '::1.2.3.256',
    '::01.2.3.4',
  ],
  ...[
    '1:2:3:4:5:1.2.3.4',
    '1:2:3:4:5:6:7:1.2.3.4',
    '::1.2.3.4:5',
    '::ffff:1.2.3.4.5',
    '：：1',
    `::${'0'.repeat(50)}`,
  ],
]

for (const text of noAddresses) {
  test(`parseAddress() finds no address in ${JSON.stringify(text)}`, () => {
    assert.equal(parseAddress(text), undefined)
  })
}

test('parseAddress() gives bytes of their own', () => {
  const first = parseAddress('192.0.2.1')
  const second = parseAddress('198.51.100.7')
  assert.deepEqual(first, fromHex('c0000201'))
  assert.deepEqual(second, fromHex('c6336407'))
  assert.equal(first.buffer.byteLength, 4)
})

for (const length of [0, 3, 5, 15, 17]) {
  test(`formatAddress() refuses ${String(length)} bytes`, () => {
    const message = `an address has 4 or 16 bytes, got ${String(length)}`
    assert.throws(() => formatAddress(new Uint8Array(length)), { name: 'RangeError', message })
  })
}
