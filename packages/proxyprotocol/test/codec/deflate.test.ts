// deflate() read back by node:zlib as the independent oracle, and by inflate().

import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { describe, test } from 'node:test'
import { inflateSync } from 'node:zlib'
import fc from 'fast-check'
import { deflate } from '../../src/codec/deflate.ts'
import { inflate } from '../../src/codec/inflate.ts'

const MIB = 1 << 20
const WRAPPER_BYTES = 6
const STORED_HEADER_BYTES = 5

const certificate = JSON.stringify({
  subject: [[['countryName', 'XX']], [['organizationName', 'Example']], [['commonName', 'client.example']]],
  issuer: [
    [['countryName', 'XX']],
    [['organizationName', 'Example']],
    [['commonName', 'Example Issuing CA']],
  ],
  version: 3,
  serialNumber: '5F3A9C0E77B1D2468ACE13579BDF0246',
  notBefore: 'Jan  5 09:30:00 2030 GMT',
  notAfter: 'Apr  5 09:29:59 2031 GMT',
  subjectAltName: ['client.example', 'www.client.example', 'api.client.example'].map(name => ['DNS', name]),
  caIssuers: ['http://ca.example/issuing.crt'],
  crlDistributionPoints: ['http://ca.example/issuing.crl'],
})

/** Incompressible bytes, the same in every run. */
function noiseOf(length: number): Uint8Array {
  return createHash('shake256', { outputLength: length }).update('noise').digest()
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}

function assertRoundTrip(bytes: Uint8Array): void {
  const stream = deflate(bytes)
  assert.ok(inflateSync(stream).equals(bytes), 'the oracle reads it')
  assert.ok(Buffer.from(inflate(stream, bytes.length) ?? 'undefined').equals(bytes), 'inflate() reads it')
}

describe('deflate() writes what zlib reads', () => {
  const samples: Record<string, Uint8Array> = {
    nothing: new Uint8Array(0),
    'one byte': Uint8Array.of(0),
    'a certificate': Buffer.from(certificate),
    'all byte values, twice': Uint8Array.from({ length: 512 }, (_, i) => i),
    '1 MiB of zeros': new Uint8Array(MIB),
    '1 MiB of noise': noiseOf(MIB),
    '1 MiB of text': Buffer.alloc(MIB, certificate),
    '1 MiB of skewed noise': noiseOf(MIB).map(byte => byte & 0x83),
  }
  for (const [name, sample] of Object.entries(samples)) {
    test(name, () => {
      assertRoundTrip(sample)
    })
  }
})

test('deflate() writes the same bytes for the same input', () => {
  assert.equal(hex(deflate(new Uint8Array(0))), '7801' + '0300' + '00000001')
  assert.equal(hex(deflate(Buffer.from('aaaaaaaaaa'))), '7801' + '4b840300' + '14e103cb')
  assert.equal(hex(deflate(Buffer.alloc(259, 'a'))), '7801' + '4b1c0500' + 'd9a86224')
  assert.deepEqual(deflate(Buffer.from(certificate)), deflate(Buffer.from(certificate)))
})

test('deflate() owns its output and leaves its input as it was', () => {
  const original = noiseOf(64)
  const input = Uint8Array.from(original)
  const stream = deflate(input)
  assert.equal(stream.buffer.byteLength, stream.length)
  assert.deepEqual(input, Uint8Array.from(original))
})

test('deflate() codes every match length', () => {
  for (let length = 1; length <= 600; length++) {
    assertRoundTrip(Buffer.from('x'.repeat(length) + 'yz'))
    assertRoundTrip(Buffer.from(`<${'ab'.repeat(length)}>${'ab'.repeat(length)}`))
  }
})

test('deflate() codes every distance up to 32 KiB and none beyond', () => {
  const marker = Buffer.from('0123456789abcdefghijklmnop')
  const repeatedAt = (distance: number): Uint8Array =>
    Buffer.concat([marker, Buffer.alloc(distance - marker.length), marker])
  for (let power = 5; power <= 15; power++) {
    for (const offset of [-1, 0, 1]) assertRoundTrip(repeatedAt(2 ** power + offset))
  }
  assert.ok(deflate(repeatedAt(32_768)).length < deflate(repeatedAt(32_769)).length - 20)
})

test('deflate() uses a match of three bytes at the very end', () => {
  assert.ok(deflate(Buffer.from('abcdefabc')).length < deflate(Buffer.from('abcdefabx')).length)
})

test('deflate() stores what does not shrink, in blocks of at most 65535 bytes', () => {
  for (const length of [1, 100, 65_534, 65_535, 65_536, 131_070, 131_071]) {
    const noise = noiseOf(length).map(byte => byte | 0x90)
    const stream = deflate(noise)
    const stored = WRAPPER_BYTES + STORED_HEADER_BYTES * Math.ceil(length / 65_535) + length
    assert.ok(stream.length <= stored)
    if (length >= 100) assert.equal(stream.length, stored)
    assertRoundTrip(noise)
  }
})

test('deflate() makes a certificate a third smaller at least', () => {
  assert.ok(deflate(Buffer.from(certificate)).length < (certificate.length * 2) / 3)
})

test('deflate() round-trips any bytes and never grows past the stored form', () => {
  const noise = fc.uint8Array({ maxLength: 2000, size: 'max' })
  const repetitive = fc.array(fc.constantFrom(0, 1, 143, 144, 255), { maxLength: 2000, size: 'max' })
  const input = fc.oneof(
    noise,
    repetitive.map(list => Uint8Array.from(list)),
  )
  const property = fc.property(input, bytes => {
    assertRoundTrip(bytes)
    assert.ok(deflate(bytes).length <= bytes.length + WRAPPER_BYTES + STORED_HEADER_BYTES)
  })
  fc.assert(property, { numRuns: 500 })
})
