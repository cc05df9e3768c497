import assert from 'node:assert/strict'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { clientCertificate } from 'test-support/certificates'
import { emptyList, revokingList } from 'test-support/named-certificates'
import { createRelay } from '../../../src/relay/index.ts'
import { type ListenTlsInit, parseConfig, parseService } from '../../../src/config/index.ts'
import { certificateFiles } from '../../support/certificate-files.ts'
import { listen } from '../../support/connections.ts'
import { refusedWith, shownName } from '../../support/named-files.ts'
import { startRelay } from '../../support/relay.ts'
import { dialSecure } from '../../support/secure.ts'

test('ciphers, minVersion and maxVersion hold for each client', async t => {
  const upstream = await listen(t)
  const relay = await startRelay(t, `127.0.0.1:${upstream.port}`, {
    source: certificateFiles(t).source,
    tls: { maxVersion: 'TLSv1.2', ciphers: 'ECDHE+AESGCM:!RC4:@SECLEVEL=2' },
  })
  const { secure } = dialSecure(t, relay.port)
  await once(secure, 'secureConnect')
  assert.equal(secure.getProtocol(), 'TLSv1.2')
  assert.match(secure.getCipher().name, /^ECDHE-ECDSA-AES(?:128|256)-GCM/)
  secure.end()
  const ciphers = 'ECDHE-ECDSA-CHACHA20-POLY1305'
  assert.match(String(await refusedWith(t, relay.port, { ciphers })), /ALERT_HANDSHAKE_FAILURE$/)

  const source = `${certificateFiles(t).source}&minversion=TLSv1.2`
  const newest = await startRelay(t, `127.0.0.1:${upstream.port}`, { source, tls: { minVersion: 'TLSv1.3' } })
  const old = { maxVersion: 'TLSv1.2' } as const
  assert.equal(await refusedWith(t, newest.port, old), 'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION')
})

test('a client certificate that a list revokes is refused, as soon as the list is read', async t => {
  const upstream = await listen(t)
  const { source, cert, directory } = certificateFiles(t)
  const crl = join(directory, 'revoked.pem')
  writeFileSync(crl, emptyList)
  const relay = await startRelay(t, `127.0.0.1:${upstream.port}`, {
    source: `${source}&verify=CERT_REQUIRED&cafile=${cert}`,
    tls: { crl: [crl] },
  })
  const client = { ...clientCertificate, maxVersion: 'TLSv1.2' } as const
  assert.equal(await shownName(t, relay.port, client), 'localhost')
  writeFileSync(crl, revokingList)
  assert.equal(relay.reloadCertificates(), true)
  assert.equal(await refusedWith(t, relay.port, client), 'ECONNRESET')
  writeFileSync(crl, 'no list')
  assert.throws(
    () => relay.reloadCertificates(),
    /"crl" ".*revoked\.pem": it has no list of revoked certificates in PEM/,
  )
  writeFileSync(crl, revokingList.replace(/\n.*\n.*\n/, '\n'))
  assert.throws(() => relay.reloadCertificates(), /"crl" ".*revoked\.pem": /)
})

function faults(tls: ListenTlsInit, listen: string | string[] = 'ssl://:1?cert=c&alpn=h2'): string[] {
  try {
    parseConfig({ services: [{ listen, upstream: ':2', tls }] })
  } catch (error) {
    return (error as Error).message.split('\n').map(line => line.replace('configuration: services[0].', ''))
  }
  return []
}

test('what is wrong with tls is said, with the nearest right thing', () => {
  const upstreams = [':3']
  assert.deepEqual(faults({ ciphers: 'ECDHE+AESGCM:AES128-GCM-SHA265' }), [
    'tls.ciphers must be an OpenSSL list of ciphers, got "AES128-GCM-SHA265"; did you mean "AES128-GCM-SHA256"?',
  ])
  assert.deepEqual(faults({ ciphers: '' }), ['tls.ciphers must be an OpenSSL list of ciphers, got ""'])
  assert.deepEqual(faults({ maxVersion: 'TLSv1.2', minVersion: 'TLSv1.3' }), [
    'tls.maxVersion must not be older than "minVersion", got "TLSv1.2"',
  ])
  assert.deepEqual(faults({}, ':1'), [
    'tls must stand beside a `listen` with TLS, which starts with "ssl://" or "tls://", got none',
  ])
  assert.deepEqual(faults({}, 'ssl://:1'), [
    'listen must have "cert", or stand beside `tls` with `certificates` or `directory`, got neither',
  ])
  assert.deepEqual(faults({ crl: ['a.pem'] }), [
    'tls.crl must stand beside a "verify" other than CERT_NONE in `listen`, got none',
  ])
  assert.deepEqual(faults({ routes: [{ alpn: ['h2', 'acme-tls/1'], upstreams }] }), [
    'tls.routes[0].alpn[1] must be in "alpn" of `listen`, or its route needs `passthrough`, got "acme-tls/1"',
  ])
  assert.deepEqual(faults({ routes: [{ alpn: ['acme-tls/1'], passthrough: true, upstreams }] }), [])
  assert.deepEqual(
    faults({
      routes: [{ upstreams }, { alpn: ['h2'], upstreams: [':4'] }, { alpn: ['h2'], upstreams: [':5'] }],
    }),
    [
      'tls.routes[0] must have `names`, `alpn` or both, got neither',
      'tls.routes[2].alpn[0] must be another protocol, got "h2" twice',
    ],
  )
  assert.deepEqual(faults({ routes: [{ alpn: ['a b'], upstreams }] }), [
    'tls.routes[0].alpn[0] must be a protocol of 1 to 255 bytes, got "a b"',
    'tls.routes[0].alpn[0] must be in "alpn" of `listen`, or its route needs `passthrough`, got "a b"',
  ])
  assert.deepEqual(faults({ routes: [{ alpn: ['h2'], upstreams: [':2'] }] }), [
    "tls.routes[0].upstreams must be another upstream, got a second 'localhost:2'; give one more weight, or a name of its own",
  ])
  assert.deepEqual(faults({ unknown: 1 } as ListenTlsInit), [
    'tls.unknown must be one of the keys certificates, directory, unknownNames, routes, ciphers, minVersion, maxVersion, crl',
  ])
})

test('a relay without a certificate is refused, also if no configuration was checked', () => {
  const service = parseService('ssl://:1', ':2', { tls: { directory: 'certificates' } })
  assert.throws(
    () => createRelay({ ...service, tls: undefined }),
    /listen TLS: "cert" must be the file of the certificate, got nothing/,
  )
})
