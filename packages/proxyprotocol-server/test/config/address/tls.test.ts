// What TLS settings are settled to, and each way in which they would do nothing or could not work.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { settleTls, type AddressRole, type TlsInit } from '../../../src/config/index.ts'

test('settleTls() fills in the defaults of each side', () => {
  const rest = {
    key: undefined,
    cafile: undefined,
    capath: undefined,
    cadata: undefined,
    servername: undefined,
  }
  const common = { ...rest, minVersion: 'TLSv1.2', alpn: [] }
  assert.deepEqual(settleTls({ cert: 'c' }, 'listen'), { ...common, cert: 'c', verify: 'CERT_NONE' })
  assert.deepEqual(settleTls({}, 'upstream'), { ...common, cert: undefined, verify: 'CERT_REQUIRED' })
})

test('settleTls() keeps what it has settled', () => {
  const inits: readonly (readonly [TlsInit, AddressRole])[] = [
    [
      { cert: 'c', key: 'k', verify: 'CERT_OPTIONAL', cadata: 'x', minVersion: 'TLSv1.3', alpn: ['h2'] },
      'listen',
    ],
    [
      { cert: 'c', cafile: 'f', capath: 'd', servername: 'example.org', alpn: ['h2', 'http/1.1'] },
      'upstream',
    ],
    [{ verify: 'CERT_NONE' }, 'upstream'],
  ]
  for (const [init, role] of inits) {
    const settled = settleTls(init, role)
    assert.deepEqual(settleTls(settled, role), settled)
    assert.deepEqual({ ...settled, ...init }, settled)
  }
})

function untyped(init: object): TlsInit {
  return init
}

const REFUSED: readonly (readonly [AddressRole, TlsInit, string])[] = [
  ['listen', {}, '"cert" is missing, the file of the certificate'],
  ['listen', { key: 'k' }, '"cert" is missing, the file of the certificate'],
  ['upstream', { key: 'k' }, '"key" is of no use without "cert"'],
  ['upstream', untyped({ minversion: 'TLSv1.3' }), 'unknown key "minversion"; did you mean "minVersion"?'],
  ['upstream', untyped({ timeout: 1 }), 'unknown key "timeout"'],
  [
    'listen',
    untyped({ cert: 'c', verify: 'required' }),
    '"verify" is "required", wanted one of CERT_NONE, CERT_OPTIONAL, CERT_REQUIRED',
  ],
  [
    'upstream',
    untyped({ minVersion: 'TLSv1.1' }),
    '"minVersion" is "TLSv1.1", wanted one of TLSv1.2, TLSv1.3',
  ],
  ['upstream', { alpn: ['h2', 'h2'] }, '"alpn" names "h2", wanted different names of 1 to 255 bytes'],
  ['upstream', { alpn: ['a b'] }, '"alpn" names "a b", wanted different names of 1 to 255 bytes'],
  ['upstream', { alpn: [''] }, '"alpn" names "", wanted different names of 1 to 255 bytes'],
  [
    'upstream',
    { servername: '192.0.2.1' },
    '"servername" is "192.0.2.1", wanted a host name, which an IP address is not',
  ],
  ['listen', { cert: 'c', servername: 'example.org' }, '"servername" is for upstream addresses alone'],
  [
    'upstream',
    { verify: 'CERT_OPTIONAL' },
    '"verify" is CERT_OPTIONAL, but a server always shows a certificate: wanted CERT_REQUIRED, or CERT_NONE',
  ],
  ['listen', { cert: 'c', cafile: 'f' }, '"cafile" is of no use while "verify" is CERT_NONE'],
  ['upstream', { verify: 'CERT_NONE', capath: 'd' }, '"capath" is of no use while "verify" is CERT_NONE'],
  [
    'listen',
    { cert: 'c', verify: 'CERT_REQUIRED' },
    '"verify" is CERT_REQUIRED, so say by whom client certificates are good: "cafile", "capath" or "cadata"',
  ],
]

test('settleTls() refuses what is wrong, missing or of no use, naming side and setting', () => {
  for (const [role, init, problem] of REFUSED) {
    assert.throws(() => settleTls(init, role), { name: 'ConfigError', message: `${role} TLS: ${problem}` })
  }
})

test('settleTls() takes protocols of up to 255 bytes', () => {
  const longest = 'a'.repeat(255)
  assert.deepEqual(settleTls({ alpn: [longest] }, 'upstream').alpn, [longest])
  assert.throws(
    () => settleTls({ alpn: [`${longest}a`] }, 'upstream'),
    /wanted different names of 1 to 255 bytes/,
  )
})
