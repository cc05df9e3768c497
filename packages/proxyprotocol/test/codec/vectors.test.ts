// Every vector whole, in every split, with payload behind it, and back into bytes.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  decodeHeader,
  encodeHeader,
  HeaderDecoder,
  parseHeader,
  ProxyProtocolError,
} from '../../src/codec/index.ts'
import { byteArraysOf, outcomeOf, verdictAt } from '../support/outcome.ts'
import { fromHex, toHex, vectorFiles, type Vector } from '../support/vectors.ts'

/** What may follow a header: text, another header of either version, TLVs, line ends, zeros. */
const PAYLOADS = [
  Buffer.from('GET / HTTP/1.1\r\n\r\n'),
  Buffer.from('PROXY TCP4 203.0.113.9 203.0.113.10 1 2\r\n'),
  fromHex('0d0a0d0a000d0a515549540a2111000ccb007109cb00710a00010002'),
  fromHex('0400010002000161'),
  Buffer.from('\r\n'),
  new Uint8Array(3),
]
const POOL_BYTES = 65_536
const POOL_AT = 4_242
/** Three-way cuts grow with the square of the length, byte by byte already covers the rest. */
const MAX_THREE_WAY_BYTES = 64

for (const { name: file, vectors } of vectorFiles) {
  describe(file, () => {
    for (const vector of vectors) {
      test(`${vector.name} [${vector.section}]`, () => {
        assertWhole(vector)
        assertEveryPrefix(vector)
        assertByteByByte(vector)
        assertTwoWayCuts(vector)
        if (vector.bytes.length <= MAX_THREE_WAY_BYTES) assertThreeWayCuts(vector)
        assertPayload(vector)
        assertOwnMemory(vector)
        if (vector.canonical) assertEncodesBack(vector)
      })
    }
  })
}

test('the vectors of a file have names of their own', () => {
  for (const { vectors } of vectorFiles)
    assert.equal(new Set(vectors.map(({ name }) => name)).size, vectors.length)
})

test('every section of the specification, every kind of rule and every known bug of decoding has a vector', () => {
  const sections = new Set(vectorFiles.flatMap(({ vectors }) => vectors.map(({ section }) => section)))
  const knownBugs = [
    1, 4, 5, 6, 7, 8, 10, 12, 13, 14, 17, 18, 19, 20, 22, 23, 24, 25, 26, 27, 28, 29, 31, 33, 35,
  ]
  const subsections = [1, 2, 3, 4, 5, 6, 7, 8].map(number => `2.2.${String(number)}`)
  const wanted = ['2', '2.1', '2.2', ...subsections, 'strictness', 'golden', 'extension']
  assert.deepEqual(
    [...sections].sort(),
    [...wanted, ...knownBugs.map(bug => `known bug ${String(bug)}`)].sort(),
  )
})

test('every fault that a header can have has a vector', () => {
  const all = vectorFiles.flatMap(({ vectors }) => vectors)
  const codes = new Set(
    all.map(({ expected }) => (expected.status === 'invalid' ? expected.code : expected.status)),
  )
  assert.deepEqual([...codes].sort(), [
    'absent',
    'checksum_duplicate',
    'checksum_length',
    'checksum_mismatch',
    'header',
    'header_too_long',
    'partial',
    'ssl_length',
    'ssl_overrun',
    'tlv_overrun',
    'tlv_stray',
    'unique_id_length',
    'v1_address',
    'v1_family_mismatch',
    'v1_line_end',
    'v1_port',
    'v1_protocol',
    'v1_separator',
    'v1_too_long',
    'v2_command',
    'v2_family',
    'v2_length',
    'v2_transport',
    'v2_version',
  ])
})

test('the capture of real senders is complete: 102 headers', () => {
  const captured = vectorFiles.find(({ name }) => name === 'captured.json')?.vectors ?? []
  assert.equal(captured.filter(({ options }) => options === undefined).length, 102)
})

