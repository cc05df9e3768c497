import assert from 'node:assert/strict'
import { test } from 'node:test'
import { reversedLabels } from '../../src/dnsbl/query-name.ts'

const names: readonly (readonly [address: string, labels: string])[] = [
  ['192.0.2.1', '1.2.0.192'],
  ['198.51.100.254', '254.100.51.198'],
  ['::ffff:192.0.2.1', '1.2.0.192'],
  ['::FFFF:C000:0201', '1.2.0.192'],
  ['0:0:0:0:0:ffff:c000:201', '1.2.0.192'],
  ['2001:db8:1:2:3:4:567:89ab', 'b.a.9.8.7.6.5.0.4.0.0.0.3.0.0.0.2.0.0.0.1.0.0.0.8.b.d.0.1.0.0.2'],
  ['2001:DB8::1', `1.${zeros(23)}8.b.d.0.1.0.0.2`],
  ['2001:db8::', `${zeros(24)}8.b.d.0.1.0.0.2`],
  ['::1', `1.${zeros(30)}0`],
  ['::', `${zeros(31)}0`],
  ['1::2:3:4:5:6:7', '7.0.0.0.6.0.0.0.5.0.0.0.4.0.0.0.3.0.0.0.2.0.0.0.0.0.0.0.1.0.0.0'],
  ['::192.0.2.1', `1.0.2.0.0.0.0.c.${zeros(23)}0`],
  ['64:ff9b::192.0.2.1', `1.0.2.0.0.0.0.c.${zeros(16)}b.9.f.f.4.6.0.0`],
  ['fe80::1%eth0', `1.${zeros(27)}0.8.e.f`],
  ['::ffff:192.0.2.1%1', '1.2.0.192'],
]

for (const [address, labels] of names) {
  test(`reversedLabels() puts the last octet or nibble first: ${address}`, () => {
    assert.equal(reversedLabels(address), labels)
  })
}

for (const address of [
  '',
  'localhost',
  '192.0.2',
  '192.0.2.256',
  '192.0.2.1:25',
  '[2001:db8::1]',
  '2001:db8::/32',
]) {
  test(`reversedLabels() refuses what is not an IP address: "${address}"`, () => {
    assert.throws(() => reversedLabels(address), {
      name: 'TypeError',
      message: `address must be an IPv4 or IPv6 address, got "${address}"`,
    })
  })
}

function zeros(count: number): string {
  return '0.'.repeat(count)
}
