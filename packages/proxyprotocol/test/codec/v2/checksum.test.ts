// CRC-32C as such; over whole headers it is in the vectors and properties.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { headerChecksum } from '../../../src/codec/v2/checksum.ts'
import {
  decodeHeader,
  encodeHeader,
  expectedChecksum,
  headerFields,
  tlv,
  type DecodeResult,
  type HeaderInit,
} from '../../../src/codec/index.ts'
import { crc32c } from '../../support/references.ts'

test('the check value: 0xE3069283 for "123456789"', () => {
  const digits = Buffer.from('123456789')
  assert.equal(headerChecksum(digits, digits.length, digits.length), 0xe306_9283)
  assert.equal(crc32c(digits), 0xe306_9283)
})

test('it is what a second implementation finds with zeros in the place of the value, and touches nothing', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 4, maxLength: 80 }), bytes => {
      const at = bytes.length >> 1
      const before = Uint8Array.from(bytes)
      const zeroed = Uint8Array.from(bytes).fill(0, at, at + 4)
      assert.equal(headerChecksum(bytes, bytes.length, at), crc32c(zeroed))
      assert.deepEqual(bytes, before)
    }),
    { numRuns: 2_000 },
  )
})

test('bytes behind the end of the header do not count', () => {
  const bytes = Buffer.from('123456789 and payload')
  assert.equal(headerChecksum(bytes, 9, 9), 0xe306_9283)
})

test('expectedChecksum() says the value with which a refused header is accepted, and nothing of any other', () => {
  const ends = { source: { address: '192.0.2.1', port: 1 }, destination: { address: '192.0.2.2', port: 2 } }
  const headers: HeaderInit[] = [
    { command: 'LOCAL', tlvs: [tlv.alpn('h2')] },
    { ...ends, tlvs: [tlv.noop(9)] },
  ]
  for (const header of headers) {
    const right = encodeHeader(header, { checksum: true })
    const wrong = Buffer.concat([right, Buffer.from('payload')])
    const { offset = 0 } = headerFields(right, parsed(right)).find(({ name }) => name === 'checksum') ?? {}
    wrong.writeUInt32BE(0xdead_beef, offset + 3)
    assert.equal(expectedChecksum(wrong, decodeHeader(wrong)), Buffer.from(right).readUInt32BE(offset + 3))
    assert.equal(expectedChecksum(right, decodeHeader(right)), undefined)
  }
  for (const text of ['PROXY', 'PROXY TCP5', 'GET /']) {
    assert.equal(expectedChecksum(Buffer.from(text), decodeHeader(Buffer.from(text))), undefined)
  }
})

function parsed(bytes: Uint8Array): Extract<DecodeResult, { status: 'header' }> {
  const decoded = decodeHeader(bytes)
  assert.ok(decoded.status === 'header')
  return decoded
}