function assertWhole({ bytes, options, expected }: Vector): void {
  assert.deepEqual(outcomeOf(decodeHeader(bytes, options)), expected)
  if (expected.status === 'header') {
    parseHeader(bytes.subarray(0, expected.byteLength), options)
    return
  }
  const codes = { partial: 'header_truncated', absent: 'header_missing' } as const
  const code = expected.status === 'invalid' ? expected.code : codes[expected.status]
  const offset = expected.status === 'partial' ? bytes.length : expected.offset
  assert.throws(
    () => parseHeader(bytes, options),
    error => error instanceof ProxyProtocolError && error.code === code && error.offset === offset,
  )
}

/** Until the verdict every prefix is partial, and truthful about what is missing; from then on nothing changes it. */
function assertEveryPrefix(vector: Vector): void {
  const { bytes, options, expected } = vector
  const verdict = verdictAt(vector)
  for (let length = 0; length <= bytes.length; length++) {
    const result = decodeHeader(bytes.subarray(0, length), options)
    const where = `a prefix of ${String(length)} bytes`
    if (length < verdict) {
      assert.equal(result.status, 'partial', where)
      assert.ok(result.missing >= 1, where)
      if (expected.status === 'header') assert.ok(length + result.missing <= expected.byteLength, where)
    } else {
      assert.deepEqual(outcomeOf(result), expected, where)
    }
  }
}

function assertByteByByte(vector: Vector): void {
  assertChunks(
    vector,
    Array.from(vector.bytes, (_, index) => index),
  )
}

function assertTwoWayCuts(vector: Vector): void {
  for (let cut = 0; cut <= vector.bytes.length; cut++) assertChunks(vector, [0, cut])
}

function assertThreeWayCuts(vector: Vector): void {
  const { length } = vector.bytes
  for (let first = 1; first < length; first++) {
    for (let second = first + 1; second < length; second++) assertChunks(vector, [0, first, second])
  }
}

/** Feeds a decoder the pieces that start at `starts` until it has a verdict. */
function assertChunks({ bytes, options, expected }: Vector, starts: readonly number[]): void {
  const decoder = new HeaderDecoder(options)
  let fed = 0
  for (let i = 0; i < starts.length && decoder.result.status === 'partial'; i++) {
    fed = starts[i + 1] ?? bytes.length
    decoder.push(bytes.subarray(starts[i], fed))
  }
  assert.deepEqual(outcomeOf(decoder.result), expected, `pieces that start at ${starts.join()}`)
  if (expected.status === 'header')
    assert.equal(toHex(decoder.rest), toHex(bytes.subarray(expected.byteLength, fed)))
  else assert.equal(decoder.rest.length, 0)
}

function assertPayload({ bytes, options, expected }: Vector): void {
  if (expected.status === 'partial') return
  for (const payload of PAYLOADS) {
    const more = Buffer.concat([bytes, payload])
    assert.deepEqual(outcomeOf(decodeHeader(more, options)), expected)
    if (expected.status !== 'header') continue
    const decoder = new HeaderDecoder(options)
    decoder.push(more)
    assert.equal(toHex(decoder.rest), toHex(more.subarray(expected.byteLength)))
  }
}

/** Neither changes the input nor keeps a view of it: one small value would pin a pool of 64 KiB (known bug 34). */
function assertOwnMemory({ bytes, options, expected }: Vector): void {
  const pool = new Uint8Array(POOL_BYTES)
  const slice = Buffer.from(pool.buffer, POOL_AT, bytes.length)
  slice.set(bytes)
  const before = Uint8Array.from(pool)
  const result = decodeHeader(slice, options)
  assert.deepEqual(outcomeOf(result), expected)
  assert.deepEqual(pool, before)
  pool.fill(0xff)
  assert.deepEqual(outcomeOf(result), expected)
  if (result.status !== 'header') return
  for (const array of byteArraysOf(result.header)) {
    assert.notEqual(array.buffer, pool.buffer)
    assert.ok(array.buffer.byteLength <= result.byteLength)
  }
}

function assertEncodesBack({ bytes, options, expected }: Vector): void {
  assert.equal(expected.status, 'header')
  const header = bytes.subarray(0, expected.byteLength)
  assert.equal(toHex(encodeHeader(parseHeader(header, options))), toHex(header))
}
