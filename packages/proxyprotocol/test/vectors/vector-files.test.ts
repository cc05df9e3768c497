// What the published files promise of themselves.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decodeHeader, encodeHeader, parseHeader } from '../../src/codec/index.ts'
import { vectorFiles } from '../../src/vectors/index.ts'
import { outcomeOf } from '../support/outcome.ts'
import { toHex } from '../support/vectors.ts'

test('a vector decodes to what it expects', () => {
  for (const { name, bytes, options, expected } of vectorFiles.flatMap(({ vectors }) => vectors))
    assert.deepEqual(outcomeOf(decodeHeader(bytes, options)), expected, name)
})

test('encoding what a canonical vector says gives its bytes again', () => {
  const canonical = vectorFiles.flatMap(({ vectors }) => vectors).filter(vector => vector.canonical)
  for (const { name, bytes, options, expected } of canonical) {
    assert.ok(expected.status === 'header', name)
    const header = bytes.subarray(0, expected.byteLength)
    assert.equal(toHex(encodeHeader(parseHeader(header, options))), toHex(header), name)
  }
})

test('bytes and hexadecimal of a vector are the same', () => {
  for (const { name, hex, bytes } of vectorFiles.flatMap(({ vectors }) => vectors))
    assert.equal(toHex(bytes), hex, name)
})
