// Outcomes as values: refusing makes nothing new, and what is shared cannot be changed.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decodeHeader, parseHeader, ProxyProtocolError } from '../../src/codec/index.ts'
import { fromHex } from '../support/vectors.ts'

const refused: readonly Uint8Array[] = [
  Buffer.from('GET / HTTP/1.1\r\n'),
  Buffer.from('PRO\0'),
  Buffer.from('PROXY TCP5'),
  Buffer.from('PROXY TCP4 256.'),
  Buffer.alloc(200, 'PROXY UNKNOWN'),
  fromHex('0d0a0d0a000d0a515549540a31'),
  fromHex('0d0a0d0a000d0a515549540a2144'),
  fromHex('0d0a0d0a000d0a515549540a211100130102030401020304000100020400ff00000000'),
]

for (const bytes of refused) {
  test(`refusing gives the same frozen object each time: ${JSON.stringify(Buffer.from(bytes).toString('latin1'))}`, () => {
    const result = decodeHeader(bytes)
    assert.ok(result.status === 'absent' || result.status === 'invalid')
    assert.equal(decodeHeader(bytes), result)
    assert.ok(Object.isFrozen(result))
  })
}

test('the error of an outcome is made anew each time it is asked for, so that its stack is the caller’s', () => {
  const result = decodeHeader(Buffer.from('PROXY TCP5'))
  assert.ok(result.status === 'invalid')
  const { error } = result
  assert.ok(error instanceof ProxyProtocolError)
  assert.notEqual(result.error, error)
  assert.equal(error.code, result.code)
  assert.equal(error.offset, result.offset)
})

test('what headers share cannot be changed', () => {
  const { tlvs } = parseHeader(Buffer.from('PROXY TCP4 192.0.2.1 198.51.100.7 1 2\r\n'))
  assert.ok(Object.isFrozen(tlvs))
  const unknown = parseHeader(Buffer.from('PROXY UNKNOWN\r\n'))
  assert.ok(Object.isFrozen(unknown) && Object.isFrozen(unknown.tlvs))
  assert.ok(Object.isFrozen(parseHeader(fromHex('0d0a0d0a000d0a515549540a20000000')).tlvs))
})

test('parseHeader() refuses what follows a header', () => {
  const message = /^nothing must follow the header; .* \(at byte 15\)$/
  const wanted = { name: 'ProxyProtocolError', code: 'trailing_bytes', offset: 15, message }
  assert.throws(() => parseHeader(Buffer.from('PROXY UNKNOWN\r\nx')), wanted)
})

test('parseHeader() refuses a header that is cut short', () => {
  const wanted = {
    code: 'header_truncated',
    offset: 5,
    message: 'the header must be complete, but the input ends inside it (at byte 5)',
  }
  assert.throws(() => parseHeader(Buffer.from('PROXY')), wanted)
})
