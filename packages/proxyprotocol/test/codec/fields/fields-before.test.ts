// The fields that were complete before a header turned out to be malformed, or before it ended.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  decodeHeader,
  encodeHeader,
  fieldsBefore,
  headerFields,
  tlv,
  type HeaderField,
} from '../../../src/codec/index.ts'
import { vectorFiles } from '../../support/vectors.ts'

const fixed = [13, 10, 13, 10, 0, 13, 10, 81, 85, 73, 84, 10]

function fieldsOf(bytes: Uint8Array): readonly HeaderField[] {
  const result = decodeHeader(bytes)
  assert.ok(result.status !== 'header')
  return fieldsBefore(bytes, result)
}

/** Name and value of each field. */
function shown(bytes: Uint8Array | string): readonly string[] {
  const fields = fieldsOf(typeof bytes === 'string' ? new TextEncoder().encode(bytes) : bytes)
  return fields.filter(({ name }) => name !== 'separator').map(({ name, value }) => `${name}: ${value}`)
}

test('the fields before every fault among the vectors follow each other and end before it', () => {
  let count = 0
  for (const { bytes, options, name } of vectorFiles.flatMap(({ vectors }) => vectors)) {
    const result = decodeHeader(bytes, options)
    if (result.status === 'header') continue
    const end = result.status === 'invalid' ? result.offset : bytes.length
    let at = 0
    for (const { offset, byteLength } of fieldsBefore(bytes, result)) {
      assert.equal(offset, at, name)
      at += byteLength
    }
    const isWhole = result.status === 'invalid' && result.code === 'checksum_mismatch'
    assert.ok(at <= (isWhole ? bytes.length : end), name)
    if (result.status === 'absent') assert.equal(at, 0, name)
    count++
  }
  assert.ok(count > 100, `only ${count}`)
})

test('half of any header among the vectors has the fields of the whole that are complete', () => {
  for (const { bytes, options, name } of vectorFiles.flatMap(({ vectors }) => vectors)) {
    const whole = decodeHeader(bytes, options)
    if (whole.status !== 'header' || whole.header.family === 'UNSPEC') continue
    const fields = headerFields(bytes, whole).map(withoutVerdict)
    for (let length = 1; length < Math.min(whole.byteLength, 400); length++) {
      const half = bytes.subarray(0, length)
      const result = decodeHeader(half, options)
      assert.ok(result.status !== 'header')
      const before = fieldsBefore(half, result)
      assert.deepEqual(before.map(withoutVerdict), fields.slice(0, before.length), name)
      if (whole.header.version === 1) continue
      const bounds: readonly number[] = headerFields(bytes, whole).map(
        ({ offset, byteLength }) => offset + byteLength,
      )
      assert.equal(before.length, bounds.filter(at => at <= length).length, name)
    }
  }
})

/** Only a whole header has a checksum that is right. */
function withoutVerdict({ name, value, ...rest }: HeaderField): object {
  const plain = name === 'checksum' ? value.replace(/correct|not checked/, '') : value
  return { ...rest, name, value: plain, ...(name === 'checksum' && { fields: [] }) }
}

test('a version 1 line keeps the words before the fault', () => {
  assert.deepEqual(shown('PROXY TCP4 192.0.2.1 198.51.100.256 '), [
    'signature: PROXY',
    'protocol: TCP4',
    'source address: 192.0.2.1',
  ])
  assert.deepEqual(shown('PROXY TCP5'), ['signature: PROXY'])
  assert.deepEqual(shown('PROXY TCP4\t'), ['signature: PROXY', 'protocol: TCP4'])
  assert.deepEqual(shown('PROXY TCP4 192.0.2.1 198.51.100.7 1 2\n').slice(-2), [
    'source port: 1',
    'destination port: 2',
  ])
  assert.deepEqual(shown('PROXY TCP4 192.0.2.1 198.5'), [
    'signature: PROXY',
    'protocol: TCP4',
    'source address: 192.0.2.1',
  ])
  assert.deepEqual(shown(`PROXY UNKNOWN${' '.repeat(100)}`), ['signature: PROXY', 'protocol: UNKNOWN'])
})

test('a version 2 header keeps its fixed part, its ends and the TLVs before the fault', () => {
  const ends = { source: { address: '192.0.2.1', port: 1 }, destination: { address: '192.0.2.2', port: 2 } }
  const bytes = encodeHeader({ ...ends, tlvs: [tlv.alpn('h2'), tlv.authority('a.example')] })
  bytes[34] = 1 // in the length of authority: it overruns the header
  assert.deepEqual(shown(bytes), [
    'signature: version 2',
    'version, command: 2, PROXY',
    'family, transport: INET, STREAM',
    'length: 29 bytes follow',
    'source address: 192.0.2.1',
    'destination address: 192.0.2.2',
    'source port: 1',
    'destination port: 2',
    'alpn: h2',
  ])
  bytes[13] = 0x71
  assert.deepEqual(shown(bytes), ['signature: version 2', 'version, command: 2, PROXY'])
  bytes[12] = 0x22
  assert.deepEqual(shown(bytes), ['signature: version 2'])
})

test('an announced length that is wrong is not among the fields, and half a signature is none', () => {
  assert.deepEqual(shown(Uint8Array.of(...fixed, 0x21, 0x11, 0, 4)).at(-1), 'family, transport: INET, STREAM')
  assert.deepEqual(shown(Uint8Array.of(...fixed.slice(0, 11))), [])
})

test('a checksum before the fault was not verified, and is not called correct', () => {
  const bytes = encodeHeader({ command: 'LOCAL', tlvs: [tlv.alpn('h2')] }, { checksum: true })
  const half = shown(bytes.subarray(0, -1))
  assert.match(half.at(-1) ?? '', /^length/)
  const ends = { source: { path: '/a' }, destination: { path: '/b' } }
  const whole = encodeHeader({ ...ends, tlvs: [tlv.alpn('h2')] }, { checksum: true })
  assert.match(shown(whole.subarray(0, -1)).at(-1) ?? '', /^checksum: 0x[0-9a-f]{8}, not checked$/)
})

test('a header whose checksum is wrong has all of its fields, LOCAL only where TLVs fill its block', () => {
  const ends = { source: { path: '/a' }, destination: { path: '/b' } }
  const wrong = encodeHeader({ ...ends, tlvs: [tlv.alpn('h2')] }, { checksum: true })
  wrong.fill(0, 235, 239)
  assert.deepEqual(shown(wrong).slice(-2), ['checksum: 0x00000000, wrong', 'alpn: h2'])
  const block = [1, 0, 2, 0x68, 0x32, 3, 0, 4, 0, 0, 0, 0]
  const tlvs = Uint8Array.of(...fixed, 0x20, 0, 0, block.length, ...block)
  assert.deepEqual(shown(tlvs).slice(-2), ['alpn: h2', 'checksum: 0x00000000, wrong'])
  const behindAddresses = [9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, ...block.slice(5)]
  const local = Uint8Array.of(...fixed, 0x20, 0x11, 0, behindAddresses.length, ...behindAddresses)
  assert.equal(shown(local).at(-1), 'length: 19 bytes follow')
})
