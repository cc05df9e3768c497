// HeaderDecoder beyond the splits of vectors.test.ts: its memory, what it lets go of, and its misuse.

import assert from 'node:assert/strict'
import { setImmediate } from 'node:timers/promises'
import { describe, test } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { decodeHeader, encodeHeader, HeaderDecoder, tlv, type DecodeResult } from '../../src/codec/index.ts'
import { fromHex, toHex } from '../support/vectors.ts'

const KIB = 1024
const MIB = KIB * KIB
const LINE = Buffer.from('PROXY TCP4 192.0.2.1 198.51.100.7 56324 443\r\n')
const OTHER_LINE = Buffer.from('PROXY TCP6 2001:db8::1 2001:db8::2 1 2\r\n')

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void // the flag defines it

/** Whether the chunk that `feed` was given can be collected although the decoder that took it is still there. */
async function isCollectable(
  feed: (chunk: Uint8Array) => unknown,
  chunk: () => Uint8Array,
): Promise<boolean> {
  const held: unknown[] = []
  const reference = ((): WeakRef<ArrayBufferLike> => {
    const bytes = chunk()
    held.push(feed(bytes))
    return new WeakRef(bytes.buffer)
  })()
  await setImmediate() // a WeakRef keeps its target until the job in which it was made has ended
  collectGarbage()
  return reference.deref() === undefined && held.length === 1
}

describe('a stream without a line end is given up at byte 107 and nothing of it is kept (known bug 1)', () => {
  const endless = Buffer.alloc(MIB, 'A')
  endless.write('PROXY UNKNOWN ')

  test('in one chunk', () => {
    const decoder = new HeaderDecoder()
    const result = decoder.push(endless)
    assert.equal(result.status, 'invalid')
    assert.equal(result.code, 'v1_too_long')
    assert.equal(result.offset, 107)
    assert.equal(decoder.rest.length, 0)
  })

  test('byte by byte: 107 bytes are taken, and no more', () => {
    const decoder = new HeaderDecoder()
    let taken = 0
    while (decoder.result.status === 'partial') decoder.push(endless.subarray(taken, ++taken))
    assert.equal(taken, 107)
    assert.equal(decoder.fault().code, 'v1_too_long')
  })

  test('a megabyte that no header starts with is refused at its first wrong byte', () => {
    const result = new HeaderDecoder().push(Buffer.alloc(MIB, 'PROXY A'))
    assert.equal(result.status, 'invalid')
    assert.equal(result.offset, 6)
  })

  for (const [what, chunk] of Object.entries({
    'a malformed header': () => Uint8Array.from(endless),
    'no header at all': () => new Uint8Array(64 * KIB).fill(0x41),
    'half a header': () => Uint8Array.from(LINE.subarray(0, 20)),
  })) {
    test(`the chunk with ${what} is not kept`, async () => {
      const feed = (bytes: Uint8Array): HeaderDecoder => {
        const decoder = new HeaderDecoder()
        decoder.push(bytes)
        return decoder
      }
      assert.ok(await isCollectable(feed, chunk))
    })
  }
})

test('a decoded header does not keep the chunk that it came in (known bug 34)', async () => {
  const header = encodeHeader({ command: 'LOCAL', tlvs: [tlv.authority('example.org'), tlv.alpn('h2')] })
  const chunk = (): Uint8Array => {
    const bytes = new Uint8Array(64 * KIB)
    bytes.set(header)
    return bytes
  }
  const feed = (bytes: Uint8Array): DecodeResult => decodeHeader(bytes)
  assert.ok(await isCollectable(feed, chunk))
})

describe('what follows the header in its chunk is the rest: once, in order, as a view (known bugs 32 and 33)', () => {
  const headers: Readonly<Record<string, Uint8Array>> = {
    'version 1': LINE,
    'version 2': encodeHeader({ command: 'LOCAL', tlvs: [tlv.noop(300)] }),
  }
  for (const [name, header] of Object.entries(headers)) {
    const chunk = Uint8Array.from({ length: 64 * KIB }, (_, index) => index * 7)
    chunk.set(header)

    test(`${name}, at the start of 64 KiB`, () => {
      const decoder = new HeaderDecoder()
      assert.equal(decoder.push(chunk).status, 'header')
      assert.equal(decoder.rest.length, chunk.length - header.length)
      assert.equal(toHex(decoder.rest), toHex(chunk.subarray(header.length)))
      assert.equal(decoder.rest.buffer, chunk.buffer)
    })

    test(`${name}, its last byte at the start of 64 KiB`, () => {
      const decoder = new HeaderDecoder()
      decoder.push(header.subarray(0, -1))
      assert.equal(decoder.push(chunk.subarray(header.length - 1)).status, 'header')
      assert.equal(toHex(decoder.rest), toHex(chunk.subarray(header.length)))
    })

    test(`${name}, with nothing behind it`, () => {
      const decoder = new HeaderDecoder()
      decoder.push(header)
      assert.equal(decoder.rest.length, 0)
    })
  }
})

