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

const SETTINGS = 'cert, key, verify, cafile, capath, cadata, minVersion, alpn, servername'

const REFUSED: readonly (readonly [AddressRole, TlsInit, string])[] = [
  ['listen', {}, '"cert" must be the file of the certificate, got nothing'],
  ['listen', { key: 'k' }, '"key" must stand beside "cert", got it alone'],
  ['upstream', { key: 'k' }, '"key" must stand beside "cert", got it alone'],
  [
    'upstream',
    untyped({ minversion: 'TLSv1.3' }),
    `its settings must be of ${SETTINGS}, got "minversion"; did you mean "minVersion"?`,
  ],
  ['upstream', untyped({ timeout: 1 }), `its settings must be of ${SETTINGS}, got "timeout"`],
  [
    'listen',
    untyped({ cert: 'c', verify: 'required' }),
    '"verify" must be one of CERT_NONE, CERT_OPTIONAL, CERT_REQUIRED, got "required"',
  ],
  [
    'upstream',
    untyped({ minVersion: 'TLSv1.1' }),
    '"minVersion" must be one of TLSv1.2, TLSv1.3, got "TLSv1.1"',
  ],
  ['upstream', { alpn: ['h2', 'h2'] }, '"alpn" must be different names of 1 to 255 bytes, got "h2"'],
  ['upstream', { alpn: ['a b'] }, '"alpn" must be different names of 1 to 255 bytes, got "a b"'],
  ['upstream', { alpn: [''] }, '"alpn" must be different names of 1 to 255 bytes, got ""'],
  [
    'upstream',
    { servername: '192.0.2.1' },
    '"servername" must be a host name and not an IP address, got "192.0.2.1"',
  ],
  ['listen', { cert: 'c', servername: 'example.org' }, '"servername" must stand in upstream addresses only'],
  [
    'upstream',
    { verify: 'CERT_OPTIONAL' },
    '"verify" must be CERT_REQUIRED or CERT_NONE for upstreams, got CERT_OPTIONAL',
  ],
  ['listen', { cert: 'c', cafile: 'f' }, '"cafile" must stand beside a "verify" other than CERT_NONE'],
  [
    'upstream',
    { verify: 'CERT_NONE', capath: 'd' },
    '"capath" must stand beside a "verify" other than CERT_NONE',
  ],
  [
    'listen',
    { cert: 'c', verify: 'CERT_REQUIRED' },
    '"verify" CERT_REQUIRED must stand beside "cafile", "capath" or "cadata", which sign the client certificates',
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
    /"alpn" must be different names of 1 to 255 bytes/,
  )
})
