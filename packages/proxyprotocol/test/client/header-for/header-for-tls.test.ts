// headerFor() with tls: what the receiver learns of the client's TLS connection, as far as Node knows it for certain.

import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import http2 from 'node:http2'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { test } from 'node:test'
import tls, { type PeerCertificate, type TLSSocket } from 'node:tls'
import { certificate, clientCertificate, rsaCertificate } from 'test-support/certificates'
import { untyped } from 'test-support/untyped'
import { quote } from '../../../src/checks/index.ts'
import { keyName, signatureName } from '../../../src/client/header-for/certificate-names.ts'
import { headerFor, type HeaderForOptions } from '../../../src/client/index.ts'
import {
  encodeHeader,
  parseHeader,
  readTlvs,
  tlv,
  tlvType,
  type TlvValues,
} from '../../../src/codec/index.ts'
import { listenAttached } from '../../support/attached.ts'
import { encode, DESTINATION, SOURCE } from '../../support/headers.ts'
import { createHarness, type Harness } from '../../support/harness.ts'

const HOST = '127.0.0.1'
const ASKS_FOR_CERTIFICATE = { requestCert: true, rejectUnauthorized: false, ca: certificate.cert }

/** The two ends of a TLS connection. */
async function connected(
  harness: Harness,
  options: tls.TlsOptions = {},
  from: tls.ConnectionOptions = {},
): Promise<{ readonly accepted: TLSSocket; readonly client: TLSSocket }> {
  const server = tls.createServer({ ...certificate, ...options }).listen(0, HOST)
  await once(server, 'listening')
  const connection = once(server, 'secureConnection') as Promise<[TLSSocket]>
  const { port } = server.address() as AddressInfo
  const client = tls.connect({ host: HOST, port, rejectUnauthorized: false, ...from })
  client.on('error', () => {})
  const [accepted] = await connection
  accepted.on('error', () => {})
  harness.defer(() => {
    client.destroy()
    accepted.destroy()
  })
  server.close()
  return { accepted, client }
}

/** What the receiver of a header reads. */
function received(socket: Socket, options: HeaderForOptions): TlvValues {
  return readTlvs(parseHeader(encodeHeader(headerFor(socket, options))))
}

test('headerFor() says nothing of TLS unless it is asked to', async t => {
  const { accepted } = await connected(createHarness(t))
  assert.deepEqual(headerFor(accepted).tlvs, [])
  assert.deepEqual(headerFor(accepted, { tls: false }).tlvs, [])
})

test('headerFor() with tls tells version, cipher, protocol, name and the server certificate', async t => {
  const options = { ALPNProtocols: ['h2', 'http/1.1'] }
  const { accepted } = await connected(createHarness(t), options, { ...options, servername: 'localhost' })
  const { ssl, alpn, authority } = received(accepted, { tls: true })
  assert.deepEqual([alpn, authority], ['h2', 'localhost'])
  assert.equal(ssl?.encrypted, true)
  assert.deepEqual(
    [ssl.version, ssl.cipher, ssl.sigAlg, ssl.keyAlg],
    ['TLSv1.3', 'TLS_AES_256_GCM_SHA384', 'ecdsa-with-SHA256', 'EC256'],
  )
  assert.deepEqual([ssl.client, ssl.clientVerified, ssl.cn, ssl.clientCert], [1, false, undefined, undefined])
  assert.deepEqual([ssl.group, ssl.sigScheme], [undefined, undefined])
})

test('Node does not tell a server the group of the key exchange, nor which signature scheme was chosen', async t => {
  const { accepted } = await connected(createHarness(t))
  assert.equal(accepted.getEphemeralKeyInfo(), null)
  assert.ok(accepted.getSharedSigalgs().length > 1, 'a list of what both could have used')
})

test('headerFor() with tls tells TLS 1.2 and an RSA certificate by the names that OpenSSL has for them', async t => {
  const options = {
    ...rsaCertificate,
    maxVersion: 'TLSv1.2',
    ciphers: 'ECDHE-RSA-AES128-GCM-SHA256',
  } as const
  const { accepted } = await connected(createHarness(t), options)
  const { ssl, alpn, authority } = received(accepted, { tls: true })
  assert.deepEqual(
    [ssl?.version, ssl?.cipher, ssl?.sigAlg, ssl?.keyAlg],
    ['TLSv1.2', 'ECDHE-RSA-AES128-GCM-SHA256', 'RSA-SHA256', 'RSA2048'],
  )
  assert.deepEqual([alpn, authority], [undefined, undefined], 'where the client offered none')
})

