// connect() with tls: the header in clear, then the handshake, under the same deadline; and nothing left where it fails.

import assert from 'node:assert/strict'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { getEventListeners, once } from 'node:events'
import { createServer as createNetServer, type AddressInfo, type Socket } from 'node:net'
import { join } from 'node:path'
import { text as textOf } from 'node:stream/consumers'
import { test } from 'node:test'
import tls from 'node:tls'
import { certificate } from 'test-support/certificates'
import { content, listenRaw, outcome, turns, until, type Outcome } from 'test-support/sockets'
import { untyped } from 'test-support/untyped'
import { temporaryFolder } from 'test-support/folder'
import { connect, diagnosticsChannels } from '../../../src/client/index.ts'
import type { HeaderInit } from '../../../src/codec/index.ts'
import { listenAttached } from '../../support/attached.ts'
import { DESTINATION, SOURCE, V2 } from '../../support/headers.ts'
import { faultOf, createHarness, type Harness } from '../../support/harness.ts'

const HOST = '127.0.0.1'
const HEADER: HeaderInit = { source: SOURCE, destination: DESTINATION }
const TRUSTED = { ca: certificate.cert }
const HANDSHAKE = 0x16

/** A TLS server behind attach() that tells each client who it is and which name it asked for, and echoes what it sends. */
async function listenSecure(harness: Harness, options: tls.TlsOptions = {}): Promise<number> {
  const server = tls.createServer({ ...certificate, ...options }, socket => {
    socket.on('error', () => {})
    socket.write(`${socket.remoteAddress}:${socket.remotePort} ${String(socket.servername)} `)
    socket.pipe(socket)
  })
  return (await listenAttached(harness, server)).port
}

/** A listener that says nothing, and how its first connection ended. */
async function listenSilent(
  { defer }: Harness,
  path?: string,
): Promise<{ readonly port: number; readonly ended: Promise<Outcome> }> {
  const server = createNetServer()
  const ended = (once(server, 'connection') as Promise<[Socket]>).then(([socket]) => outcome(socket))
  if (path === undefined) server.listen(0, HOST)
  else server.listen(path)
  await once(server, 'listening')
  defer(() => server.close())
  return { port: path === undefined ? (server.address() as AddressInfo).port : 0, ended }
}

test('connect() with tls sends the header in clear and resolves with the secure socket', async t => {
  const port = await listenSecure(createHarness(t))
  const socket = await connect({ host: HOST, port, tls: TRUSTED }, HEADER)
  assert.ok(socket instanceof tls.TLSSocket)
  assert.deepEqual([socket.authorized, socket.remoteAddress, socket.remotePort], [true, HOST, port])
  socket.end('hello')
  assert.equal(await textOf(socket), '192.0.2.1:56324 false hello')
})

test('connect() with tls sends nothing between the header and the ClientHello', async t => {
  const harness = createHarness(t)
  const { port, accept } = await listenRaw(harness)
  const connecting = faultOf(connect({ host: HOST, port, tls: true }, HEADER))
  const far = await accept()
  const bytes = await content(far, V2.length + 1)
  assert.deepEqual(bytes.subarray(0, V2.length), V2)
  assert.equal(bytes[V2.length], HANDSHAKE)
  far.destroy()
  await connecting
})

test('connect() with tls asks for the host by name, unless it is an address', async t => {
  const harness = createHarness(t)
  const port = await listenSecure(harness)
  for (const [options, name] of [
    [{ host: 'localhost', tls: TRUSTED }, 'localhost'],
    [{ tls: TRUSTED }, 'localhost'],
    [{ host: HOST, tls: TRUSTED }, 'false'],
    [{ host: HOST, tls: { ...TRUSTED, servername: 'localhost' } }, 'localhost'],
  ] as const) {
    const socket: Socket = await connect({ ...options, port, family: 4 }, HEADER)
    assert.ok(socket instanceof tls.TLSSocket && socket.authorized)
    socket.end()
    assert.equal(await textOf(socket), `192.0.2.1:56324 ${name} `)
  }
})