test('the largest header of version 2 comes through byte by byte, and one byte beyond the limit never gets in', () => {
  const options = { maxHeaderBytes: 65_551 }
  const header = encodeHeader({ command: 'LOCAL', tlvs: [tlv.noop(65_532)] }, { checksum: false })
  const decoder = new HeaderDecoder(options)
  for (const byte of header) decoder.push(Uint8Array.of(byte))
  const { result } = decoder
  assert.equal(result.status, 'header')
  assert.equal(result.byteLength, 65_551)
  const strict = new HeaderDecoder({ maxHeaderBytes: 65_550 })
  assert.equal(strict.push(header.subarray(0, 16)).status, 'invalid')
})

test('chunks of no bytes change nothing', () => {
  const decoder = new HeaderDecoder()
  const nothing = new Uint8Array(0)
  assert.equal(decoder.push(nothing).status, 'partial')
  decoder.push(LINE.subarray(0, 8))
  assert.equal(decoder.push(nothing).status, 'partial')
  assert.equal(decoder.push(LINE.subarray(8)).status, 'header')
})

test('a chunk may change after it was pushed: what is needed of it has been copied', () => {
  const decoder = new HeaderDecoder()
  const chunk = Uint8Array.from(LINE.subarray(0, 30))
  decoder.push(chunk)
  chunk.fill(0)
  const result = decoder.push(LINE.subarray(30))
  assert.ok(result.status === 'header' && result.header.family === 'INET')
  assert.equal(result.header.source.address, '192.0.2.1')
})

test('decoders share nothing: two interleaved streams keep their own addresses (known bug 15)', () => {
  const first = new HeaderDecoder()
  const second = new HeaderDecoder()
  for (let at = 0; at < LINE.length; at++) {
    first.push(LINE.subarray(at, at + 1))
    if (at < OTHER_LINE.length) second.push(OTHER_LINE.subarray(at, at + 1))
  }
  const [one, other] = [first.result, second.result]
  assert.ok(one.status === 'header' && one.header.family === 'INET')
  assert.ok(other.status === 'header' && other.header.family === 'INET6')
  assert.deepEqual(one.header.source, { address: '192.0.2.1', port: 56_324 })
  assert.deepEqual(other.header.source, { address: '2001:db8::1', port: 1 })
})

test('a fresh decoder says how much the shortest header needs', () => {
  assert.deepEqual(new HeaderDecoder().result, { status: 'partial', missing: 15 })
  assert.deepEqual(new HeaderDecoder({ versions: [2] }).result, { status: 'partial', missing: 16 })
})

describe('misuse', () => {
  test('pushing after a header is refused: the bytes are payload (known bugs 12 and 13)', () => {
    const decoder = new HeaderDecoder()
    decoder.push(Buffer.from('PROXY UNKNOWN\r\n'))
    const message = 'the verdict is "header" already; later bytes are not part of a header'
    assert.throws(() => decoder.push(LINE), { name: 'Error', message })
    assert.equal(decoder.result.status, 'header')
  })

  test('pushing after a fault is refused: a good line does not heal a bad one (known bug 14)', () => {
    for (const [start, status] of [
      ['PROXY TCP9', 'invalid'],
      ['GET', 'absent'],
    ] as const) {
      const decoder = new HeaderDecoder()
      decoder.push(Buffer.from(start))
      assert.throws(() => decoder.push(LINE), {
        name: 'Error',
        message: new RegExp(`^the verdict is "${status}" already`),
      })
      assert.equal(decoder.result.status, status)
    }
  })

  test('a complete header has no fault', () => {
    const decoder = new HeaderDecoder()
    decoder.push(LINE)
    assert.throws(() => decoder.fault(), {
      name: 'Error',
      message: 'the header is complete and has no fault',
    })
  })
})

describe('fault() says what is wrong with a stream that ends', () => {
  test('inside a header: truncated, at the end of what came', () => {
    const decoder = new HeaderDecoder()
    assert.equal(decoder.fault().code, 'header_truncated')
    decoder.push(LINE.subarray(0, 9))
    decoder.push(LINE.subarray(9, 20))
    const { code, offset } = decoder.fault()
    assert.deepEqual({ code, offset }, { code: 'header_truncated', offset: 20 })
  })

  test('without a header: missing, with a hint at what came instead', () => {
    const decoder = new HeaderDecoder()
    decoder.push(Buffer.from('P'))
    decoder.push(Buffer.from('OST / HTTP/1.1\r\n'))
    const { code, offset, message } = decoder.fault()
    assert.deepEqual({ code, offset }, { code: 'header_missing', offset: 1 })
    assert.match(message, /HTTP request/)
  })

  test('in a malformed header: its code', () => {
    const decoder = new HeaderDecoder()
    decoder.push(fromHex('0d0a0d0a000d0a515549540a31'))
    const { code, offset } = decoder.fault()
    assert.deepEqual({ code, offset }, { code: 'v2_version', offset: 12 })
  })
})
