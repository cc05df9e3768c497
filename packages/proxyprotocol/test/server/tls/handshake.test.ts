// The TLS handshake behind the header, and what a handler learns from it (contract 3, 4 and 24).

import assert from 'node:assert/strict'
import { EventEmitter, once } from 'node:events'
import { test } from 'node:test'
import { connect, createSecureContext, TLSSocket, type TlsOptions } from 'node:tls'
import { certificate, otherCertificate } from 'test-support/certificates'
import { outcome, text } from 'test-support/sockets'
import { connectionInfo, createServer, type Connection } from '../../../src/server/index.ts'
import { LOCAL, SOURCE, V1, V2 } from '../../support/headers.ts'
import { dialSecure, secureOver } from '../../support/secure.ts'
import { HeaderFirst, type Cut } from '../../support/segments.ts'
import { counted, opened, over, readToEnd, createHarness } from '../../support/harness.ts'

for (const [name, header] of Object.entries({ 'version 1': V1, 'version 2': V2 })) {
  test(`contract 24: ${name} may be cut anywhere in front of a ClientHello, also within its segment`, async t => {
    const harness = createHarness(t)
    const seen: string[] = []
    const served = await harness.serve(
      async ({ socket, tls }) => {
        seen.push(`${socket.remoteAddress} ${socket.remotePort} ${await text(socket)} ${tls?.encrypted}`)
        socket.end('bye')
      },
      { tls: certificate },
    )
    const cuts: Cut[] = ['one segment', 'header|payload', 'byte by byte']
    cuts.push(...Array.from({ length: header.length + 6 }, (_, index) => index + 1))
    for (const [index, cut] of cuts.entries()) {
      const stream = new HeaderFirst(harness.dial(served.port), header, cut)
      const client = connect({ socket: stream, ca: certificate.cert, servername: 'localhost' })
      client.end('hello')
      assert.equal(await text(client), 'bye', `cut: ${cut}`)
      await over(served, index + 1)
    }
    assert.deepEqual(new Set(seen), new Set([`${SOURCE.address} ${SOURCE.port} hello true`]))
    assert.deepEqual(counted(served), { done: cuts.length })
  })
}

test('contract 24: the handler gets the TLS socket, with the addresses of the client and all that is known', async t => {
  const harness = createHarness(t)
  const seen: Connection[] = []
  const served = await harness.serve(
    async connection => {
      seen.push(connection)
      await readToEnd(connection)
    },
    { tls: certificate },
  )
  const { secure } = dialSecure(harness, served.port)
  const [connection] = await opened(served)
  assert.ok(connection?.socket instanceof TLSSocket)
  const { socket, tls, info } = connection
  assert.equal(socket, tls)
  assert.equal(connectionInfo(socket), info)
  assert.deepEqual([info.source, info.header?.version], [SOURCE, 2])
  assert.deepEqual(
    [socket.remoteAddress, socket.remotePort, socket.remoteFamily],
    [SOURCE.address, SOURCE.port, 'IPv4'],
  )
  assert.deepEqual([socket.localAddress, socket.localPort], ['198.51.100.7', 443])
  assert.deepEqual(seen, [connection])
  await outcome(secure.end())
  await over(served, 1)
})

test('contract 24: behind LOCAL the handler sees the peer itself', async t => {
  const harness = createHarness(t)
  const served = await harness.serve(readToEnd, { tls: certificate })
  const raw = harness.dial(served.port)
  raw.write(LOCAL)
  await once(raw, 'connect')
  const { localPort } = raw
  const { secure } = secureOver(harness, raw)
  const [connection] = await opened(served)
  assert.deepEqual(connection?.info.source, { address: '127.0.0.1', port: localPort })
  assert.deepEqual([connection.socket.remoteAddress, connection.socket.remotePort], ['127.0.0.1', localPort])
  await outcome(secure.end())
})

test('contract 24: without TLS no TLS socket is shown', async t => {
  const harness = createHarness(t)
  const seen: unknown[] = []
  const served = await harness.serve(({ tls }) => void seen.push(tls))
  await outcome(harness.dial(served.port).end(V2))
  assert.deepEqual(seen, [undefined])
})

test('contract 24: with version none the handshake comes first', async t => {
  const harness = createHarness(t)
  const seen: unknown[] = []
  const served = await harness.serve(
    async ({ socket, info }) => {
      seen.push(info.header, socket.remoteAddress, await text(socket))
      socket.end('bye')
    },
    { version: 'none', tls: certificate },
  )
  const { secure } = secureOver(harness, harness.dial(served.port))
  assert.deepEqual(await outcome(secure.end('hello')), { text: 'bye', end: 'FIN' })
  assert.deepEqual(seen, [undefined, '127.0.0.1', 'hello'])
})

