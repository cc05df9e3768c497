// Simple Proxy Protocol: every vector, every length, and misuse.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { untyped } from 'test-support/untyped'
import { decodeSpp, encodeSpp, sppFields, type SppResult } from '../../src/codec/index.ts'
import { sppVectors } from '../../src/vectors/index.ts'
import { toHex } from '../support/vectors.ts'

const MAX_DATAGRAM_BYTES = 65_507
const SPP_BYTES = 38
const header = {
  source: { address: '192.0.2.1', port: 5353 },
  destination: { address: '198.51.100.7', port: 53 },
} as const

function outcomeOf(result: SppResult): unknown {
  if (result.status === 'header') {
    return { status: 'header', ...result.header, payload: toHex(result.payload) }
  }
  const { code, offset, error } = result
  assert.deepEqual([error.code, error.offset], [code, offset])
  return { status: 'invalid', code, offset }
}

describe('spp.json', () => {
  for (const { name, bytes, canonical, expected } of sppVectors) {
    test(name, () => {
      const before = toHex(bytes)
      const result = decodeSpp(bytes)
      assert.deepEqual(outcomeOf(result), expected)
      if (canonical && result.status === 'header') {
        assert.equal(toHex(encodeSpp(result.header, result.payload)), before)
      }
      assert.equal(toHex(bytes), before, 'the input is not changed')
    })
  }

  test('names are unique', () => {
    assert.equal(new Set(sppVectors.map(({ name }) => name)).size, sppVectors.length)
  })
})

describe('decodeSpp()', () => {
  test('needs all 38 bytes, at every length', () => {
    const datagram = encodeSpp(header, new Uint8Array(SPP_BYTES))
    for (let length = 0; length < SPP_BYTES; length++) {
      const expected = { status: 'invalid', code: 'header_truncated', offset: length }
      assert.deepEqual(outcomeOf(decodeSpp(datagram.subarray(0, length))), expected)
    }
    for (let length = SPP_BYTES; length <= datagram.length; length++) {
      const result = decodeSpp(datagram.subarray(0, length))
      assert.ok(result.status === 'header' && result.payload.length === length - SPP_BYTES)
    }
  })

  test('gives the payload as a view of the datagram', () => {
    const datagram = encodeSpp(header, Uint8Array.of(1))
    const result = decodeSpp(datagram)
    assert.ok(result.status === 'header' && result.payload.buffer === datagram.buffer)
  })

  test('refuses anything but bytes', () => {
    const message = 'datagram must be a Uint8Array, got "text"'
    assert.throws(() => decodeSpp(untyped('text')), { name: 'TypeError', message })
  })
})

describe('encodeSpp()', () => {
  test('takes an IPv4-mapped address for the same as IPv4', () => {
    const mapped = { ...header, source: { address: '::ffff:192.0.2.1', port: 5353 } }
    assert.deepEqual(encodeSpp(mapped, new Uint8Array()), encodeSpp(header, new Uint8Array()))
  })

  test('goes up to the most that UDP carries, and not beyond', () => {
    const most = new Uint8Array(MAX_DATAGRAM_BYTES - SPP_BYTES)
    assert.equal(encodeSpp(header, most).length, MAX_DATAGRAM_BYTES)
    const message = 'header and payload must fit 65507 bytes, got 65508'
    assert.throws(() => encodeSpp(header, new Uint8Array(most.length + 1)), { name: 'RangeError', message })
  })

  for (const [wrong, message] of [
    [{ ...header, source: undefined }, 'source must be { address, port }, got undefined'],
    [
      { ...header, source: { address: 'localhost', port: 1 } },
      'source.address must be an IPv4 or IPv6 address without zone, got "localhost"',
    ],
    [
      { ...header, destination: { address: '::1', port: 70_000 } },
      'destination.port must be an integer from 0 to 65535, got 70000',
    ],
  ] as const) {
    test(`refuses a header in which ${message}`, () => {
      assert.throws(() => encodeSpp(untyped(wrong), new Uint8Array()), { message })
    })
  }

  test('refuses a payload that is not bytes', () => {
    const message = 'payload must be a Uint8Array, got undefined'
    assert.throws(() => encodeSpp(header, untyped(undefined)), { name: 'TypeError', message })
  })
})

test('sppFields() gives each field of the 38 bytes', () => {
  const fields = sppFields(header)
  assert.deepEqual(
    fields.map(({ name, offset, byteLength, value }) => [name, offset, byteLength, value]),
    [
      ['signature', 0, 2, 'Simple Proxy Protocol'],
      ['source address', 2, 16, '192.0.2.1'],
      ['destination address', 18, 16, '198.51.100.7'],
      ['source port', 34, 2, '5353'],
      ['destination port', 36, 2, '53'],
    ],
  )
})
