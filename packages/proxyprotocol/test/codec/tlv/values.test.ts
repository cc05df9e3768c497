// readTlvs(): the typed view never invents, and the raw list stays as it is.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { encodeHeader, parseHeader, readTlvs, tlv, type Tlv } from '../../../src/codec/index.ts'
import { fromHex } from '../../support/vectors.ts'

const nothing = {
  alpn: undefined,
  authority: undefined,
  checksum: undefined,
  uniqueId: undefined,
  ssl: undefined,
  netns: undefined,
  aws: undefined,
  spiffe: undefined,
  azure: undefined,
  gcp: undefined,
  alibaba: undefined,
  extension: undefined,
}

function raw(type: number, hex: string): Tlv {
  return { type, value: fromHex(hex) }
}

test('a header without TLVs has no values', () => {
  assert.deepEqual(readTlvs({ tlvs: [] }), nothing)
  assert.deepEqual(readTlvs(parseHeader(Buffer.from('PROXY UNKNOWN\r\n'))), nothing)
})

test('unknown types have no values', () => {
  assert.deepEqual(
    readTlvs({ tlvs: [raw(0x00, ''), raw(0x21, '41'), raw(0xe5, '41'), raw(0xff, '41')] }),
    nothing,
  )
})

test('text that is not valid in its encoding is undefined, and its bytes stay (known bug 19)', () => {
  const tlvs = [raw(0x01, 'c328'), raw(0x02, 'ff'), raw(0x30, 'c3a4')]
  const header = parseHeader(encodeHeader({ command: 'LOCAL', tlvs }))
  const { alpn, authority, netns } = readTlvs(header)
  assert.deepEqual([alpn, authority, netns], [undefined, undefined, undefined])
  assert.deepEqual(header.tlvs, tlvs)
})

test('text is not touched: an empty one, a byte order mark and a NUL are what they are', () => {
  assert.equal(readTlvs({ tlvs: [raw(0x02, '')] }).authority, '')
  assert.equal(readTlvs({ tlvs: [raw(0x02, 'efbbbf61')] }).authority, '\ufeffa')
  assert.equal(readTlvs({ tlvs: [raw(0x30, '6100')] }).netns, 'a\0')
})

test('the first of several counts, and all of them stay in order', () => {
  const tlvs = [tlv.authority('first.example'), tlv.alpn('h2'), tlv.authority('second.example')]
  const header = parseHeader(encodeHeader({ command: 'LOCAL', tlvs }))
  assert.equal(readTlvs(header).authority, 'first.example')
  assert.deepEqual(header.tlvs, tlvs)
})

test('a unique id is bytes; one that is longer than 128, which only LOCAL may hold, is none', () => {
  assert.deepEqual(readTlvs({ tlvs: [raw(0x05, '00ff')] }).uniqueId, Uint8Array.of(0, 255))
  assert.equal(readTlvs({ tlvs: [raw(0x05, '00'.repeat(128))] }).uniqueId?.length, 128)
  assert.equal(readTlvs({ tlvs: [raw(0x05, '00'.repeat(129))] }).uniqueId, undefined)
})

test('the checksum is a big-endian number, there only where decoding has verified it', () => {
  assert.equal(readTlvs({ tlvs: [raw(0x03, 'd45a11b9')] }).checksum, 0xd45a_11b9)
  assert.equal(readTlvs({ tlvs: [raw(0x03, '00')] }).checksum, undefined)
  assert.equal(readTlvs({ tlvs: [raw(0x03, '00'), raw(0x03, '00000007')] }).checksum, 7)
  assert.equal(readTlvs({ tlvs: [raw(0x03, '00000007'), raw(0x03, '00000007')] }).checksum, undefined)
})

test('a NOOP is padding unless it is the extension, which padding may precede', () => {
  assert.equal(readTlvs({ tlvs: [tlv.noop(0), tlv.noop(20)] }).extension, undefined)
  const [first, second] = [1, 2].map(byte => [{ type: 4, value: Uint8Array.of(byte) }])
  const tlvs = [tlv.noop(20), tlv.extension(first ?? []), tlv.extension(second ?? [])]
  assert.deepEqual(readTlvs({ tlvs }).extension, first)
})
