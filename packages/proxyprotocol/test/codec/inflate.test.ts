// inflate() against node:zlib as the independent oracle, and against streams written bit by bit for what no encoder emits.

import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { describe, test } from 'node:test'
import { constants, deflateRawSync, deflateSync, inflateRawSync, inflateSync } from 'node:zlib'
import fc from 'fast-check'
import { adler32, inflate } from '../../src/codec/inflate.ts'

const LIMIT = 1 << 22

const CERTIFICATE =
  '{"subject": [[["commonName", "client.example"]]], "issuer": [[["organizationName", "Example CA"]], ' +
  '[["commonName", "Example CA"]]], "version": 3, "serialNumber": "0A1B2C3D", ' +
  '"notBefore": "Jan  1 00:00:00 2030 GMT", "notAfter": "Jan  1 00:00:00 2031 GMT", ' +
  '"subjectAltName": [["DNS", "client.example"], ["DNS", "www.client.example"]]}'

/** zlib.compress(json.dumps(...).encode()) of that certificate in Python 3.11 with zlib 1.2.13. */
const PYTHON_STREAM =
  '789c6d90cd0ac23010845f25ec594a6a6fbdb55604c15ef4567a48cb5622f99124b5a2f8ee26b545c4422e9bf96692d927d8be' +
  'b960eb2025555541aba5d4aa64126145a0151c958bf0cee45520d475ed2fb9b53d9a89d7e6cc147f30c7bfaeed07279b0c82e1' +
  '2ff5470f893734d6fb7d64e2278b863351f6b2195f019ac5f97a9314c1aab4cbb1d30683b0678a9098509a8e87ac6942c9ee70' +
  '9ac0ac739f80052e9eb9a97d26dcf8bb500a8af2b854de3799a56118a2bfddbcde38c86482'

const json = Buffer.from(CERTIFICATE)

/** Incompressible bytes, the same in every run. */
function noiseOf(length: number): Uint8Array {
  return createHash('shake256', { outputLength: length }).update('noise').digest()
}

const samples: Record<string, Uint8Array> = {
  nothing: new Uint8Array(0),
  'one byte': Uint8Array.of(255),
  'a certificate': json,
  'all byte values': Uint8Array.from({ length: 1024 }, (_, i) => i * 7),
  'long repetition': new Uint8Array(300_000).fill(65),
  'repetition at a distance': Buffer.concat([json, new Uint8Array(32_000), json, json]),
  noise: noiseOf(100_000),
  'skewed noise': noiseOf(50_000).map(byte => byte & (byte >> 3) & (byte << 1)),
}

const strategies = ['Z_DEFAULT_STRATEGY', 'Z_FILTERED', 'Z_HUFFMAN_ONLY', 'Z_RLE', 'Z_FIXED'] as const

/** An integer field, its lowest bit first; Huffman codes stand in these tests as they are, their highest bit first. */
function int(value: number, bits: number): string {
  return Array.from({ length: bits }, (_, bit) => (value >> bit) & 1).join('')
}

function pack(bits: string): Uint8Array {
  const bytes = new Uint8Array(Math.ceil(bits.length / 8))
  bytes.forEach((_, i) => (bytes[i] = parseInt([...bits.slice(i * 8, i * 8 + 8)].reverse().join(''), 2)))
  return bytes
}

/** A zlib stream around a body, with the checksum of what the body is meant to hold. */
function stream(body: Uint8Array, content: Uint8Array | string): Uint8Array {
  const checksum = deflateSync(content, { level: 0 }).subarray(-4)
  return Uint8Array.from([0x78, 0x9c, ...body, ...checksum])
}

const META_ORDER = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15]
/** A code length code with all that these tests need; its codes for lengths and runs follow. */
const META = { 0: 2, 1: 2, 2: 3, 16: 3, 17: 3, 18: 3 }
const LENGTH = ['00', '01', '100'] as const
const REPEAT_LAST_3 = '101' + int(0, 2)
const ZEROS_3 = '110' + int(0, 3)
const ZEROS_138 = '111' + int(127, 7)
const ZEROS_117 = '111' + int(117 - 11, 7)

