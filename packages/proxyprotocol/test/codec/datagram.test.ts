// Headers in front of UDP payloads: each datagram stands alone.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { untyped } from 'test-support/untyped'
import {
  decodeDatagram,
  encodeDatagram,
  encodeHeader,
  tlv,
  type DecodeOptions,
} from '../../src/codec/index.ts'
import { toHex } from '../support/vectors.ts'

const MAX_DATAGRAM_BYTES = 65_507
const HEADER_BYTES = 28
const header = {
  source: { address: '192.0.2.1', port: 5353 },
  destination: { address: '198.51.100.7', port: 53 },
} as const
const payload = Uint8Array.of(1, 2, 3)
const LINE = Buffer.from('PROXY TCP4 192.0.2.1 198.51.100.7 5353 53\r\npayload')

function codeOf(datagram: Uint8Array, options?: DecodeOptions): string {
  const result = decodeDatagram(datagram, options)
  return result.status === 'invalid' ? result.error.code : result.status
}

describe('decodeDatagram()', () => {
  test('gives the header and the payload behind it', () => {
    const result = decodeDatagram(encodeDatagram(header, payload))
    assert.equal(result.status, 'header')
    assert.deepEqual(result.header, {
      version: 2,
      command: 'PROXY',
      family: 'INET',
      transport: 'DGRAM',
      ...header,
      tlvs: [],
    })
    assert.deepEqual(result.payload, payload)
  })

  test('gives the payload as a view of the datagram', () => {
    const datagram = encodeDatagram(header, payload)
    const result = decodeDatagram(datagram)
    assert.ok(result.status === 'header')
    assert.equal(result.payload.buffer, datagram.buffer)
  })

  test('accepts an empty payload', () => {
    const result = decodeDatagram(encodeHeader({ command: 'LOCAL' }))
    assert.ok(result.status === 'header' && result.payload.length === 0)
  })

  test('refuses version 1, which cannot express UDP, unless it is asked to accept it', () => {
    assert.equal(codeOf(LINE), 'header_missing')
    assert.equal(codeOf(LINE, { versions: undefined, maxHeaderBytes: 100 }), 'header_missing')
    const result = decodeDatagram(LINE, { versions: [1, 2] })
    assert.ok(result.status === 'header')
    assert.equal(Buffer.from(result.payload).toString(), 'payload')
  })

  test('refuses a header that is split over datagrams, at every cut', () => {
    const datagram = encodeDatagram(header, payload)
    for (let length = 0; length < HEADER_BYTES; length++) {
      assert.equal(codeOf(datagram.subarray(0, length)), 'header_truncated')
    }
    assert.equal(codeOf(datagram.subarray(HEADER_BYTES)), 'header_missing')
  })

  test('says what is wrong with a header, and obeys the limit', () => {
    const datagram = encodeDatagram({ ...header, tlvs: [tlv.noop(100)] }, payload)
    assert.equal(codeOf(datagram, { maxHeaderBytes: 100 }), 'header_too_long')
    datagram[13] = 0x13
    assert.equal(codeOf(datagram), 'v2_transport')
  })

  test('names the sibling protocol where it comes instead', () => {
    const result = decodeDatagram(Uint8Array.of(0x56, 0xec, ...new Uint8Array(36)))
    assert.ok(result.status === 'invalid')
    assert.match(result.error.message, /Simple Proxy Protocol/)
  })
})

describe('encodeDatagram()', () => {
  test('writes the header with transport DGRAM, then the payload', () => {
    const datagram = encodeDatagram(header, payload)
    assert.equal(toHex(datagram), '0d0a0d0a000d0a515549540a2112000cc0000201c633640714e90035010203')
    assert.deepEqual(encodeDatagram({ ...header, transport: undefined }, payload), datagram)
  })

  test('keeps a transport that the header names, and knows LOCAL', () => {
    assert.equal(encodeDatagram({ ...header, transport: 'STREAM' }, payload)[13], 0x11)
    assert.equal(
      toHex(encodeDatagram({ command: 'LOCAL' }, payload)),
      '0d0a0d0a000d0a515549540a20000000010203',
    )
  })

  test('takes the options of encodeHeader()', () => {
    const datagram = encodeDatagram(header, payload, { checksum: true, padTo: 64 })
    assert.equal(datagram.length, 64 + payload.length)
    assert.equal(codeOf(datagram), 'header')
  })

  test('goes up to the most that UDP carries, and not beyond', () => {
    const most = new Uint8Array(MAX_DATAGRAM_BYTES - HEADER_BYTES)
    assert.equal(encodeDatagram(header, most).length, MAX_DATAGRAM_BYTES)
    const message = 'header and payload must fit 65507 bytes, got 65508'
    assert.throws(() => encodeDatagram(header, new Uint8Array(most.length + 1)), {
      name: 'RangeError',
      message,
    })
  })

  test('refuses version 1', () => {
    const message = 'version 1 cannot express UDP: leave version out'
    assert.throws(() => encodeDatagram({ ...header, version: 1 }, payload), { name: 'TypeError', message })
  })

  for (const [wrong, got] of [
    ['text', '"text"'],
    [undefined, 'undefined'],
    [[1, 2], '[1, 2]'],
  ] as const) {
    test(`refuses a payload that is not bytes: ${got}`, () => {
      const message = `payload must be a Uint8Array, got ${got}`
      assert.throws(() => encodeDatagram(header, untyped(wrong)), { name: 'TypeError', message })
    })
  }
})
