// The private extension of the Python library as the codec sees it: TLVs behind a magic number.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { extensionType, parseHeader, readTlvs, tlv, type Tlv } from '../../../src/codec/index.ts'
import { fromHex, toHex, vectorFiles } from '../../support/vectors.ts'

const MAGIC = '881b79c1ce9685b0'

function read(hex: string): readonly Tlv[] | undefined {
  return readTlvs({ tlvs: [{ type: 0x04, value: fromHex(hex) }] }).extension
}

test('a header of the Python library has its four TLVs', () => {
  const { vectors } = vectorFiles.find(({ name }) => name === 'python-library.json') ?? { vectors: [] }
  const { extension = [] } = readTlvs(parseHeader(vectors[0]?.bytes ?? new Uint8Array(0)))
  assert.deepEqual(
    extension.map(({ type }) => type),
    Object.values(extensionType),
  )
})

test('tlv.extension() writes what readTlvs() reads, duplicates and unknown types among it', () => {
  const tlvs = [4, 4, 9].map(type => ({ type, value: Uint8Array.of(type) }))
  const { type, value } = tlv.extension(tlvs)
  assert.equal(type, 0x04)
  assert.equal(toHex(value), `${MAGIC}04000104040001040900010` + '9')
  assert.deepEqual(readTlvs({ tlvs: [{ type, value }] }).extension, tlvs)
})

test('an extension without anything is one', () => {
  assert.equal(toHex(tlv.extension([]).value), MAGIC)
  assert.deepEqual(read(MAGIC), [])
})

test('a NOOP without the magic, or with something behind it that is not a TLV, is padding', () => {
  const odd = [
    '',
    MAGIC.slice(2),
    MAGIC.slice(0, -2),
    '00' + MAGIC,
    MAGIC + '00',
    MAGIC + '0100',
    MAGIC + '010005',
  ]
  for (const hex of odd) assert.equal(read(hex), undefined)
})

test('a NOOP that holds TLVs behind eight other bytes is padding', () => {
  assert.equal(read('ff'.repeat(8) + '010000'), undefined)
})
