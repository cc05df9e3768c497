// Whether a client's connection was encrypted, here or at the proxy, for everything that has a socket; and how a TLS
// socket finds what is known of the one under it.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import http from 'node:http'
import http2 from 'node:http2'
import https from 'node:https'
import net, { type AddressInfo, type Server } from 'node:net'
import { text as textOf } from 'node:stream/consumers'
import { test } from 'node:test'
import tls from 'node:tls'
import { certificate } from 'test-support/certificates'
import { outcome } from 'test-support/sockets'
import { tlv } from '../../../src/codec/index.ts'
import { attach, connectionInfo, createServer, isSecure, type Connected } from '../../../src/server/index.ts'
import { DESTINATION, encode, LOCAL, SOURCE, V2 } from '../../support/headers.ts'
import { HeaderFirst } from '../../support/segments.ts'
import { createHarness, type Harness } from '../../support/harness.ts'

const addresses = { source: SOURCE, destination: DESTINATION }
const ENCRYPTED = encode({ ...addresses, tlvs: [tlv.ssl({ version: 'TLSv1.3' })] })
/** Tells of a client certificate, but not that the connection is encrypted. */
const NOT_ENCRYPTED = encode({ ...addresses, tlvs: [tlv.authority('example.org')] })

/** A stream of a client that starts with a header, to a server that is attached to. */
async function behind(harness: Harness, server: Server, header: Uint8Array): Promise<HeaderFirst> {
  attach(server, { trust: ['127.0.0.1'] }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  harness.defer(async () => {
    server.close()
    if (server.listening) await once(server, 'close')
  })
  const { port } = server.address() as AddressInfo
  return new HeaderFirst(harness.dial(port), header, 'one segment')
}

function secure(stream: HeaderFirst, protocol = 'http/1.1'): tls.TLSSocket {
  const ALPNProtocols = [protocol]
  return tls.connect({ socket: stream, ca: certificate.cert, servername: 'localhost', ALPNProtocols })
}

async function ask(stream: NodeJS.ReadWriteStream): Promise<string> {
  stream.write('GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n')
  return (await textOf(stream)).split('\r\n\r\n')[1] ?? ''
}

async function askHttp2(createConnection: () => HeaderFirst | tls.TLSSocket): Promise<string> {
  const session = http2.connect('http://localhost', { createConnection })
  const answer = await textOf(session.request({ ':path': '/' }))
  session.close()
  return answer
}

function say(connected: Connected | net.Socket): string {
  return `${isSecure(connected)} ${connectionInfo(connected)?.via.peer !== undefined}`
}

function onRequest(request: Connected, response: { end(text: string): unknown }): void {
  response.end(say(request))
}

for (const [name, header, expected] of [
  ['an ssl TLV', ENCRYPTED, 'true true'],
  ['other TLVs', NOT_ENCRYPTED, 'false true'],
  ['no TLV', V2, 'false true'],
  ['LOCAL', LOCAL, 'false true'],
] as const) {
  test(`isSecure() of a plain socket, request and stream behind ${name}: ${expected.split(' ')[0]}`, async t => {
    const harness = createHarness(t)
    const onSocket = (socket: net.Socket): unknown => socket.resume().end(say(socket))
    assert.equal(
      await textOf(await behind(harness, net.createServer(onSocket), header).then(start)),
      expected,
    )
    assert.equal(await ask(await behind(harness, http.createServer(onRequest), header)), expected)
    const stream = await behind(harness, http2.createServer(onRequest), header)
    assert.equal(await askHttp2(() => stream), expected)
  })
}

/** A header goes with the first bytes that are written. */
function start(stream: HeaderFirst): HeaderFirst {
  stream.end('x')
  return stream
}

test('isSecure() of a TLS socket, and of a request and a stream over it, is true', async t => {
  const harness = createHarness(t)
  const server = tls.createServer(certificate, socket => socket.end(say(socket)))
  assert.equal(await textOf(secure(await behind(harness, server, V2))), 'true true')
  assert.equal(
    await ask(secure(await behind(harness, https.createServer(certificate, onRequest), V2))),
    'true true',
  )
  const requests = await behind(harness, http2.createSecureServer(certificate, onRequest), V2)
  assert.equal(await askHttp2(() => secure(requests, 'h2')), 'true true')
  const streams = http2.createSecureServer(certificate)
  streams.on('stream', stream => {
    stream.end(say(stream))
  })
  const stream = await behind(harness, streams, V2)
  assert.equal(await askHttp2(() => secure(stream, 'h2')), 'true true')
})

test('isSecure() of a connection of createServer() with TLS is true, and false without', async t => {
  const harness = createHarness(t)
  for (const [options, expected] of [
    [{ tls: certificate }, 'true true'],
    [{}, 'false true'],
  ] as const) {
    const server = harness.watch(
      createServer({ trust: 'anyone', ...options }, ({ socket }) => void socket.end(say(socket))),
    )
    const { port } = (await server.listen(0, '127.0.0.1')) as AddressInfo
    const stream = new HeaderFirst(harness.dial(port), V2, 'one segment')
    const client = 'tls' in options ? secure(stream) : stream
    assert.equal((await outcome(client.end('x') as net.Socket)).text, expected)
  }
})

test('isSecure() needs nothing but a socket, also one that no server of this library accepted', () => {
  const socket = new net.Socket()
  const over = new tls.TLSSocket(socket)
  const seen = [socket, over, { socket }, { socket: over }, { session: { socket: over } }, {}].map(each =>
    isSecure(each),
  )
  assert.deepEqual(seen, [false, true, false, true, true, false])
  over.destroy()
  socket.destroy()
})

test('a TLS socket without the name for what it runs over is known by its handle', async t => {
  const harness = createHarness(t)
  const found: unknown[] = []
  function forget(this: unknown, _name: string, done: (error: null) => void): void {
    // Node calls it on the TLS socket, in the midst of the handshake.
    Object.defineProperty(this, '_parent', { value: null, configurable: true, writable: true })
    done(null)
  }
  const server = https.createServer({ ...certificate, SNICallback: forget }, (request, response) => {
    const { socket } = request
    found.push(Object.getOwnPropertyDescriptor(socket, '_parent')?.value)
    response.end(`${socket.remoteAddress} ${socket.remotePort} ${say(request)}`)
  })
  const answer = await ask(secure(await behind(harness, server, V2)))
  assert.equal(answer, `${SOURCE.address} ${SOURCE.port} true true`)
  assert.deepEqual(found, [null])
})

test('a TLS socket over a socket that is not known is not known either', async t => {
  const harness = createHarness(t)
  const server = tls.createServer(certificate)
  const stranger = new tls.TLSSocket(new net.Socket())
  Object.defineProperty(stranger, '_parent', { value: null, configurable: true, writable: true })
  const stream = await behind(harness, server, V2)
  server.emit('secureConnection', stranger)
  assert.equal(connectionInfo(stranger), undefined)
  stranger.destroy()
  stream.destroy()
})
