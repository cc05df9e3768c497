// What holds for every header and every input, tried with generated ones.

import assert from 'node:assert/strict'
import { isIPv4, isIPv6 } from 'node:net'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  decodeDatagram,
  decodeHeader,
  encodeHeader,
  formatAddress,
  HeaderDecoder,
  parseAddress,
  parseHeader,
  ProxyProtocolError,
  readTlvs,
  whatArrived,
  type DecodeOptions,
  type Tlv,
} from '../../src/codec/index.ts'
import {
  ipv4Bytes,
  ipv6Bytes,
  mutatedVector,
  v1Header,
  v1Junk,
  v2Bytes,
  v2Header,
  v2Junk,
} from '../support/arbitraries.ts'
import { outcomeOf } from '../support/outcome.ts'
import { crc32c, lengthOfV1, rfc5952 } from '../support/references.ts'
import { toHex } from '../support/vectors.ts'

const ROUND_TRIPS = 3_000
/** Four generators with so many runs each: over 100,000 inputs that must not make anything throw. */
const JUNK_RUNS = 26_000
const CHUNKED_RUNS = 4_000
const ADDRESS_RUNS = 20_000
const LENGTH_AT = 14
const FIXED_BYTES = 16

const junk = fc.oneof(
  v1Junk.map(text => Buffer.from(text, 'latin1')),
  v2Junk,
  mutatedVector,
)
const options: readonly (DecodeOptions | undefined)[] = [
  undefined,
  { mixedFamilies: 'promote' },
  { versions: [1] },
  { versions: [2], maxHeaderBytes: 65_551 },
  { maxHeaderBytes: 16 },
]

function check<T>(arbitrary: fc.Arbitrary<T>, numRuns: number, predicate: (value: T) => void): void {
  fc.assert(fc.property(arbitrary, predicate), { numRuns })
}

test('decoding an encoded header of version 2 gives it back', () => {
  check(v2Header, ROUND_TRIPS, header => {
    const bytes = encodeHeader(header)
    assert.deepEqual(parseHeader(bytes, { maxHeaderBytes: 65_551 }), header)
  })
})

test('decoding an encoded header of version 1 gives it back, and no line is longer than 107 bytes', () => {
  check(v1Header, ROUND_TRIPS, header => {
    const bytes = encodeHeader(header)
    assert.ok(bytes.length <= 107)
    assert.deepEqual(parseHeader(bytes), header)
  })
})

test('a checksum takes the place that the header gives it, and is that of the whole header with zeros for it', () => {
  check(fc.tuple(v2Header, fc.nat(5)), ROUND_TRIPS, ([header, at]) => {
    const tlvs: Tlv[] = [...header.tlvs]
    tlvs.splice(at, 0, { type: 3, value: Uint8Array.of(1, 2, 3, 4) })
    const bytes = encodeHeader({ ...header, tlvs })
    const decoded = parseHeader(bytes)
    assert.deepEqual(
      decoded.tlvs.filter(({ type }) => type !== 3),
      header.tlvs,
    )
    assert.equal(
      decoded.tlvs.findIndex(({ type }) => type === 3),
      Math.min(at, header.tlvs.length),
    )
    const sum = readTlvs(decoded).checksum ?? 0
    const hex = sum.toString(16).padStart(8, '0')
    const zeroed = toHex(bytes).replace(`030004${hex}`, '03000400000000')
    assert.equal(sum, crc32c(Buffer.from(zeroed, 'hex')))
    assert.deepEqual(parseHeader(encodeHeader(header, { checksum: true })).tlvs.slice(1), header.tlvs)
    assert.deepEqual(encodeHeader({ ...header, tlvs }, { checksum: false }), encodeHeader(header))
  })
})

test('padTo gives exactly so many bytes by a NOOP at the end, and nothing else changes', () => {
  check(fc.tuple(v2Header, fc.integer({ min: 3, max: 600 })), ROUND_TRIPS, ([header, more]) => {
    const padTo = encodeHeader(header).length + more
    const bytes = encodeHeader(header, { padTo })
    assert.equal(bytes.length, padTo)
    const noop = { type: 4, value: new Uint8Array(more - 3) }
    assert.deepEqual(parseHeader(bytes, { maxHeaderBytes: 65_551 }).tlvs, [...header.tlvs, noop])
  })
})

test('encoding a decoded header gives the same bytes, whatever the addresses and paths are', () => {
  check(v2Bytes, ROUND_TRIPS, bytes => {
    assert.equal(toHex(encodeHeader(parseHeader(bytes))), toHex(bytes))
  })
})

test('the length field is the number of bytes written behind the fixed part (known bugs 11 and 30)', () => {
  const sizes = fc.tuple(v2Header, fc.array(fc.nat(24_000), { maxLength: 4 }), fc.boolean())
  check(sizes, 500, ([header, lengths, checksum]) => {
    const tlvs = [...header.tlvs, ...lengths.map(length => ({ type: 4, value: new Uint8Array(length) }))]
    let bytes
    try {
      bytes = encodeHeader({ ...header, tlvs }, { checksum })
    } catch (error) {
      assert.ok(error instanceof RangeError)
      assert.match(error.message, /^a header has at most 65551 bytes, this one would take \d{5}$/)
      return
    }
    assert.equal(Buffer.from(bytes).readUInt16BE(LENGTH_AT), bytes.length - FIXED_BYTES)
  })
})

