import assert from 'node:assert/strict'
import { test } from 'node:test'
import { unmapAddress } from '../../../src/codec/index.ts'

for (const mapped of [
  '::ffff:192.0.2.1',
  '::FFFF:192.0.2.1',
  '::ffff:c000:201',
  '0:0:0:0:0:ffff:c000:201',
  '0000:0000::ffff:192.0.2.1',
]) {
  test(`unmapAddress() writes an IPv4-mapped address as IPv4: ${mapped}`, () => {
    assert.equal(unmapAddress(mapped), '192.0.2.1')
  })
}

for (const other of [
  '192.0.2.1',
  '2001:db8::1',
  '::192.0.2.1',
  '::ffff:0:192.0.2.1',
  '1::ffff:192.0.2.1',
  '64:ff9b::192.0.2.1',
  '::ffff:192.0.2.1%1',
  '::ffff:192.0.2.256',
  'localhost',
  '',
]) {
  test(`unmapAddress() leaves any other text as it is: ${JSON.stringify(other)}`, () => {
    assert.equal(unmapAddress(other), other)
  })
}
