// The options of decoding: what they let through is in the vectors, here is what they refuse to be.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { untyped } from 'test-support/untyped'
import {
  decodeDatagram,
  decodeHeader,
  decodeOptions,
  HeaderDecoder,
  parseHeader,
} from '../../src/codec/index.ts'

const versions = 'versions must be [1], [2] or [1, 2], got'
const maxHeaderBytes = 'maxHeaderBytes must be an integer from 16 to 65551, got'
const mixedFamilies = "mixedFamilies must be 'reject' or 'promote', got"

const refused: readonly (readonly [Record<string, unknown>, string, string])[] = [
  [{ versions: [] }, 'TypeError', `${versions} []`],
  [{ versions: [1, 3] }, 'TypeError', `${versions} [1, 3]`],
  [{ versions: ['1'] }, 'TypeError', `${versions} ["1"]`],
  [{ versions: 2 }, 'TypeError', `${versions} 2`],
  [{ versions: null }, 'TypeError', `${versions} null`],
  [{ maxHeaderBytes: 15 }, 'RangeError', `${maxHeaderBytes} 15`],
  [{ maxHeaderBytes: 65_552 }, 'RangeError', `${maxHeaderBytes} 65552`],
  [{ maxHeaderBytes: 100.5 }, 'RangeError', `${maxHeaderBytes} 100.5`],
  [{ maxHeaderBytes: Number.NaN }, 'RangeError', `${maxHeaderBytes} NaN`],
  [{ maxHeaderBytes: '4096' }, 'RangeError', `${maxHeaderBytes} "4096"`],
  [{ mixedFamilies: 'accept' }, 'TypeError', `${mixedFamilies} "accept"`],
  [{ mixedFamilies: true }, 'TypeError', `${mixedFamilies} true`],
]

for (const [options, name, message] of refused) {
  test(`every way to decode refuses at once: ${message}`, () => {
    const bytes = new Uint8Array(0)
    const wanted = { name, message }
    assert.throws(() => decodeHeader(bytes, untyped(options)), wanted)
    assert.throws(() => parseHeader(bytes, untyped(options)), wanted)
    assert.throws(() => new HeaderDecoder(untyped(options)), wanted)
    assert.throws(() => decodeOptions(untyped(options)), wanted)
    if (options['versions'] !== null) assert.throws(() => decodeDatagram(bytes, untyped(options)), wanted)
  })
}

test('an option that is undefined has its default', () => {
  const undefinedOptions = { versions: undefined, maxHeaderBytes: undefined, mixedFamilies: undefined }
  for (const options of [undefined, {}, undefinedOptions]) {
    assert.equal(decodeHeader(Buffer.from('PROXY UNKNOWN\r\n'), options).status, 'header')
    assert.equal(
      decodeHeader(Buffer.from('0d0a0d0a000d0a515549540a20000000', 'hex'), options).status,
      'header',
    )
  }
})

test('decodeOptions() checks once: later changes of the object do not matter, and the result is frozen', () => {
  const versions: (1 | 2)[] = [2]
  const onlyV2 = decodeOptions({ versions, maxHeaderBytes: 64, mixedFamilies: 'promote' })
  versions[0] = 1
  assert.equal(decodeHeader(Buffer.from('PROXY '), onlyV2).status, 'absent')
  assert.equal(decodeOptions(onlyV2), onlyV2)
  assert.ok(Object.isFrozen(onlyV2))
  assert.equal(decodeOptions(), decodeOptions(undefined))
})

test('datagrams keep their own default of version 2 with options that were checked before', () => {
  const line = Buffer.from('PROXY TCP4 192.0.2.1 198.51.100.7 1 2\r\n')
  for (const options of [decodeOptions(), decodeOptions({ versions: [2] }), undefined]) {
    assert.equal(decodeDatagram(line, options).status, 'invalid')
  }
  assert.equal(decodeDatagram(line, decodeOptions({ versions: [1, 2] })).status, 'header')
})

for (const bytes of ['PROXY UNKNOWN\r\n', 42, null, undefined, [80], new ArrayBuffer(4)]) {
  test(`what is not bytes is misuse: ${JSON.stringify(bytes)}`, () => {
    const message = /^(?:bytes|chunk) must be a Uint8Array, got /
    assert.throws(() => decodeHeader(untyped(bytes)), { name: 'TypeError', message })
    assert.throws(() => parseHeader(untyped(bytes)), { name: 'TypeError', message })
    assert.throws(() => decodeDatagram(untyped(bytes)), { name: 'TypeError', message })
    assert.throws(() => new HeaderDecoder().push(untyped(bytes)), { name: 'TypeError', message })
  })
}

test('other options leave a line of mixed families refused', () => {
  const line = new TextEncoder().encode('PROXY TCP6 2001:db8::1 127.0.0.1 1 2\r\n')
  const result = decodeHeader(line, { versions: [1] })
  assert.equal(result.status === 'invalid' && result.code, 'v1_family_mismatch')
})
