// TLS that ends at the relay, TLS that begins there, and both: who is let in, what each side is told, and what the upstream
// learns of the client.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test, type TestContext } from 'node:test'
import { decodeHeader, readTlvs, type TlvValues } from 'proxyprotocol'
import { certificate, clientCertificate, otherCertificate } from 'test-support/certificates'
import { content, until } from 'test-support/sockets'
import { certificateFiles } from '../support/certificate-files.ts'
import { startRelay } from '../support/relay.ts'
import { dialSecure, listenSecure } from '../support/secure.ts'
import { chunk, dial, listen, MEBIBYTE, outcome, random, sha256 } from '../support/connections.ts'

/** What an upstream without TLS learns of a client with these options, and the text behind the header. */
async function told(
  t: TestContext,
  settings: string,
  client: Parameters<typeof dialSecure>[2],
  options: Parameters<typeof startRelay>[2] = {},
): Promise<{ tlvs: TlvValues; text: string }> {
  const upstream = await listen(t)
  const relay = await startRelay(t, `127.0.0.1:${upstream.port}`, {
    ...options,
    source: certificateFiles(t).source + settings,
  })
  dialSecure(t, relay.port, client).secure.end('hello')
  const bytes = await content(await upstream.accept())
  const result = decodeHeader(bytes)
  assert.equal(result.status, 'header')
  return { tlvs: readTlvs(result.header), text: bytes.subarray(result.byteLength).toString() }
}

test('TLS of the client ends at the relay, and the upstream learns of it', async t => {
  const { tlvs, text } = await told(t, '&alpn=h2,http/1.1', { ALPNProtocols: ['http/1.1'] })
  assert.equal(text, 'hello')
  const { ssl, alpn, authority } = tlvs
  assert.deepEqual([alpn, authority], ['http/1.1', 'localhost'])
  assert.deepEqual(
    [ssl?.version, ssl?.client, ssl?.clientVerified, ssl?.keyAlg],
    ['TLSv1.3', 1, false, 'EC256'],
  )
  assert.match(ssl?.cipher ?? '', /^TLS_AES/)
})

test('tlsFacts says what the upstream learns of TLS, down to nothing', async t => {
  const { tlvs } = await told(t, '', {}, { tlsFacts: ['authority'] })
  assert.deepEqual([tlvs.authority, tlvs.ssl?.version, tlvs.ssl?.cipher], ['localhost', 'TLSv1.3', undefined])
  const none = await told(t, '', {}, { tlsFacts: false })
  assert.deepEqual([none.tlvs.authority, none.tlvs.ssl], [undefined, undefined])
  assert.equal(none.tlvs.uniqueId?.length, 16)
})

test('a version 1 header has no room for TLS, and says what it says', async t => {
  const upstream = await listen(t)
  const relay = await startRelay(t, `127.0.0.1:${upstream.port}?pp=v1`, {
    source: certificateFiles(t).source,
  })
  dialSecure(t, relay.port).secure.end('hello')
  assert.match((await content(await upstream.accept())).toString(), /^PROXY TCP4 127\.0\.0\.1 .*\r\nhello$/)
})

test('TLS begins at the relay, behind the header, for the host by its name', async t => {
  const upstream = await listenSecure(t)
  const { cert } = certificateFiles(t)
  const relay = await startRelay(t, `ssl://localhost:${upstream.port}?cafile=${cert}`)
  const client = dial(t, relay.port)
  client.end('hello')
  const { secure, header } = await upstream.accept()
  assert.equal(header && readTlvs(header).ssl, undefined)
  assert.deepEqual([secure.servername, secure.alpnProtocol], ['localhost', false])
  assert.equal((await content(secure)).toString(), 'hello')
  secure.end('reply')
  assert.equal((await content(client)).toString(), 'reply')
  const { reason, bytesUp, bytesDown } = await relay.record()
  assert.deepEqual([reason, bytesUp, bytesDown], ['done', 5, 5])
})

test('?pp=noop starts TLS at once', async t => {
  const upstream = await listenSecure(t, {}, { header: false })
  const { cert } = certificateFiles(t)
  const relay = await startRelay(t, `ssl://127.0.0.1:${upstream.port}?pp=noop&cafile=${cert}`)
  dial(t, relay.port).end('hello')
  const { secure } = await upstream.accept()
  assert.equal((await content(secure)).toString(), 'hello')
})