/** The start of a final dynamic block: the counts and the code length code. */
function dynamicHeader(literals: number, distances: number, meta: Record<number, number> = META): string {
  const counts = int(literals - 257, 5) + int(distances - 1, 5) + int(15, 4)
  return '1' + int(2, 2) + counts + META_ORDER.map(symbol => int(meta[symbol] ?? 0, 3)).join('')
}

/** Code lengths of 0, 1 or 2, one by one. */
function list(lengths: Record<number, number>, count: number): string {
  return Array.from({ length: count }, (_, symbol) => LENGTH[lengths[symbol] ?? 0]).join('')
}

/** A final dynamic block with the given code lengths and coded data. */
function dynamic(literals: Record<number, number>, distances: Record<number, number>, data: string): string {
  return dynamicHeader(258, 30) + list(literals, 258) + list(distances, 30) + data
}

const FIXED = '1' + int(1, 2)
const A = '10010001' // 'a' in the fixed code
const LENGTH_3 = '0000001'
const DISTANCE_1 = '00000'
const END = '0000000'

function assertBoth(bytes: Uint8Array, expected: Uint8Array | string | undefined): void {
  if (expected === undefined) {
    assert.throws(() => inflateSync(bytes), 'the oracle refuses it too')
    assert.equal(inflate(bytes, LIMIT), undefined)
  } else {
    assert.deepEqual(inflateSync(bytes), Buffer.from(expected), 'the oracle reads it too')
    assert.deepEqual(inflate(bytes, LIMIT), Uint8Array.from(Buffer.from(expected)))
  }
}

test('inflate() reads what Python writes', () => {
  assert.equal(Buffer.from(inflate(Buffer.from(PYTHON_STREAM, 'hex'), 1024) ?? '').toString(), CERTIFICATE)
})

describe('inflate() reads what zlib writes at every level and strategy', () => {
  for (const [name, sample] of Object.entries(samples)) {
    test(name, () => {
      const plain = Uint8Array.from(sample)
      for (let level = 0; level <= 9; level++) {
        for (const strategy of strategies) {
          const bytes = deflateSync(sample, { level, strategy: constants[strategy] })
          assert.deepEqual(inflate(bytes, sample.length), plain, `level ${level}, ${strategy}`)
        }
      }
    })
  }
})

test('inflate() reads every window size and many small blocks', () => {
  for (let windowBits = 9; windowBits <= 15; windowBits++) {
    const sample = samples['repetition at a distance'] ?? json
    const bytes = deflateSync(sample, { windowBits, memLevel: 1 })
    assert.deepEqual(inflate(bytes, LIMIT), Uint8Array.from(sample))
  }
})

test('inflate() reads from a view into a larger buffer, leaves it as it was and owns its output', () => {
  const bytes = deflateSync(json)
  const view = Buffer.concat([Buffer.alloc(7, 0xaa), bytes, Buffer.alloc(7, 0xaa)]).subarray(7, -7)
  const output = inflate(view, LIMIT)
  assert.deepEqual(output, Uint8Array.from(json))
  assert.equal(output.buffer.byteLength, json.length)
  assert.deepEqual(view, bytes)
})