test('headerFor() with tls tells a client certificate that was verified, and sends it only by its name', async t => {
  const { accepted } = await connected(createHarness(t), ASKS_FOR_CERTIFICATE, clientCertificate)
  const { ssl } = received(accepted, { tls: true })
  assert.deepEqual(
    [ssl?.client, ssl?.clientVerified, ssl?.cn, ssl?.clientCert],
    [7, true, 'Zoë Client', undefined],
  )
  const der = received(accepted, { tls: ['clientCert'] }).ssl?.clientCert
  assert.ok(der && new X509Certificate(der).raw.equals(new X509Certificate(clientCertificate.cert).raw))
})

test('headerFor() with tls tells a client certificate that was not verified as such', async t => {
  const { accepted } = await connected(createHarness(t), ASKS_FOR_CERTIFICATE, rsaCertificate)
  const { ssl } = received(accepted, { tls: true })
  assert.deepEqual([ssl?.client, ssl?.verify, ssl?.clientVerified, ssl?.cn], [7, 1, false, 'localhost'])
})

test('headerFor() with tls tells no verified client where a certificate was asked for and none came', async t => {
  const { accepted } = await connected(createHarness(t), ASKS_FOR_CERTIFICATE)
  const { ssl } = received(accepted, { tls: ['cn', 'clientCert'] })
  assert.deepEqual(
    [ssl?.client, ssl?.clientVerified, ssl?.cn, ssl?.clientCert],
    [1, false, undefined, undefined],
  )
})

for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
  test(`headerFor() with tls tells that a certificate is of the session and not of the connection (${version})`, async t => {
    const harness = createHarness(t)
    const told: unknown[] = []
    const options = { ...certificate, ...ASKS_FOR_CERTIFICATE, maxVersion: version }
    const server = tls.createServer(options, socket => {
      socket.on('error', () => {})
      const { ssl } = received(socket, { tls: true })
      told.push([ssl?.client, ssl?.clientVerified, ssl?.cn])
      socket.end('hello')
    })
    const { port } = await listenAttached(harness, server, { trust: 'anyone' })
    let session: Buffer | undefined
    for (let i = 0; i < 2; i++) {
      const raw = harness.dial(port)
      raw.write(encode({ source: SOURCE, destination: DESTINATION }))
      await once(raw, 'connect')
      const client = tls.connect({ socket: raw, rejectUnauthorized: false, ...clientCertificate, session })
      client.on('session', (ticket: Buffer) => (session = ticket))
      await once(client.resume(), 'end')
      client.end()
    }
    assert.deepEqual(told, [
      [7, true, 'Zoë Client'],
      [5, true, 'Zoë Client'],
    ])
  })
}

test('headerFor() with a list tells version and verification, and else what the list names', async t => {
  const from = { ...clientCertificate, servername: 'localhost', ALPNProtocols: ['h2'] }
  const { accepted } = await connected(
    createHarness(t),
    { ...ASKS_FOR_CERTIFICATE, ALPNProtocols: ['h2'] },
    from,
  )
  const types = (tls: HeaderForOptions['tls']): unknown => {
    const { ssl } = received(accepted, { tls })
    return [headerFor(accepted, { tls }).tlvs?.map(({ type }) => type), ssl?.tlvs.map(({ type }) => type)]
  }
  const { alpn, authority, ssl, sslVersion, sslCn, sslCipher, sslSigAlg, sslKeyAlg, sslClientCert } = tlvType
  assert.deepEqual(types([]), [[ssl], [sslVersion]])
  assert.deepEqual(types(['alpn']), [[alpn, ssl], [sslVersion]])
  assert.deepEqual(types(['authority', 'cn']), [
    [authority, ssl],
    [sslVersion, sslCn],
  ])
  assert.deepEqual(types(['cipher', 'sigAlg']), [[ssl], [sslVersion, sslCipher, sslSigAlg]])
  assert.deepEqual(types(['keyAlg', 'clientCert']), [[ssl], [sslVersion, sslKeyAlg, sslClientCert]])
  assert.deepEqual(types(true), [
    [alpn, authority, ssl],
    [sslVersion, sslCn, sslCipher, sslSigAlg, sslKeyAlg],
  ])
  assert.equal(received(accepted, { tls: [] }).ssl?.clientVerified, true)
})

