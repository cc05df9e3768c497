// Several upstreams with TLS: each has certificates and settings of its own, also when they are read anew.

import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { otherCertificate } from 'test-support/certificates'
import { content } from 'test-support/sockets'
import { ConfigError } from '../../src/config/index.ts'
import { certificateFiles } from '../support/certificate-files.ts'
import { startRelay } from '../support/relay.ts'
import { listenSecure } from '../support/secure.ts'
import { dial, listen, outcome } from '../support/connections.ts'

test('each upstream is asked for the name, and checked by the authorities, of its own address', async t => {
  const { cert, otherCert } = certificateFiles(t)
  const [one, other, plain] = [
    await listenSecure(t),
    await listenSecure(t, otherCertificate),
    await listen(t),
  ]
  const relay = await startRelay(t, [
    `ssl://127.0.0.1:${one.port}?cafile=${cert}&servername=localhost`,
    `ssl://127.0.0.1:${other.port}?cafile=${otherCert}`,
    `127.0.0.1:${plain.port}?pp=noop`,
  ])
  const asked: unknown[] = []
  for (const upstream of [one, other]) {
    const client = dial(t, relay.port).end('hello')
    const { secure, header } = await upstream.accept()
    assert.equal(header?.command, 'PROXY')
    asked.push(secure.servername)
    assert.equal((await content(secure)).toString(), 'hello')
    secure.end()
    await content(client)
  }
  assert.deepEqual(asked, ['localhost', false])
  const client = dial(t, relay.port).end('hello')
  const far = await plain.accept()
  assert.equal((await content(far)).toString(), 'hello')
  far.end()
  await content(client)
  await relay.record(2)
  assert.deepEqual(
    relay.records.map(({ reason, attempts }) => [reason, attempts]),
    [
      ['done', 1],
      ['done', 1],
      ['done', 1],
    ],
  )
})

test('files of one of several upstreams are read anew, and one that is wrong changes none of them', async t => {
  const { cert, key, otherCert } = certificateFiles(t)
  const upstream = await listenSecure(t, otherCertificate)
  const relay = await startRelay(
    t,
    [
      { address: `ssl://127.0.0.1:${upstream.port}?cafile=${cert}` },
      { address: `ssl://127.0.0.1:${upstream.port}?cafile=${otherCert}&cert=${cert}&key=${key}`, name: 'b' },
    ],
    { retries: 0 },
  )
  const served = async (n: number): Promise<string> => {
    const client = dial(t, relay.port).end('x')
    const { secure } = await upstream.accept()
    secure.resume().end()
    await content(client)
    return (await relay.record(n)).reason
  }
  assert.equal(relay.reloadCertificates(), false)
  writeFileSync(key, 'no key')
  writeFileSync(cert, otherCertificate.cert)
  assert.throws(() => relay.reloadCertificates(), ConfigError)
  void upstream.failure()
  assert.equal((await outcome(dial(t, relay.port))).error, 'ECONNRESET')
  assert.equal((await relay.record()).reason, 'tls_upstream_error')
  assert.equal(await served(1), 'done')
  writeFileSync(key, otherCertificate.key)
  assert.equal(relay.reloadCertificates(), true)
  assert.equal(await served(2), 'done')
})