describe('inflate() reads streams that encoders rarely write', () => {
  const accepted: [name: string, bits: string, content: string][] = [
    ['a match that overlaps its own output', FIXED + A + LENGTH_3 + DISTANCE_1 + END, 'aaaa'],
    ['length 258 as symbol 284', FIXED + A + '11000100' + int(31, 5) + DISTANCE_1 + END, 'a'.repeat(259)],
    ['length 258 as symbol 285', FIXED + A + '11000101' + DISTANCE_1 + END, 'a'.repeat(259)],
    ['a lone literal code of one bit', dynamic({ 256: 1 }, {}, '0'), ''],
    ['no distance code', dynamic({ 97: 1, 256: 1 }, {}, '001'), 'aa'],
    ['a lone distance code', dynamic({ 97: 1, 256: 2, 257: 2 }, { 0: 1 }, '0' + '110' + '10'), 'aaaa'],
    [
      'a repeat across both codes',
      dynamicHeader(257, 2) + ZEROS_138 + ZEROS_117 + LENGTH[1] + REPEAT_LAST_3 + '1',
      '',
    ],
    ['padding bits that are not zero', FIXED + A + END + '111111', 'a'],
  ]
  for (const [name, bits, content] of accepted) {
    test(name, () => {
      assertBoth(stream(pack(bits), content), content)
    })
  }
})

describe('inflate() refuses a malformed body', () => {
  const meta = (lengths: Record<number, number>, rest = ''): string => dynamicHeader(257, 1, lengths) + rest
  const stored = (length: number, complement: number, content: string): string =>
    int(0, 7) + int(length, 16) + int(complement, 16) + int(97, 8).repeat(content.length)
  const far = (distance: number): string => {
    const start = 'a'.repeat(distance)
    return '0' + stored(distance, ~distance, start) + FIXED + LENGTH_3
  }
  // each content is what a decoder without the rule would put out, so that its checksum fits
  const refused: [name: string, bits: string, content: string][] = [
    ['a reserved block type', '1' + int(3, 2), ''],
    ['a stored block whose length and complement disagree', '1' + stored(1, 0xfffc, 'a'), 'a'],
    ['a stored block longer than the stream', '1' + stored(9, ~9, 'a'), 'a'],
    ['a stored block cut inside its length', '1' + int(0, 7) + int(0, 16) + int(0xff, 8), ''],
    ['a body without an end of block', FIXED + A + A, 'aa'],
    ['a distance before the start', FIXED + A + LENGTH_3 + '00001' + END, 'a\0a\0'],
    ['a distance when nothing is out yet', FIXED + LENGTH_3 + DISTANCE_1 + END, '\0\0\0'],
    ['length symbol 286', FIXED + A + '11000110' + int(0, 6) + DISTANCE_1 + END, 'a'.repeat(324)],
    ['length symbol 287', FIXED + A + '11000111' + int(0, 6) + DISTANCE_1 + END, 'a'.repeat(388)],
    ['distance symbol 30', far(32_769) + '11110' + int(0, 14) + END, 'a'.repeat(32_772)],
    ['distance symbol 31', far(49_153) + '11111' + int(0, 14) + END, 'a'.repeat(49_156)],
    ['287 literal and length codes', dynamicHeader(287, 1) + list({ 256: 1 }, 288) + '0', ''],
    ['31 distance codes', dynamicHeader(257, 31) + list({ 256: 1 }, 288) + '0', ''],
    ['an empty code length code', meta({}, '0'.repeat(300)), ''],
    [
      'an over-subscribed code length code',
      meta({ 0: 1, 1: 1, 2: 1 }, '0'.repeat(256) + '1' + '0' + '0'),
      '',
    ],
    ['an incomplete code length code', meta({ 0: 2, 1: 2 }, list({ 256: 1 }, 258) + '0'), ''],
    ['a lone code length code whose other bit occurs', meta({ 0: 1 }, '1'.repeat(300)), ''],
    ['a repeat before any length', meta(META, REPEAT_LAST_3 + list({ 253: 1 }, 255) + '0'), ''],
    ['a repeat past the last length', meta(META, list({ 256: 1 }, 257) + LENGTH[0] + REPEAT_LAST_3), ''],
    ['a run of zeros past the last length', meta(META, list({ 256: 1 }, 257) + ZEROS_3 + '0'), ''],
    ['a block without an end symbol', dynamic({ 97: 1, 98: 1 }, {}, '0000'), 'aaaa'],
    ['an over-subscribed literal code', dynamic({ 97: 1, 98: 1, 256: 1 }, {}, '01'), 'ab'],
    ['an over-subscribed literal code of two lengths', dynamic({ 97: 1, 256: 1, 257: 2 }, {}, '01'), 'a'],
    ['an incomplete literal code', dynamic({ 97: 2, 256: 2 }, {}, '0001'), 'a'],
    ['a lone literal code of two bits', dynamic({ 256: 2 }, {}, '00'), ''],
    ['an over-subscribed distance code', dynamic({ 97: 1, 256: 1 }, { 0: 1, 1: 1, 2: 1 }, '01'), 'a'],
    ['an incomplete distance code', dynamic({ 97: 1, 256: 1 }, { 0: 2, 1: 2 }, '01'), 'a'],
    ['a lone distance code of two bits', dynamic({ 97: 1, 256: 1 }, { 0: 2 }, '01'), 'a'],
    ['the unused bit of a lone literal code', dynamic({ 256: 1 }, {}, '1'), ''],
    ['the unused bit of a lone distance code', dynamic({ 97: 1, 256: 2, 257: 2 }, { 0: 1 }, '0111'), 'a'],
    ['a match without any distance code', dynamic({ 97: 1, 256: 2, 257: 2 }, {}, '01110'), 'a'],
  ]
  for (const [name, bits, content] of refused) {
    test(name, () => {
      assertBoth(stream(pack(bits), content), undefined)
    })
  }
})

