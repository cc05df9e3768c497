// Hints at what came instead of a header.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseHeader, whatArrived } from '../../src/codec/index.ts'

const hints: readonly (readonly [string, string])[] = [
  ['\x16\x03\x01\x02\x00\x01', 'TLS ClientHello'],
  ['\x16\x03\x03\x00\x10', 'TLS ClientHello'],
  ['PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'HTTP/2 connection'],
  ['GET / HTTP/1.1\r\n', 'HTTP request'],
  ['HEAD /', 'HTTP request'],
  ['POST /', 'HTTP request'],
  ['PUT /', 'HTTP request'],
  ['DELETE /', 'HTTP request'],
  ['CONNECT example.org:443', 'HTTP request'],
  ['OPTIONS *', 'HTTP request'],
  ['TRACE /', 'HTTP request'],
  ['PATCH /', 'HTTP request'],
  ['SSH-2.0-OpenSSH', 'SSH banner'],
  ['EHLO example.org\r\n', 'SMTP greeting'],
  ['helo example.org\r\n', 'SMTP greeting'],
  ['\r\n\r\n\0\r\nQUIT\n\x21\x11', 'version 2 header, which is not accepted here'],
  ['PROXY TCP4 ', 'version 1 header, which is not accepted here'],
  ['proxy tcp4 ', 'version 1 header that is not in capitals'],
  ['\x56\xec\0\0', 'Simple Proxy Protocol'],
]

for (const [start, words] of hints) {
  test(`${JSON.stringify(start)} looks like: ${words}`, () => {
    const hint = whatArrived(Buffer.from(start, 'latin1'))
    assert.match(hint ?? '', /^this looks like /)
    assert.ok(hint?.includes(words))
  })
}

for (const start of [
  '',
  '\x16',
  '\x16\x03\x09',
  'GETTING',
  'get / ',
  'SSH',
  'PROXY',
  '\r\n\r\n',
  'hello',
  '\xff',
]) {
  test(`${JSON.stringify(start)} looks like nothing in particular`, () => {
    assert.equal(whatArrived(Buffer.from(start, 'latin1')), undefined)
  })
}

test('a hint never repeats bytes from the network', () => {
  assert.ok(!whatArrived(Buffer.from('GET /secret HTTP/1.1'))?.includes('secret'))
})

test('parseHeader() puts the hint into its message, where there is one', () => {
  const missing = 'the connection does not start with a PROXY protocol header (at byte 0)'
  assert.throws(() => parseHeader(Buffer.from('hello')), { code: 'header_missing', message: missing })
  const hint = 'this looks like an SSH banner; is the sender set to send a header?'
  assert.throws(() => parseHeader(Buffer.from('SSH-2.0-x')), {
    code: 'header_missing',
    message: `${missing}: ${hint}`,
  })
  const other = 'this looks like a version 2 header, which is not accepted here'
  const signature = Buffer.from('\r\n\r\n\0\r\nQUIT\n')
  assert.throws(() => parseHeader(signature, { versions: [1] }), { message: `${missing}: ${other}` })
})