test('contract 24: the name and the protocol that the client asked for are there', async t => {
  const harness = createHarness(t)
  const seen: unknown[] = []
  const served = await harness.serve(
    ({ tls }) => {
      seen.push(tls?.servername, tls?.alpnProtocol, tls?.getProtocol(), tls?.authorized)
    },
    { tls: { ...certificate, ALPNProtocols: ['imap', 'smtp'], maxVersion: 'TLSv1.2' } },
  )
  const { secure } = dialSecure(harness, served.port, { ALPNProtocols: ['pop3', 'smtp'] })
  await once(secure, 'secureConnect')
  await outcome(secure.end())
  assert.deepEqual(seen, ['localhost', 'smtp', 'TLSv1.2', false])
})

test('contract 24: SNICallback chooses the certificate', async t => {
  const harness = createHarness(t)
  const contexts = { localhost: createSecureContext(otherCertificate) }
  const tls: TlsOptions = {
    ...certificate,
    SNICallback: (name, done) => {
      done(null, contexts[name as 'localhost'])
    },
  }
  const served = await harness.serve(readToEnd, { tls })
  const { secure } = dialSecure(harness, served.port, { ca: otherCertificate.cert })
  await once(secure, 'secureConnect')
  assert.equal(secure.getPeerCertificate().subject.CN, 'other')
  await outcome(secure.end())
})

const mutual: TlsOptions = { ...certificate, requestCert: true, ca: otherCertificate.cert }

test('contract 24: a client certificate is there, and authorized', async t => {
  const harness = createHarness(t)
  const seen: unknown[] = []
  const served = await harness.serve(
    ({ tls }) => {
      seen.push(tls?.authorized, tls?.getPeerCertificate().subject.CN)
    },
    { tls: mutual },
  )
  const { secure } = dialSecure(harness, served.port, otherCertificate)
  await once(secure, 'secureConnect')
  await outcome(secure.end())
  await over(served, 1)
  assert.deepEqual(seen, [true, 'other'])
  assert.deepEqual(counted(served), { done: 1 })
})

test('contract 24: an untrusted client certificate may come in where the options say so', async t => {
  const harness = createHarness(t)
  const seen: unknown[] = []
  const served = await harness.serve(({ tls }) => void seen.push(tls?.authorized), {
    tls: { ...mutual, rejectUnauthorized: false },
  })
  const { secure } = dialSecure(harness, served.port, certificate)
  await once(secure, 'secureConnect')
  await outcome(secure.end())
  assert.deepEqual(seen, [false])
})

test('setSecureContext() gives connections to come another certificate, and open ones keep theirs', async t => {
  const harness = createHarness(t)
  const served = await harness.serve(async ({ socket }) => void socket.end(await text(socket)), {
    tls: certificate,
  })
  const before = dialSecure(harness, served.port)
  await opened(served)
  served.server.setSecureContext(otherCertificate)
  const after = dialSecure(harness, served.port, { ca: otherCertificate.cert })
  await opened(served, 2)
  const names = [before, after].map(({ secure }) => secure.getPeerCertificate().subject.CN)
  assert.deepEqual(names, ['localhost', 'other'])
  assert.throws(() => served.server.setSecureContext({ cert: 'no certificate' }), { code: /^ERR_/ })
  for (const { secure } of [before, after]) {
    assert.deepEqual(await outcome(secure.end('hello')), { text: 'hello', end: 'FIN' })
  }
  const later = dialSecure(harness, served.port, { ca: otherCertificate.cert })
  assert.deepEqual(await outcome(later.secure.end('bye')), { text: 'bye', end: 'FIN' })
})

test('setSecureContext() is refused by a server without TLS', t => {
  const server = createHarness(t).watch(createServer({ trust: [] }, () => {}))
  assert.throws(() => server.setSecureContext(certificate), {
    name: 'Error',
    message: 'setSecureContext() needs a server with the option tls',
  })
})

test('createServer() throws for what is not a certificate', () => {
  const tls = { ...certificate, cert: Buffer.from('no certificate') }
  assert.throws(
    () => createServer({ trust: [], tls }, () => {}),
    error =>
      error instanceof TypeError && ((error.cause as NodeJS.ErrnoException).code ?? '').startsWith('ERR_'),
  )
})

test('a TLS socket of a program that allows any number of listeners allows any number', async t => {
  const { defaultMaxListeners } = EventEmitter
  EventEmitter.defaultMaxListeners = 0
  t.after(() => (EventEmitter.defaultMaxListeners = defaultMaxListeners))
  const harness = createHarness(t)
  const served = await harness.serve(({ socket }) => void socket.end(`${socket.getMaxListeners()}`), {
    tls: certificate,
  })
  const { secure } = dialSecure(harness, served.port)
  assert.equal(await text(secure), '0')
  secure.end()
  await over(served, 1)
})