test('inflate() refuses a wrong header, a preset dictionary and a wrong checksum', () => {
  const bytes = deflateSync(json)
  const withHeader = (header: number): Uint8Array =>
    Buffer.concat([Buffer.of(header >> 8, header), bytes.subarray(2)])
  assertBoth(withHeader(0x789c), json)
  assertBoth(withHeader(0x789d), undefined) // check bits
  assertBoth(withHeader(0x7999), undefined) // method 9
  assertBoth(withHeader(0x881c), undefined) // window of 64 KiB
  assertBoth(withHeader(0x78bb), undefined) // preset dictionary
  for (const at of [1, 2, 3, 4]) {
    const wrong = Uint8Array.from(bytes)
    wrong[wrong.length - at] = (wrong.at(-at) ?? 0) ^ 0x80
    assertBoth(wrong, undefined)
  }
})

test('inflate() refuses anything after the checksum', () => {
  const bytes = deflateSync(json)
  assert.equal(inflate(Buffer.concat([bytes, Buffer.of(0)]), LIMIT), undefined)
  assert.equal(inflate(Buffer.concat([bytes, bytes]), LIMIT), undefined)
})

test('inflate() refuses every truncation', () => {
  for (const strategy of strategies) {
    for (const level of [0, 9]) {
      const bytes = deflateSync(json, { level, strategy: constants[strategy] })
      for (let end = 0; end < bytes.length; end++)
        assert.equal(inflate(bytes.subarray(0, end), LIMIT), undefined)
    }
  }
})

test('inflate() gives for any change of any one byte what zlib gives, and almost always nothing', () => {
  const sample = json.subarray(0, 120)
  for (const level of [0, 1, 9]) {
    const bytes = Uint8Array.from(deflateSync(sample, { level }))
    let wrong = 0
    for (const [at, byte] of bytes.entries()) {
      for (let change = 1; change < 256; change++) {
        bytes[at] = byte ^ change
        const output = inflate(bytes, 4096)
        // the oracle is slow to refuse: ask it about single bits, and about everything that comes through
        if (output === undefined && (change & (change - 1)) !== 0) continue
        assert.ok(output === undefined ? refuses(bytes) : inflateSync(bytes).equals(output))
        if (output !== undefined && !sample.equals(output)) wrong++
      }
      bytes[at] = byte
    }
    assert.ok(wrong < 10, 'an Adler-32 is weak: "issuer" and "iruter" have the same')
  }
})

function refuses(bytes: Uint8Array): boolean {
  try {
    inflateSync(bytes)
    return false
  } catch {
    return true
  }
}