/** All that may be done with any bytes; none of it throws, and the outcome is consistent in itself. */
function assertSound(bytes: Uint8Array, option: DecodeOptions | undefined): void {
  const result = decodeHeader(bytes, option)
  whatArrived(bytes)
  decodeDatagram(bytes)
  switch (result.status) {
    case 'header':
      assert.ok(result.byteLength >= 15 && result.byteLength <= bytes.length)
      readTlvs(result.header)
      return
    case 'partial':
      assert.ok(result.missing >= 1)
      return
    case 'absent':
      assert.ok(result.offset < Math.min(bytes.length, 12))
      return
    case 'invalid':
      assert.ok(result.offset >= 6 && result.offset <= bytes.length)
      assert.ok(result.error instanceof ProxyProtocolError)
      assert.equal(result.error.code, result.code)
      return
    default:
      result satisfies never
  }
}

const anyOption = fc.constantFrom(...options)
const junkKinds: Readonly<Record<string, fc.Arbitrary<Uint8Array>>> = {
  'random bytes': fc.uint8Array({ maxLength: 40 }),
  'mutated vectors': mutatedVector,
  'text shaped like version 1': v1Junk.map(text => Buffer.from(text, 'latin1')),
  'bytes shaped like version 2': v2Junk,
}

for (const [kind, arbitrary] of Object.entries(junkKinds)) {
  test(`nothing throws, and no more is consumed than was given (known bugs 5, 16 and 17): ${kind}`, () => {
    check(fc.tuple(arbitrary, anyOption), JUNK_RUNS, ([bytes, option]) => {
      assertSound(bytes, option)
    })
  })
}

test('chunks never matter: any pieces of any input come to the same outcome and the same rest', () => {
  const cuts = fc.array(fc.nat(300), { maxLength: 5 })
  check(fc.tuple(junk, cuts, anyOption), CHUNKED_RUNS, ([bytes, positions, option]) => {
    const whole = decodeHeader(bytes, option)
    const decoder = new HeaderDecoder(option)
    const ends = [
      ...positions.filter(position => position < bytes.length).sort((a, b) => a - b),
      bytes.length,
    ]
    let fed = 0
    for (const end of ends) {
      if (decoder.result.status !== 'partial') break
      decoder.push(bytes.subarray(fed, end))
      fed = end
    }
    assert.deepEqual(outcomeOf(decoder.result), outcomeOf(whole))
    if (whole.status === 'header')
      assert.equal(toHex(decoder.rest), toHex(bytes.subarray(whole.byteLength, fed)))
  })
})

test('a verdict stays the same whatever follows', () => {
  check(fc.tuple(junk, fc.uint8Array({ maxLength: 8 }), anyOption), CHUNKED_RUNS, ([bytes, more, option]) => {
    const result = decodeHeader(bytes, option)
    if (result.status === 'partial') return
    assert.deepEqual(outcomeOf(decodeHeader(Buffer.concat([bytes, more]), option)), outcomeOf(result))
  })
})

test('version 1 is accepted exactly where a pattern and node:net accept it', () => {
  check(v1Junk, JUNK_RUNS, text => {
    const result = decodeHeader(Buffer.from(text, 'latin1'))
    assert.equal(result.status === 'header' ? result.byteLength : 0, lengthOfV1(text), JSON.stringify(text))
  })
})

test('addresses are written as RFC 5952 wants them and read back', () => {
  check(ipv6Bytes, ADDRESS_RUNS, bytes => {
    const text = formatAddress(bytes)
    assert.equal(text, rfc5952(bytes))
    assert.deepEqual(parseAddress(text), bytes)
  })
  check(ipv4Bytes, 1_000, bytes => {
    const text = formatAddress(bytes)
    assert.equal(text, bytes.join('.'))
    assert.deepEqual(parseAddress(text), bytes)
  })
})

test('parseAddress() takes what node:net takes, less zones', () => {
  const groups = fc.constantFrom(
    '0',
    '1',
    'ab',
    'FFFF',
    '0db8',
    '12345',
    '',
    'g',
    '192.0.2.1',
    '1.2.3',
    '256.0.0.1',
    '01.2.3.4',
  )
  const text = fc
    .tuple(fc.array(groups, { minLength: 1, maxLength: 9 }), fc.constantFrom('', '', '::', ':', ' ', '/8'))
    .map(([list, end]) => list.join(':') + end)
  const letters = fc.string({ unit: fc.constantFrom(...'0123456789abcdefABCDEF::::....'), maxLength: 48 })
  check(fc.oneof(text, letters), ADDRESS_RUNS, address => {
    const wanted = isIPv4(address) ? 4 : isIPv6(address) ? 16 : undefined
    assert.equal(parseAddress(address)?.length, wanted, JSON.stringify(address))
  })
})
