// Version 2 in the cases that go by the hundred or by the kilobyte; the single ones are vectors.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { decodeHeader, readTlvs, tlvType } from '../../../src/codec/index.ts'
import { V2_SIGNATURE } from '../../support/arbitraries.ts'

const MAX_V2_BYTES = 65_551
const MAX_LENGTH = 65_535
const INET_BLOCK_BYTES = 12
const LOCAL = 0x20
const PROXY = 0x21
/** Room for every address block, and behind each of them, as behind none, TLVs of type 0 fit exactly. */
const BLOCK_BYTES = 300

function v2(command: number, family: number, block: Uint8Array): Uint8Array {
  return Buffer.concat([V2_SIGNATURE, Uint8Array.of(command, family, block.length >> 8, block.length), block])
}

describe('all 256 values of byte 13 (known bug 22)', () => {
  const block = new Uint8Array(BLOCK_BYTES)
  const families = ['UNSPEC', 'INET', 'INET6', 'UNIX']
  const transports = ['UNSPEC', 'STREAM', 'DGRAM']

  test('PROXY accepts families 0 to 3 with transports 0 to 2, and refuses the others by what is wrong', () => {
    for (let byte = 0; byte < 256; byte++) {
      const result = decodeHeader(v2(PROXY, byte, block))
      const family = families[byte >> 4]
      const transport = transports[byte & 0x0f]
      if (family === undefined || transport === undefined) {
        assert.equal(result.status, 'invalid')
        assert.equal(result.code, family === undefined ? 'v2_family' : 'v2_transport')
        assert.equal(result.offset, 13)
      } else {
        assert.equal(result.status, 'header')
        const isUnspec = family === 'UNSPEC' || transport === 'UNSPEC'
        assert.equal(result.header.family, isUnspec ? 'UNSPEC' : family)
        assert.equal(result.header.transport, isUnspec ? 'UNSPEC' : transport)
        assert.equal('source' in result.header, !isUnspec)
      }
    }
  })

  test('LOCAL accepts them all and knows no ends', () => {
    for (let byte = 0; byte < 256; byte++) {
      const result = decodeHeader(v2(LOCAL, byte, block))
      assert.equal(result.status, 'header')
      assert.equal(result.header.command, 'LOCAL')
      assert.equal(result.header.family, 'UNSPEC')
      assert.ok(!('source' in result.header))
      assert.equal(result.byteLength, 16 + BLOCK_BYTES)
    }
  })

  test('all 256 values of byte 12 but LOCAL and PROXY of version 2 are refused', () => {
    for (let byte = 0; byte < 256; byte++) {
      const result = decodeHeader(v2(byte, 0x11, block))
      const code = result.status === 'invalid' ? result.code : undefined
      const wanted = byte >> 4 === 2 ? 'v2_command' : 'v2_version'
      assert.equal(code, byte === LOCAL || byte === PROXY ? undefined : wanted)
    }
  })
})

describe('LOCAL of every length from 0 to 600 is skipped exactly (known bug 24)', () => {
  const fillings: Readonly<Record<string, (length: number) => Uint8Array>> = {
    zeros: length => new Uint8Array(length),
    'bytes that are no TLVs': length => new Uint8Array(length).fill(0xff),
    'one NOOP': length =>
      Uint8Array.of(4, (length - 3) >> 8, length - 3, ...new Uint8Array(length)).subarray(0, length),
    'NOOPs of zero bytes': length => Uint8Array.from({ length }, (_, i) => (i % 3 === 0 ? 4 : 0)),
  }
  for (const [name, fill] of Object.entries(fillings)) {
    for (const family of [0x00, 0x11, 0x21, 0x31, 0xff]) {
      test(`${name}, byte 13 is 0x${family.toString(16)}`, () => {
        for (let length = 0; length <= 600; length++) {
          const block = fill(length)
          const result = decodeHeader(Buffer.concat([v2(LOCAL, family, block), Buffer.from('payload')]))
          assert.equal(result.status, 'header')
          assert.equal(result.byteLength, 16 + length)
          assert.ok(result.header.family === 'UNSPEC')
          assert.deepEqual(result.header.block, Uint8Array.from(block))
        }
      })
    }
  }
})

describe('blocks that are as large as they can be are walked once, without recursion (known bug 6)', () => {
  const options = { maxHeaderBytes: MAX_V2_BYTES }

  test('64 KiB of SSL TLVs inside of each other', () => {
    const levelBytes = 8 // type, length, client, verify
    const nested = Buffer.alloc(levelBytes * Math.floor((MAX_LENGTH - INET_BLOCK_BYTES) / levelBytes))
    for (let at = 0; at < nested.length; at += levelBytes) {
      nested[at] = tlvType.ssl
      nested.writeUInt16BE(nested.length - at - 3, at + 1)
      nested[at + 3] = 1
    }
    const result = decodeHeader(
      v2(PROXY, 0x11, Buffer.concat([Buffer.alloc(INET_BLOCK_BYTES), nested])),
      options,
    )
    assert.equal(result.status, 'header')
    assert.equal(result.header.tlvs.length, 1)
    // One sub-TLV is seen, and what is in it stays opaque: the depth costs nothing.
    assert.equal(readTlvs(result.header).ssl?.tlvs.length, 1)
  })

  test('as many TLVs as fit', () => {
    const count = Math.floor(MAX_LENGTH / 3)
    const result = decodeHeader(v2(PROXY, 0x00, Buffer.alloc(3 * count, '040000', 'hex')), options)
    assert.equal(result.status, 'header')
    assert.equal(result.header.tlvs.length, count)
  })
})