test('servername is the name that is asked for and checked, and alpn what is offered', async t => {
  const upstream = await listenSecure(t, { ALPNProtocols: ['h2', 'http/1.1'] })
  const { cert } = certificateFiles(t)
  const query = `cafile=${cert}&servername=localhost&alpn=http/1.1,h2`
  const relay = await startRelay(t, `ssl://127.0.0.1:${upstream.port}?${query}`)
  dial(t, relay.port)
  const { secure } = await upstream.accept()
  assert.deepEqual([secure.servername, secure.alpnProtocol], ['localhost', 'h2'])
})

test('a protocol that was agreed on with the client is all that the upstream is offered', async t => {
  const upstream = await listenSecure(t, { ALPNProtocols: ['h2', 'http/1.1'] })
  const { cert, source } = certificateFiles(t)
  for (const query of ['', '&alpn=h2']) {
    const relay = await startRelay(t, `ssl://127.0.0.1:${upstream.port}?cafile=${cert}${query}`, {
      source: `${source}&alpn=h2,http/1.1`,
    })
    dialSecure(t, relay.port, { ALPNProtocols: ['http/1.1'] })
    assert.equal((await upstream.accept()).secure.alpnProtocol, 'http/1.1')
  }
})

test('a client that offers only other protocols is refused', async t => {
  const relay = await startRelay(t, '127.0.0.1:1', { source: `${certificateFiles(t).source}&alpn=h2` })
  const { secure } = dialSecure(t, relay.port, { ALPNProtocols: ['http/1.1'] })
  const [error] = (await once(secure, 'error')) as [NodeJS.ErrnoException]
  assert.equal(error.code, 'ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL')
  await until(() => relay.server.stats().closed.tls_client_error === 1)
})

test('minversion refuses older clients, and older upstreams', async t => {
  const { cert, source } = certificateFiles(t)
  const strict = await startRelay(t, '127.0.0.1:1', { source: `${source}&minversion=TLSv1.3` })
  const { secure } = dialSecure(t, strict.port, { maxVersion: 'TLSv1.2' })
  const [error] = (await once(secure, 'error')) as [NodeJS.ErrnoException]
  assert.equal(error.code, 'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION')
  await until(() => strict.server.stats().closed.tls_client_error === 1)

  const upstream = await listenSecure(t, { maxVersion: 'TLSv1.2' })
  for (const minVersion of ['TLSv1.2', 'TLSv1.3']) {
    const relay = await startRelay(
      t,
      `ssl://127.0.0.1:${upstream.port}?cafile=${cert}&minversion=${minVersion}`,
    )
    const cut = outcome(dial(t, relay.port))
    if (minVersion === 'TLSv1.2') {
      const far = await upstream.accept()
      assert.equal(far.secure.getProtocol(), minVersion)
      continue
    }
    await upstream.failure()
    assert.equal((await cut).error, 'ECONNRESET')
    assert.equal((await relay.record()).reason, 'tls_upstream_error')
  }
})

test('an upstream whose certificate is not good is left, and the client reset: the reason says why', async t => {
  const upstream = await listenSecure(t, otherCertificate)
  const { cert } = certificateFiles(t)
  const refused: readonly (readonly [string, RegExp])[] = [
    [`127.0.0.1:${upstream.port}?cafile=${cert}`, /self-signed certificate/],
    [`127.0.0.1:${upstream.port}`, /self-signed certificate/],
  ]
  for (const [place, why] of refused) {
    const relay = await startRelay(t, `ssl://${place}`)
    const cut = outcome(dial(t, relay.port))
    void upstream.failure()
    assert.equal((await cut).error, 'ECONNRESET')
    const { reason, error } = await relay.record()
    assert.equal(reason, 'tls_upstream_error')
    assert.match(error?.message ?? '', why)
  }
})

test('verify=CERT_NONE takes any upstream', async t => {
  const upstream = await listenSecure(t, otherCertificate)
  const relay = await startRelay(t, `ssl://127.0.0.1:${upstream.port}?verify=CERT_NONE`)
  dial(t, relay.port).end('hello')
  const { secure } = await upstream.accept()
  assert.equal((await content(secure)).toString(), 'hello')
})