test('headerFor() keeps within the limits of real receivers: 46 bytes with the version, 116 with all that `true` tells', async t => {
  const from = { servername: 'localhost', ALPNProtocols: ['h2'] }
  const { accepted } = await connected(createHarness(t), { ALPNProtocols: ['h2'] }, from)
  const size = (tls: HeaderForOptions['tls']): number => encodeHeader(headerFor(accepted, { tls })).length
  assert.deepEqual([size(false), size([]), size(['alpn', 'authority', 'cipher'])], [28, 46, 88])
  assert.equal(size(true), 116)
})

test('headerFor() with tls tells nothing of a socket without TLS, nor in version 1', async t => {
  const harness = createHarness(t)
  const server = createServer().listen(0, HOST)
  await once(server, 'listening')
  const connection = once(server, 'connection') as Promise<[Socket]>
  harness.dial((server.address() as AddressInfo).port)
  const [socket] = await connection
  assert.deepEqual(headerFor(socket, { tls: true }).tlvs, [])
  socket.destroy()
  server.close()
  const { accepted } = await connected(harness)
  assert.throws(() => encodeHeader(headerFor(accepted, { tls: true, version: 1 })), TypeError)
})

test('headerFor() with tls takes the view that http2 gives of its socket', async t => {
  const harness = createHarness(t)
  const told: unknown[] = []
  const server = http2.createSecureServer(certificate, ({ socket, stream }, response) => {
    for (const each of [socket, stream.session?.socket ?? socket]) {
      const { alpn, ssl } = received(each, { tls: true })
      told.push([alpn, ssl?.version, headerFor(each)])
    }
    response.end()
  })
  const { port } = await listenAttached(harness, server)
  const raw = harness.dial(port)
  raw.write(encode({ source: SOURCE, destination: DESTINATION }))
  await once(raw, 'connect')
  const secure = tls.connect({ socket: raw, rejectUnauthorized: false, ALPNProtocols: ['h2'] })
  const session = http2.connect('https://localhost', { createConnection: () => secure })
  await once(session.request().resume(), 'end')
  session.close()
  await once(session, 'close')
  const header = { version: 2, source: SOURCE, destination: DESTINATION, tlvs: [] }
  assert.deepEqual(told, [
    ['h2', 'TLSv1.3', header],
    ['h2', 'TLSv1.3', header],
  ])
})

test('headerFor() with tls refuses a socket that is gone, also one whose addresses are known from its header', async t => {
  const harness = createHarness(t)
  const server = tls.createServer(certificate)
  const { port } = await listenAttached(harness, server)
  const raw = harness.dial(port)
  raw.write(encode({ source: SOURCE, destination: DESTINATION }))
  await once(raw, 'connect')
  const connection = once(server, 'secureConnection') as Promise<[TLSSocket]>
  tls.connect({ socket: raw, rejectUnauthorized: false }).on('error', () => {})
  const [accepted] = await connection
  accepted.destroy()
  await once(accepted, 'close')
  assert.equal(accepted.remoteAddress, SOURCE.address)
  assert.throws(() => headerFor(accepted, { tls: true }), { code: 'client_reset' })
})

test('headerFor() puts what it tells itself before the TLVs that it is given, as the first of a type counts', async t => {
  const { accepted } = await connected(createHarness(t), {}, { servername: 'localhost' })
  const options = {
    tls: true,
    uniqueId: 'abc',
    checksum: true,
    tlvs: [tlv.authority('forged.example')],
  } as const
  const types = headerFor(accepted, options).tlvs?.map(({ type }) => type)
  const { checksum, uniqueId, authority, ssl } = tlvType
  assert.deepEqual(types, [checksum, uniqueId, authority, ssl, authority])
  assert.equal(received(accepted, options).authority, 'localhost')
})

test('headerFor() names a fact that does not exist', async t => {
  const { accepted } = await connected(createHarness(t))
  for (const facts of [['alpn', 'group'], 'alpn', [1], null, 1n]) {
    assert.throws(() => headerFor(accepted, { tls: untyped(facts) }), {
      name: 'TypeError',
      message: `tls must be true, false or a list of alpn, authority, cipher, cn, sigAlg, keyAlg, clientCert, got ${quote(facts)}`,
    })
  }
})

test('certificates of algorithms without a name here have none', () => {
  const der = (cert: string): Buffer => new X509Certificate(cert).raw
  const raw = der(certificate.cert)
  const at = raw.indexOf(Buffer.from('2a8648ce3d040302', 'hex'), raw.length - 100)
  raw[at + 7] = 9
  const other: PeerCertificate = untyped({ raw, bits: 256 })
  assert.deepEqual([signatureName(other), keyName(other)], [undefined, undefined])
})
