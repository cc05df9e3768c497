import assert from 'node:assert/strict'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import type { ListenTlsInit } from '../../../src/config/index.ts'
import {
  aCertificate,
  bCertificate,
  commonNameCertificate,
  oldCertificate,
  rsaCertificate,
} from 'test-support/named-certificates'
import { certificateFiles } from '../../support/certificate-files.ts'
import { listen } from '../../support/connections.ts'
import { namedFiles, shownName } from '../../support/named-files.ts'
import { startRelay, type TestRelay } from '../../support/relay.ts'

/** A relay whose address has a certificate for localhost, unless `source` says otherwise. */
async function ending(t: TestContext, tls: ListenTlsInit, source?: string): Promise<TestRelay> {
  const upstream = await listen(t)
  return startRelay(t, `127.0.0.1:${upstream.port}`, { source: source ?? certificateFiles(t).source, tls })
}

test('the server name chooses among the certificates of a directory, and all others get that of the address', async t => {
  const { directory, write } = namedFiles(t)
  write('cn.crt', commonNameCertificate.cert)
  write('cn.key', commonNameCertificate.key)
  const { port } = await ending(t, { directory })
  for (const [servername, name] of [
    ['a.example', 'a'],
    ['X.a.example', 'a'],
    ['x.y.a.example', 'localhost'],
    ['b.example', 'b'],
    ['cn.example', 'cn.example'],
    ['c.example', 'localhost'],
    ['', 'localhost'],
  ] as const) {
    assert.equal(await shownName(t, port, { servername }), name, servername)
  }
})

test('without a certificate in the address the first one of the list serves all other names', async t => {
  const { directory, write } = namedFiles(t)
  const certificates = [{ cert: write('b.pem', `${bCertificate.cert}\n${bCertificate.key}`) }]
  const { port } = await ending(t, { certificates, directory }, 'ssl://127.0.0.1:0')
  assert.equal(await shownName(t, port, { servername: 'c.example' }), 'b')
  assert.equal(await shownName(t, port, { servername: 'a.example' }), 'a')
})

test('of two certificates for a name the one that suits the client is used, and of one kind that which expires last', async t => {
  const { directory, write } = namedFiles(t)
  write('rsa.pem', `${rsaCertificate.cert}\n${rsaCertificate.key}`)
  write('old.pem', `${oldCertificate.cert}\n${oldCertificate.key}`)
  write('z.pem', `${oldCertificate.cert}\n${oldCertificate.key}`)
  const { port } = await ending(t, { directory })
  const name = { servername: 'a.example' }
  assert.equal(await shownName(t, port, { ...name, sigalgs: 'ECDSA+SHA256' }), 'a')
  assert.equal(await shownName(t, port, { ...name, sigalgs: 'RSA-PSS+SHA256' }), 'rsa')
  assert.equal(await shownName(t, port, { servername: 'b.example' }), 'b')
})

for (const unknownNames of ['default', 'reject'] as const) {
  test(`a reload takes new certificates of the directory, and keeps the old ones if one cannot be used (${unknownNames})`, async t => {
    const { directory, write } = namedFiles(t)
    const relay = await ending(t, { directory, unknownNames })
    const seen = (servername: string): Promise<string> => shownName(t, relay.port, { servername })
    assert.equal(relay.reloadCertificates(), false)
    assert.equal(await seen('a.example'), 'a')
    write('a.crt', rsaCertificate.cert)
    assert.throws(() => relay.reloadCertificates(), /a\.key": its key is not that of the certificate/)
    assert.equal(await seen('a.example'), 'a')
    write('a.key', rsaCertificate.key)
    assert.equal(relay.reloadCertificates(), true)
    assert.equal(await seen('a.example'), 'rsa')
    write('a.crt', aCertificate.cert)
    write('a.key', aCertificate.key)
    write('b.pem', `${oldCertificate.cert}\n${oldCertificate.key}`)
    assert.equal(relay.reloadCertificates(), true)
    assert.deepEqual([await seen('a.example'), await seen('b.example')], ['a', 'old'])
  })
}

test('a directory must have a pair, and what cannot be used is named', async t => {
  const { directory, write } = namedFiles(t)
  write('c.pem', aCertificate.cert)
  await assert.rejects(ending(t, { directory }), /^ConfigError: listen TLS: "cert" ".*c\.pem": its key: /)
  for (const file of ['a.crt', 'b.pem', 'c.pem']) rmSync(join(directory, file))
  await assert.rejects(
    ending(t, { directory }),
    /^ConfigError: listen TLS: "directory" ".*": it must have NAME\.crt beside NAME\.key, or NAME\.pem, got neither/,
  )
  await assert.rejects(
    ending(t, { directory: join(directory, 'missing') }),
    /"directory" ".*missing": ENOENT/,
  )
})