test('connect() with tls holds the certificate against the host', async t => {
  const port = await listenSecure(createHarness(t))
  const error = await faultOf(
    connect({ host: HOST, port, tls: { ...TRUSTED, servername: 'example.org' } }, HEADER),
  )
  assert.equal(error.code, 'tls_upstream_error')
  assert.equal((error.cause as NodeJS.ErrnoException).code, 'ERR_TLS_CERT_ALTNAME_INVALID')
})

test('connect() with tls and without a header just connects', async t => {
  const harness = createHarness(t)
  const server = tls.createServer(certificate, socket => socket.end('hello')).listen(0, HOST)
  await once(server, 'listening')
  harness.defer(() => server.close())
  const { port } = server.address() as { port: number }
  assert.equal(await textOf(await connect({ host: HOST, port, tls: TRUSTED }, 'none')), 'hello')
})

test('connect() with tls: false is connect() without', async t => {
  const harness = createHarness(t)
  const { port, accept } = await listenRaw(harness)
  const socket = await connect({ host: HOST, port, tls: false }, HEADER)
  socket.end()
  assert.deepEqual(await content(await accept()), V2)
  socket.destroy()
})

test('connect() with tls asks for the payload once it is secure, and encrypts it', async t => {
  const port = await listenSecure(createHarness(t))
  let asked = 0
  const payload = (): Uint8Array => {
    asked++
    return Buffer.from('secret')
  }
  const connecting = connect({ host: HOST, port, tls: TRUSTED, payload }, HEADER)
  assert.equal(asked, 0)
  const socket = await connecting
  assert.equal(asked, 1)
  socket.end()
  assert.equal(await textOf(socket), '192.0.2.1:56324 false secret')
})

test('connect() with tls cuts the connection off when the payload throws', async t => {
  const harness = createHarness(t)
  const server = tls.createServer(certificate)
  const { port, sockets } = await listenAttached(harness, server)
  const fault = new Error('payload')
  const payload = (): never => {
    throw fault
  }
  await assert.rejects(connect({ host: HOST, port, tls: TRUSTED, payload }, HEADER), fault)
  await until(() => sockets.length === 1 && sockets[0]?.closed === true)
})

test('connect() with tls keeps half-open what it was asked to', async t => {
  const harness = createHarness(t)
  for (const allowHalfOpen of [true, undefined]) {
    const server = tls.createServer({ ...certificate, allowHalfOpen: true }, socket => socket.end('hello'))
    const { port } = await listenAttached(harness, server)
    const socket: Socket = await connect({ host: HOST, port, tls: TRUSTED, allowHalfOpen }, HEADER)
    await once(socket.resume(), 'end')
    await turns()
    assert.equal(socket.writableEnded, allowHalfOpen !== true)
    socket.destroy()
  }
})

test('connect() with tls gives a socket as Node makes it: no listener of ours', async t => {
  const port = await listenSecure(createHarness(t))
  const { signal } = new AbortController()
  const plain = tls.connect({ host: HOST, port, ...TRUSTED })
  plain.on('error', () => {})
  const socket = await connect({ host: HOST, port, tls: TRUSTED, signal }, HEADER)
  for (const event of ['secureConnect', 'data']) assert.equal(socket.listenerCount(event), 0, event)
  assert.equal(socket.listenerCount('error'), plain.listenerCount('error') - 1)
  assert.equal(getEventListeners(signal, 'abort').length, 0)
  socket.destroy()
  plain.destroy()
})

test('connect() with tls rejects with tls_upstream_error and its cause for a certificate that is not trusted', async t => {
  const port = await listenSecure(createHarness(t))
  const error = await faultOf(connect({ host: HOST, port, tls: true }, HEADER))
  assert.equal(error.code, 'tls_upstream_error')
  assert.match(error.message, /^TLS with the upstream failed: self.signed certificate/)
  assert.equal((error.cause as NodeJS.ErrnoException).code, 'DEPTH_ZERO_SELF_SIGNED_CERT')
})

for (const [name, act] of [
  ['answers without TLS', (far: Socket) => far.end('SSH-2.0-OpenSSH\r\n')],
  ['closes', (far: Socket) => far.end()],
  ['resets', (far: Socket) => far.resetAndDestroy()],
] as const) {
  test(`connect() with tls rejects with tls_upstream_error where the upstream ${name}`, async t => {
    const harness = createHarness(t)
    const { port, accept } = await listenRaw(harness)
    const connecting = faultOf(connect({ host: HOST, port, tls: true }, HEADER))
    const far = await accept()
    await content(far, V2.length + 1)
    act(far)
    const error = await connecting
    assert.equal(error.code, 'tls_upstream_error')
    assert.ok(error.cause instanceof Error)
  })
}