test('inflate() takes output of just the limit and no byte more', () => {
  for (const sample of [json, new Uint8Array(70_000), noiseOf(500)]) {
    for (const level of [0, 9]) {
      const bytes = deflateSync(sample, { level })
      assert.deepEqual(inflate(bytes, sample.length), Uint8Array.from(sample))
      assert.equal(inflate(bytes, sample.length - 1), undefined)
      assert.equal(inflate(bytes, 0), undefined)
    }
  }
  const literals = deflateSync(new Uint8Array(300), { strategy: constants.Z_HUFFMAN_ONLY })
  assert.equal(inflate(literals, 299), undefined)
  assert.deepEqual(inflate(deflateSync(''), 0), new Uint8Array(0))
})

test('inflate() stops a bomb at the limit and holds no more memory than about that', () => {
  const bomb = deflateSync(new Uint8Array(10 << 20), { level: 9 })
  const before = process.memoryUsage().arrayBuffers
  assert.equal(inflate(bomb, 65_536), undefined)
  assert.ok(process.memoryUsage().arrayBuffers - before < 4 * 65_536)
})

test('inflate() reads a run of empty stored blocks as nothing, and refuses one without a last block', () => {
  const empty = [0, 0, 0, 0xff, 0xff]
  const run = Array.from({ length: 10_000 }, () => empty).flat()
  assertBoth(stream(Uint8Array.from([...run, 1, 0, 0, 0xff, 0xff]), ''), '')
  assertBoth(stream(Uint8Array.from(run), ''), undefined)
})

test('inflate() never throws on arbitrary bytes', () => {
  const body = fc.uint8Array({ maxLength: 400 })
  fc.assert(fc.property(body, bytes => inflate(bytes, 1024) === undefined || bytes.length >= 8))
  const type = fc.integer({ min: 0, max: 255 })
  const anyStream = fc.tuple(type, body).map(([first, rest]) => Uint8Array.from([0x78, 0x9c, first, ...rest]))
  const holds = (bytes: Uint8Array): boolean => (inflate(bytes, 1024)?.length ?? 0) <= 1024
  fc.assert(fc.property(anyStream, holds), { numRuns: 2000 })
})

/** What the oracle makes of a raw body, and how many of its bytes it took. */
function oracle(body: Uint8Array): { content: Uint8Array; taken: number } | undefined {
  try {
    // with `info` the result is not the buffer that the type declares, but the buffer and its engine (node:zlib)
    const result = inflateRawSync(body, { info: true }) as unknown as {
      buffer: Uint8Array
      engine: { bytesWritten: number }
    }
    return { content: result.buffer, taken: result.engine.bytesWritten }
  } catch {
    return undefined
  }
}

test('inflate() takes and refuses the same damaged bodies as zlib', () => {
  const content = fc
    .array(fc.integer({ min: 97, max: 105 }), { maxLength: 200 })
    .map(codes => Uint8Array.from(codes))
  const damage = fc.array(fc.tuple(fc.nat(60), fc.nat(7)), { maxLength: 3 })
  const property = fc.property(content, damage, fc.constantFrom(...strategies), (plain, flips, strategy) => {
    const body = Uint8Array.from(deflateRawSync(plain, { strategy: constants[strategy] }))
    for (const [at, bit] of flips) body[at] = (body[at] ?? 0) ^ (1 << bit)
    const expected = oracle(body)
    const bytes = stream(body.subarray(0, expected?.taken), expected?.content ?? plain)
    assert.deepEqual(inflate(bytes, LIMIT), expected && Uint8Array.from(expected.content))
  })
  fc.assert(property, { numRuns: 3000 })
})

test('adler32() agrees with zlib on any length', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 10_000, size: 'max' }), bytes => {
      assert.equal(adler32(bytes), deflateSync(bytes).readUInt32BE(deflateSync(bytes).length - 4))
    }),
  )
  const worst = new Uint8Array(1 << 20).fill(255)
  assert.equal(adler32(worst), deflateSync(worst).subarray(-4).readUInt32BE())
})
