// What is read of the files that TLS settings name, and what is said of each that cannot be used.

import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { certificate, clientCertificate } from 'test-support/certificates'
import { temporaryFolder } from 'test-support/folder'
import { ConfigError, settleTls, type AddressRole, type TlsInit } from '../../src/config/index.ts'
import { readTlsFiles } from '../../src/config/tls-files.ts'
import { certificateFiles } from '../support/certificate-files.ts'

function problemOf(init: TlsInit, role: AddressRole): string {
  try {
    readTlsFiles(settleTls(init, role), role)
  } catch (error) {
    assert.ok(error instanceof ConfigError, String(error))
    return error.message
  }
  return assert.fail('it was accepted')
}

test('readTlsFiles() reads certificate, key and authorities', t => {
  const { cert, key, clientCert, clientKey } = certificateFiles(t)
  const settings = settleTls(
    { cert, key, verify: 'CERT_REQUIRED', cafile: cert, cadata: clientCertificate.cert },
    'listen',
  )
  assert.deepEqual(readTlsFiles(settings, 'listen'), {
    minVersion: 'TLSv1.2',
    ...certificate,
    ca: [certificate.cert, clientCertificate.cert],
  })
  const client = settleTls({ cert: clientCert, key: clientKey, minVersion: 'TLSv1.3' }, 'upstream')
  assert.deepEqual(readTlsFiles(client, 'upstream'), { minVersion: 'TLSv1.3', ...clientCertificate })
  assert.deepEqual(readTlsFiles(settleTls({}, 'upstream'), 'upstream'), { minVersion: 'TLSv1.2' })
})

test('readTlsFiles() finds the key in the file of the certificate where none is named', t => {
  const file = join(temporaryFolder(t), 'both.pem')
  const both = `${certificate.cert}\n${certificate.key}\n`
  writeFileSync(file, both)
  const { cert, key } = readTlsFiles(settleTls({ cert: file }, 'listen'), 'listen')
  assert.deepEqual([cert, key], [both, both])
})

test('readTlsFiles() takes of a directory what has the name that openssl looks for', t => {
  const at = temporaryFolder(t)
  writeFileSync(join(at, '0a1b2c3d.0'), certificate.cert)
  writeFileSync(join(at, '0a1b2c3d.r0'), 'a revocation list')
  writeFileSync(join(at, 'other.pem'), clientCertificate.cert)
  const { ca } = readTlsFiles(settleTls({ capath: at }, 'upstream'), 'upstream')
  assert.deepEqual(ca, [certificate.cert])
})

test('readTlsFiles() names side, setting, file and problem', t => {
  const { directory: at, cert, key, otherKey } = certificateFiles(t)
  const file = (name: string, text: string | Uint8Array): string => {
    const path = join(at, name)
    writeFileSync(path, text)
    return path
  }
  const none = join(at, 'none.pem')
  const empty = file('empty.pem', '')
  const cut = file('cut.pem', certificate.cert.slice(0, 300))
  const wrong = file('wrong.pem', certificate.cert.replace('MIIB', 'AAAA'))
  const weak = generateKeyPairSync('rsa', { modulusLength: 512 }).privateKey.export({
    type: 'pkcs8',
    format: 'pem',
  })
  const locked = generateKeyPairSync('ed25519').privateKey.export({
    type: 'pkcs8',
    format: 'pem',
    cipher: 'aes-256-cbc',
    passphrase: 'secret',
  })
  mkdirSync(join(at, 'ca'))
  mkdirSync(join(at, 'bad-ca'))
  writeFileSync(join(at, 'bad-ca', '0a1b2c3d.0'), 'nothing')
  const expected: readonly (readonly [TlsInit, string, RegExp])[] = [
    [{ cert: none, key }, `"cert" "${none}"`, /ENOENT: no such file/],
    [{ cert: at, key }, `"cert" "${at}"`, /EISDIR/],
    [{ cert: empty, key }, `"cert" "${empty}"`, /it has no certificate in PEM/],
    [{ cert: cut, key }, `"cert" "${cut}"`, /it has no certificate in PEM/],
    [{ cert: wrong, key }, `"cert" "${wrong}"`, /./],
    [{ cert }, `"cert" "${cert}": its key`, /./],
    [{ cert, key: none }, `"key" "${none}"`, /ENOENT: no such file/],
    [{ cert, key: empty }, `"key" "${empty}": its key`, /./],
    [
      { cert, key: otherKey },
      `"key" "${otherKey}"`,
      /its key is not that of the certificate in ".*cert\.pem"/,
    ],
    [
      { cert, key: file('weak.pem', weak) },
      `"key" "${join(at, 'weak.pem')}"`,
      /is not that of the certificate/,
    ],
    [{ cert, key: file('locked.pem', locked) }, `"key" "${join(at, 'locked.pem')}": its key`, /./],
    [{ cafile: none }, `"cafile" "${none}"`, /ENOENT: no such file/],
    [{ cafile: key }, `"cafile" "${key}"`, /it has no certificate in PEM/],
    [{ capath: none }, `"capath" "${none}"`, /ENOENT: no such file/],
    [
      { capath: join(at, 'ca') },
      `"capath" "${join(at, 'ca')}"`,
      /no certificate in it has a name .* "openssl rehash"/,
    ],
    [{ capath: join(at, 'bad-ca') }, `"capath" "${join(at, 'bad-ca')}": 0a1b2c3d.0`, /it has no certificate/],
    [{ cadata: 'nothing' }, '"cadata"', /it has no certificate in PEM/],
  ]
  for (const [init, where, why] of expected) {
    const problem = problemOf(init, 'upstream')
    assert.ok(problem.startsWith(`upstream TLS: ${where}: `), problem)
    assert.match(problem, why)
  }
})
