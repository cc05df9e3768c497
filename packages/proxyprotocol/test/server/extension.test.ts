// What the private extension of the Python library says, against bytes that it has written (python-library.json).

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { deflateSync } from 'node:zlib'
import { untyped } from 'test-support/untyped'
import { parseHeader, readTlvs } from '../../src/codec/index.ts'
import { extensionTlv, readExtension, type ExtensionInfo } from '../../src/server/index.ts'
import { fromHex, toHex, vectorFiles } from '../support/vectors.ts'

const MAGIC = '881b79c1ce9685b0'
const nothing: ExtensionInfo = {
  compression: undefined,
  secretBits: undefined,
  peercert: undefined,
  dnsbl: undefined,
}
/** What `json.dumps()` made of the certificate in the vector. */
const peercert = {
  subject: [[['countryName', 'XX']], [['organizationName', 'Example']], [['commonName', 'client.example']]],
  issuer: [[['commonName', 'Example Issuing CA €']]],
  version: 3,
  serialNumber: '5F3A9C0E77B1D246',
  notBefore: 'Jan  5 09:30:00 2030 GMT',
  notAfter: 'Apr  5 09:29:59 2031 GMT',
  subjectAltName: [
    ['DNS', 'client.example'],
    ['DNS', 'www.client.example'],
  ],
}

function read(hex: string): ExtensionInfo | undefined {
  return readExtension({ tlvs: [{ type: 0x04, value: fromHex(hex) }] })
}

function withPeercert(inflated: string): ExtensionInfo | undefined {
  const stream = deflateSync(Buffer.from(inflated))
  return read(MAGIC + '03' + stream.length.toString(16).padStart(4, '0') + toHex(stream))
}

test('a header of the Python library is read whole', () => {
  const { vectors } = vectorFiles.find(({ name }) => name === 'python-library.json') ?? { vectors: [] }
  const header = parseHeader(vectors[0]?.bytes ?? new Uint8Array(0))
  const { alpn, authority, netns, uniqueId, ssl, checksum } = readTlvs(header)
  assert.deepEqual(readExtension(header), {
    compression: 'zlib',
    secretBits: 256,
    peercert,
    dnsbl: 'zen.example',
  })
  assert.deepEqual([alpn, authority, netns], ['h2', 'example.org', 'blue'])
  assert.equal(Buffer.from(uniqueId ?? []).toString(), 'request-7')
  assert.deepEqual([ssl?.version, ssl?.cn, ssl?.clientVerified], ['TLSv1.3', 'client.example', true])
  assert.equal(checksum, 0x0fce_1f18)
})

test('what extensionTlv() writes comes back, and its bytes are those of the Python library where nothing is deflated', () => {
  const init = { compression: 'zlib', secretBits: 256, peercert, dnsbl: 'zén.example' }
  assert.deepEqual(readExtension({ tlvs: [extensionTlv(init)] }), init)
  assert.equal(toHex(extensionTlv({ dnsbl: 'zen.example' }).value), `${MAGIC}04000b7a656e2e6578616d706c65`)
})

test('an extension without anything is one', () => {
  assert.equal(toHex(extensionTlv({}).value), MAGIC)
  assert.deepEqual(read(MAGIC), nothing)
})

test('a field that is not what it promises is undefined, without harm to the others', () => {
  assert.deepEqual(read(MAGIC + '010001ff' + '020001ff' + '030001ff' + '040001ff'), nothing)
  assert.deepEqual(read(MAGIC + '0200030100ff' + '0400017a'), { ...nothing, dnsbl: 'z' })
  assert.deepEqual(read(MAGIC + '020002ffff' + '0200020001'), { ...nothing, secretBits: 65_535 })
  assert.deepEqual(read(MAGIC + '990000'), nothing)
})

test('a certificate is an object in JSON in UTF-8 in zlib, or nothing', () => {
  assert.deepEqual(withPeercert('{"version":3}')?.peercert, { version: 3 })
  for (const text of ['', '[]', 'null', '3', '"text"', '{', '{"a":1}x']) {
    assert.equal(withPeercert(text)?.peercert, undefined)
  }
  const latin1 = deflateSync(Buffer.from('{"ä":1}', 'latin1'))
  assert.equal(
    read(`${MAGIC}0300${latin1.length.toString(16).padStart(2, '0')}${toHex(latin1)}`)?.peercert,
    undefined,
  )
})

test('a certificate may be 64 KiB when inflated, and not more', () => {
  const json = (length: number): string => `{"a":"${'x'.repeat(length - '{"a":""}'.length)}"}`
  assert.ok(withPeercert(json(65_536))?.peercert)
  assert.equal(withPeercert(json(65_537))?.peercert, undefined)
})

test('a certificate cannot reach a prototype', () => {
  const cert = withPeercert('{"__proto__":{"isAdmin":true}}')?.peercert
  assert.ok(cert && Object.hasOwn(cert, '__proto__'))
  assert.equal(({} as Record<string, unknown>)['isAdmin'], undefined)
})

test('a certificate nests sixteen deep at most, so that printing it cannot overflow a stack', () => {
  const nested = (depth: number): string => `{"a{[":${'['.repeat(depth - 1)}"\\"]}"${']'.repeat(depth - 1)}}`
  assert.notEqual(withPeercert(nested(16))?.peercert, undefined)
  assert.equal(withPeercert(nested(17))?.peercert, undefined)
  assert.equal(withPeercert(nested(30_000))?.peercert, undefined)
})

test('a certificate that nests deeper is not parsed', t => {
  const { mock } = t.mock.method(JSON, 'parse')
  assert.equal(withPeercert('['.repeat(65_536))?.peercert, undefined)
  assert.equal(mock.callCount(), 0)
  assert.deepEqual(withPeercert('{}')?.peercert, {})
  assert.equal(mock.callCount(), 1)
})

test('a stream that does not end is not a certificate, and neither is one with a wrong checksum', () => {
  const stream = deflateSync('{"version":3}')
  for (const odd of [stream.subarray(0, -1), Buffer.from(stream).fill(0, stream.length - 4)]) {
    assert.equal(read(`${MAGIC}0300${odd.length.toString(16)}${toHex(odd)}`)?.peercert, undefined)
  }
})

test('a header without the extension has none to read', () => {
  assert.equal(read('0000'), undefined)
})

test('a field that cannot be written is refused by name', () => {
  const secretBits = 'secretBits must be an integer from 0 to 65535, got'
  const refused: readonly (readonly [Partial<ExtensionInfo>, string, string])[] = [
    [{ compression: 'é' }, 'TypeError', "compression must be US-ASCII text, got 'é'"],
    [{ secretBits: 65_536 }, 'RangeError', `${secretBits} 65536`],
    [{ secretBits: -1 }, 'RangeError', `${secretBits} -1`],
    [{ secretBits: 1.5 }, 'RangeError', `${secretBits} 1.5`],
    [{ dnsbl: untyped(1) }, 'TypeError', 'dnsbl must be text, got 1'],
  ]
  for (const [init, name, message] of refused) assert.throws(() => extensionTlv(init), { name, message })
  assert.throws(() => extensionTlv({ dnsbl: '\ud800' }), /^TypeError: dnsbl must be text, got/)
  assert.match(toHex(extensionTlv({ secretBits: 65_535 }).value), /020002ffff$/)
})
