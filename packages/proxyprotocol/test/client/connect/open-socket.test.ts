// openSocket(): a socket at once, whose header leaves before anything else; what fails comes as its 'error'.

import assert from 'node:assert/strict'
import type { LookupAddress } from 'node:dns'
import { once } from 'node:events'
import http2 from 'node:http2'
import type { LookupFunction, Socket } from 'node:net'
import { text as textOf } from 'node:stream/consumers'
import { test } from 'node:test'
import tls from 'node:tls'
import { certificate } from 'test-support/certificates'
import { closedPort, content, listenRaw, outcome, text, turns } from 'test-support/sockets'
import { untyped } from 'test-support/untyped'
import { openSocket } from '../../../src/client/index.ts'
import type { HeaderInit } from '../../../src/codec/index.ts'
import { listenAttached } from '../../support/attached.ts'
import { DESTINATION, SOURCE, V2 } from '../../support/headers.ts'
import { createHarness, type Harness } from '../../support/harness.ts'

const HOST = '127.0.0.1'
const HEADER: HeaderInit = { source: SOURCE, destination: DESTINATION }
const TRUSTED = { ca: certificate.cert }
const HANDSHAKE = 0x16

/** The error of a socket that cannot be used. */
async function errorOf(socket: Socket): Promise<NodeJS.ErrnoException> {
  const [error] = (await once(socket, 'error')) as [NodeJS.ErrnoException]
  return error
}

/** A TLS server behind attach() that tells each client who it is, and echoes what it sends. */
async function listenSecure(harness: Harness): Promise<number> {
  const server = tls.createServer(certificate, socket => {
    socket.on('error', () => {})
    socket.write(`${socket.remoteAddress}:${socket.remotePort} `)
    socket.pipe(socket)
  })
  return (await listenAttached(harness, server)).port
}

/** Resolves every name to these addresses. */
function lookupOf(...addresses: readonly string[]): LookupFunction {
  const answer: LookupAddress[] = addresses.map(address => ({ address, family: 4 }))
  return (_name, _options, done) => process.nextTick(done, null, untyped(answer))
}

test('openSocket() returns before it is connected, and sends the header before what is written at once', async t => {
  const { port, accept } = await listenRaw(createHarness(t))
  const socket = openSocket({ host: HOST, port, checksum: false }, HEADER)
  assert.equal(socket.connecting, true)
  socket.end('hello')
  const far = await accept()
  assert.equal((await content(far)).toString('latin1'), V2.toString('latin1') + 'hello')
  far.end()
  await once(socket.resume(), 'close')
})

test("openSocket() with 'none' in place of a header just connects", async t => {
  const { port, accept } = await listenRaw(createHarness(t))
  const socket = openSocket({ host: HOST, port }, 'none').end('hello')
  assert.equal(await text(await accept()), 'hello')
  socket.destroy()
})

test('openSocket() with tls sends the header in clear, then the handshake, then what was written at once', async t => {
  const port = await listenSecure(createHarness(t))
  const socket = openSocket({ host: HOST, port, tls: TRUSTED }, HEADER)
  assert.ok(socket instanceof tls.TLSSocket)
  socket.end('hello')
  assert.equal(await textOf(socket), '192.0.2.1:56324 hello')
})

test('openSocket() with tls gives a slow reader every byte that came before the end', async t => {
  const bytes = Buffer.alloc(20_000, 'z')
  const server = tls.createServer(certificate, socket => void socket.on('error', () => {}).end(bytes))
  const { port } = await listenAttached(createHarness(t), server)
  const socket = openSocket({ host: HOST, port, tls: TRUSTED }, HEADER)
  assert.equal(socket.allowHalfOpen, false)
  const ended = once(server, 'secureConnection').then(([far]) => once(far as Socket, 'finish'))
  await once(socket.pause(), 'secureConnect')
  await ended
  await turns(50)
  assert.deepEqual(await content(socket), bytes)
})

test('openSocket() with tls sends nothing between the header and the ClientHello, and resets what it gives up', async t => {
  const { port, accept } = await listenRaw(createHarness(t))
  const socket = openSocket({ host: HOST, port, tls: true }, HEADER)
  const far = await accept()
  const bytes = await content(far, V2.length + 1)
  assert.deepEqual(bytes.subarray(0, V2.length), V2)
  assert.equal(bytes[V2.length], HANDSHAKE)
  const ended = outcome(far)
  socket.destroy()
  assert.equal((await ended).end, 'ECONNRESET', 'half a handshake must not look like all there was')
})