test('an upstream asks for a certificate, and gets that of cert and key', async t => {
  const upstream = await listenSecure(t, {
    ca: certificate.cert,
    requestCert: true,
    rejectUnauthorized: true,
  })
  const { cert, clientCert, clientKey } = certificateFiles(t)
  const relay = await startRelay(
    t,
    `ssl://127.0.0.1:${upstream.port}?cafile=${cert}&cert=${clientCert}&key=${clientKey}`,
  )
  dial(t, relay.port)
  const { secure } = await upstream.accept()
  assert.deepEqual([secure.authorized, secure.getPeerCertificate().subject.CN], [true, 'Zoë Client'])
})

for (const verify of ['CERT_REQUIRED', 'CERT_OPTIONAL']) {
  for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
    test(`verify=${verify} lets in a client with a good certificate by ${maxVersion}, and says so upstream`, async t => {
      const { cert } = certificateFiles(t)
      const { tlvs, text } = await told(t, `&verify=${verify}&cafile=${cert}`, {
        ...clientCertificate,
        maxVersion,
      })
      assert.equal(text, 'hello')
      assert.ok(tlvs.ssl)
      const { version, cn, clientVerified, client } = tlvs.ssl
      assert.deepEqual([version, cn, clientVerified, client], [maxVersion, 'Zoë Client', true, 7])
    })

    test(`verify=${verify} refuses a client with an untrusted certificate, by ${maxVersion}`, async t => {
      const { cert, source } = certificateFiles(t)
      const upstream = await listen(t)
      const relay = await startRelay(t, `127.0.0.1:${upstream.port}`, {
        source: `${source}&verify=${verify}&cafile=${cert}`,
      })
      const { secure } = dialSecure(t, relay.port, { ...otherCertificate, maxVersion })
      assert.equal((await outcome(secure.end('hello'))).bytes.length, 0)
      assert.equal(upstream.accepted, 0)
      await until(() => relay.server.stats().closed.tls_client_error === 1)
    })
  }
}

test('verify=CERT_REQUIRED refuses a client without a certificate, CERT_OPTIONAL lets it in', async t => {
  const { cert, source } = certificateFiles(t)
  const upstream = await listen(t)
  const relay = await startRelay(t, `127.0.0.1:${upstream.port}`, {
    source: `${source}&verify=CERT_REQUIRED&cafile=${cert}`,
  })
  await outcome(dialSecure(t, relay.port).secure.end('hello'))
  await until(() => relay.server.stats().closed.tls_client_error === 1)
  assert.equal(upstream.accepted, 0)
  const { tlvs } = await told(t, `&verify=CERT_OPTIONAL&cafile=${cert}`, {})
  assert.deepEqual([tlvs.ssl?.client, tlvs.ssl?.clientVerified], [1, false])
})

test('a client that speaks no TLS is counted as tls_client_error', async t => {
  const relay = await startRelay(t, '127.0.0.1:1', { source: certificateFiles(t).source })
  await outcome(dial(t, relay.port).end('GET / HTTP/1.1\r\n\r\n'))
  await until(() => relay.server.stats().closed.tls_client_error === 1)
})

test('an upstream that speaks no TLS is counted as tls_upstream_error, and the client reset', async t => {
  const upstream = await listen(t)
  const relay = await startRelay(t, `ssl://127.0.0.1:${upstream.port}`)
  const cut = outcome(dial(t, relay.port))
  const far = await upstream.accept()
  await chunk(far)
  far.write('220 ready\r\n')
  assert.equal((await cut).error, 'ECONNRESET')
  assert.equal((await relay.record()).reason, 'tls_upstream_error')
})

test('re-encryption passes 1 MiB and a FIN, and 1 MiB and a FIN in reply, in both directions', async t => {
  const upstream = await listenSecure(t)
  const { cert, source } = certificateFiles(t)
  const relay = await startRelay(t, `ssl://127.0.0.1:${upstream.port}?cafile=${cert}`, { source })
  const [request, reply] = [random(MEBIBYTE), random(MEBIBYTE)]
  const client = dialSecure(t, relay.port).secure
  client.end(request)
  const far = await upstream.accept()
  assert.equal(sha256(await content(far.secure)), sha256(request))
  far.secure.end(reply)
  assert.equal(sha256(await content(client)), sha256(reply))
  assert.equal((await relay.record()).reason, 'done')
})
