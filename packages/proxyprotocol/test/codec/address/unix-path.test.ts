// UNIX socket names: text where it says exactly what the 108 bytes say, otherwise the bytes.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { untyped } from 'test-support/untyped'
import { encodeHeader, parseHeader, type UnixHeader } from '../../../src/codec/index.ts'

const UNIX_PATH_BYTES = 108
const SOURCE_AT = 16

function encode(path: string | Uint8Array): Uint8Array {
  return encodeHeader({ source: { path }, destination: { path: '/destination' } })
}

function decodedPath(bytes: Uint8Array): string | Uint8Array {
  const header = parseHeader(bytes)
  assert.equal(header.family, 'UNIX')
  return (header satisfies UnixHeader).source.path
}

for (const path of [
  '',
  '/run/a.sock',
  '\0abstract',
  '\0',
  '/ä/€/😀',
  '\ufeff/bom',
  'a'.repeat(108),
  'ä'.repeat(54),
]) {
  test(`a path is written NUL-padded and read back: ${JSON.stringify(path)}`, () => {
    const bytes = encode(path)
    assert.equal(bytes.length, SOURCE_AT + 2 * UNIX_PATH_BYTES)
    const written = Buffer.from(bytes).subarray(SOURCE_AT, SOURCE_AT + UNIX_PATH_BYTES)
    assert.equal(
      written.toString(),
      path.padEnd(path.length + UNIX_PATH_BYTES - Buffer.byteLength(path), '\0'),
    )
    assert.equal(decodedPath(bytes), path === '\0' ? '' : path) // a lone NUL is the padding of no name
  })
}

test('bytes that are not UTF-8 come back as all 108 of them', () => {
  const path = decodedPath(encode(Uint8Array.of(0x2f, 0xff)))
  assert.deepEqual(path, Uint8Array.of(0x2f, 0xff, ...new Uint8Array(106)))
  assert.deepEqual(decodedPath(encode(path)), path)
})

test('what stands behind the NUL of a file name is not lost: the path comes back as bytes', () => {
  const path = decodedPath(encode('/run/a\0junk'))
  assert.ok(path instanceof Uint8Array)
  assert.equal(Buffer.from(path).toString(), '/run/a\0junk'.padEnd(UNIX_PATH_BYTES, '\0'))
})

test('an abstract name may hold more NULs', () => {
  assert.equal(decodedPath(encode('\0a\0b')), '\0a\0b')
})

for (const end of ['source', 'destination'] as const) {
  const encodeWith = (path: unknown): Uint8Array => {
    return encodeHeader({
      source: { path: '/a' },
      destination: { path: '/b' },
      [end]: { path: untyped(path) },
    })
  }
  const cases: readonly (readonly [unknown, string, string])[] = [
    ['a'.repeat(109), 'RangeError', 'must have at most 108 bytes, got 109'],
    ['ä'.repeat(55), 'RangeError', 'must have at most 108 bytes, got 110'],
    [new Uint8Array(109), 'RangeError', 'must have at most 108 bytes, got 109'],
    [7, 'TypeError', 'must be text or a Uint8Array, got 7'],
    [null, 'TypeError', 'must be text or a Uint8Array, got null'],
    [undefined, 'TypeError', 'must be text or a Uint8Array, got undefined'],
    ['\ud800', 'TypeError', 'must be text, got "\\ud800"'],
  ]
  for (const [path, name, message] of cases) {
    test(`encodeHeader() refuses ${end}.path: ${message}`, () => {
      assert.throws(() => encodeWith(path), { name, message: `${end}.path ${message}` })
    })
  }
}