test('connect() with tls counts the handshake in, and cuts off what it gives up', async t => {
  const { port, ended } = await listenSilent(createHarness(t))
  const error = await faultOf(connect({ host: HOST, port, tls: true, timeout: 300 }, HEADER))
  assert.equal(error.code, 'connect_timeout')
  assert.match(error.message, /: 300 ms, the TLS handshake included$/)
  assert.equal((await ended).end, 'ECONNRESET', 'half a handshake must not look like all there was')
})

test('connect() with tls rejects with aborted during the handshake, and cuts off what it gives up', async t => {
  const harness = createHarness(t)
  const { port, accept } = await listenRaw(harness)
  const controller = new AbortController()
  const { signal } = controller
  const connecting = faultOf(connect({ host: HOST, port, tls: true, signal }, HEADER))
  const far = await accept()
  const ended = outcome(far) // nothing ends it before the abort
  await once(far, 'data')
  controller.abort('why')
  const error = await connecting
  assert.deepEqual([error.code, error.cause], ['aborted', 'why'])
  assert.equal(getEventListeners(signal, 'abort').length, 0)
  assert.equal((await ended).end, 'ECONNRESET')
})

test('connect() with tls rejects with aborted when the signal aborts between connection and handshake', async t => {
  const { port, ended } = await listenSilent(createHarness(t))
  const controller = new AbortController()
  const { signal } = controller
  const onLargeHeader = (): void => controller.abort() // reported just before it is sent
  subscribe(diagnosticsChannels.largeHeader, onLargeHeader)
  t.after(() => unsubscribe(diagnosticsChannels.largeHeader, onLargeHeader))
  const error = await faultOf(connect({ host: HOST, port, tls: true, signal, padTo: 600 }, HEADER))
  assert.equal(error.code, 'aborted')
  await ended
})

test('connect() with tls works over a UNIX socket, and closes it where it gives up', async t => {
  const harness = createHarness(t)
  const folder = temporaryFolder(t)
  const path = join(folder, 'socket')
  await listenAttached(
    harness,
    tls.createServer(certificate, socket => socket.end('hello')),
    { at: path },
  )
  assert.equal(await textOf(await connect({ path, tls: TRUSTED }, HEADER)), 'hello')
  const silent = join(folder, 'silent')
  const { ended } = await listenSilent(harness, silent)
  assert.equal(
    (await faultOf(connect({ path: silent, tls: true, timeout: 300 }, HEADER))).code,
    'connect_timeout',
  )
  assert.ok((await ended).text.length > V2.length)
})

test('connect() with tls resumes the session that it is given', async t => {
  const port = await listenSecure(createHarness(t))
  const first = await connect({ host: HOST, port, tls: TRUSTED }, HEADER)
  const [session] = (await once(first.resume(), 'session')) as [Buffer]
  first.end()
  await once(first, 'close')
  const second = await connect({ host: HOST, port, tls: { ...TRUSTED, session } }, HEADER)
  assert.equal(second.isSessionReused(), true)
  second.end()
  await once(second.resume(), 'close')
})

test('connect() refuses wrong TLS options before it opens anything', async t => {
  createHarness(t)
  const nowhere = { host: HOST, port: 1 }
  await assert.rejects(connect({ ...nowhere, tls: { key: 'none' } }, HEADER), /PEM|no start line|DECODER/)
  for (const tls of ['yes', null, 1]) {
    const message = `tls must be true, false or the options of tls.connect(), got ${JSON.stringify(tls)}`
    await assert.rejects(connect({ ...nowhere, tls: untyped(tls) }, HEADER), { name: 'TypeError', message })
  }
})

test('connect() names an option that it does not know', async t => {
  createHarness(t)
  await assert.rejects(connect(untyped({ host: HOST, port: 1, timeOut: 5 }), HEADER), {
    name: 'TypeError',
    message: /^options must have only host, port, path, tls, headerInsideTls, .*, got "timeOut"$/,
  })
})