test('openSocket() with tls shows the addresses of its connection, and its methods reach it', async t => {
  const port = await listenSecure(createHarness(t))
  const socket = openSocket({ host: HOST, port, tls: TRUSTED }, HEADER)
  await once(socket, 'secureConnect')
  assert.deepEqual([socket.remoteAddress, socket.remotePort, socket.localAddress], [HOST, port, HOST])
  assert.equal(socket.authorized, true)
  const connections = (): number =>
    process.getActiveResourcesInfo().filter(name => name === 'TCPSocketWrap').length
  const before = connections()
  socket.unref()
  assert.equal(connections(), before - 1, 'it keeps no process alive')
  assert.equal(socket.ref().setNoDelay(true).setKeepAlive(true, 1000), socket)
  assert.equal(connections(), before)
  socket.destroy()
  await once(socket, 'close')
})

for (const tls of [undefined, TRUSTED]) {
  const name = tls ? 'openSocket() with tls' : 'openSocket()'

  test(`${name} reports a refused connection as an error of the socket`, async t => {
    createHarness(t)
    const socket = openSocket({ host: HOST, port: await closedPort(), tls }, HEADER)
    assert.equal((await errorOf(socket)).code, 'ECONNREFUSED')
  })

  test(`${name} tries every address of a name`, async t => {
    const harness = createHarness(t)
    const server = tls ? await listenSecure(harness) : (await listenRaw(harness)).port
    const lookup = lookupOf('127.0.0.2', '127.0.0.3', HOST)
    const socket = openSocket(
      { host: 'a.test', port: server, lookup, tls: tls && { ...tls, servername: 'localhost' } },
      HEADER,
    )
    await once(socket, tls ? 'secureConnect' : 'connect')
    assert.equal(socket.remoteAddress, HOST)
    socket.destroy()
  })

  test(`${name} gives up after its timeout`, async t => {
    createHarness(t)
    const lookup: LookupFunction = () => {} // never answers
    const socket = openSocket({ host: 'a.test', port: 1, timeout: 20, lookup, tls }, HEADER)
    const { code, message } = await errorOf(socket)
    assert.equal(code, 'connect_timeout')
    assert.match(message, tls ? /: 20 ms, the TLS handshake included$/ : /: 20 ms$/)
  })

  test(`${name} has no deadline once it is connected`, async t => {
    const harness = createHarness(t)
    const port = tls ? await listenSecure(harness) : (await listenRaw(harness)).port
    const socket = openSocket({ host: HOST, port, tls }, HEADER)
    await once(socket, tls ? 'secureConnect' : 'connect')
    assert.ok(!process.getActiveResourcesInfo().includes('Timeout'))
    socket.destroy()
  })

  test(`${name} connects once: connect() does nothing while the socket is open, and throws later`, async t => {
    const harness = createHarness(t)
    const port = tls ? await listenSecure(harness) : (await listenRaw(harness)).port
    const socket = openSocket({ host: HOST, port, tls }, HEADER)
    assert.equal(socket.connect(1, 'a.test'), socket)
    await once(socket, tls ? 'secureConnect' : 'connect')
    assert.equal(socket.remotePort, port)
    socket.destroy()
    assert.throws(() => socket.connect(port), /connects once; call openSocket\(\) for the next connection$/)
  })

  test(`${name} gives http2.connect() its connection`, async t => {
    const harness = createHarness(t)
    const tell = ({ socket }: http2.Http2ServerRequest, response: http2.Http2ServerResponse): void =>
      void response.end(String(socket.remoteAddress))
    const server = tls ? http2.createSecureServer(certificate, tell) : http2.createServer(tell)
    const { port } = await listenAttached(harness, server)
    const offer = tls && { ...tls, ALPNProtocols: ['h2'] }
    const session = http2.connect(`${tls ? 'https' : 'http'}://${HOST}:${port}`, {
      createConnection: () => openSocket({ host: HOST, port, tls: offer }, HEADER),
    })
    assert.equal(await textOf(session.request({ ':path': '/' })), SOURCE.address)
    session.close()
    await once(session, 'close')
  })
}

test('openSocket() with tls reports a certificate that is not trusted', async t => {
  const port = await listenSecure(createHarness(t))
  const error = await errorOf(openSocket({ host: HOST, port, tls: true }, HEADER))
  assert.equal(error.code, 'DEPTH_ZERO_SELF_SIGNED_CERT')
})

test('openSocket() refuses wrong options and a missing header before it opens anything', t => {
  createHarness(t)
  const where = { host: HOST, port: 1 }
  assert.throws(() => openSocket(untyped({ ...where, timeOut: 5 }), HEADER), {
    name: 'TypeError',
    message: /^options must have only host, port, path, tls, headerInsideTls, .*, got "timeOut"$/,
  })
  assert.throws(
    () => openSocket({ ...where, timeout: -1 }, HEADER),
    /^RangeError: timeout must be milliseconds/,
  )
  assert.throws(() => openSocket({ ...where, tls: untyped('yes') }, HEADER), /^TypeError: tls must be true/)
  assert.throws(() => openSocket(where, untyped(undefined)), TypeError)
  assert.throws(() => openSocket({ host: HOST }, HEADER), { code: 'ERR_MISSING_ARGS' })
})
