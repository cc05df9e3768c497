// Headers inside TLS: attach() reads them behind the handshake, connect() sends them there.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import http from 'node:http'
import http2 from 'node:http2'
import https from 'node:https'
import net, { type AddressInfo, type Server, type Socket } from 'node:net'
import { test } from 'node:test'
import tls from 'node:tls'
import { certificate } from 'test-support/certificates'
import { content, text, until } from 'test-support/sockets'
import { untyped } from 'test-support/untyped'
import { connect, type ConnectOptions } from '../../../src/client/index.ts'
import { admit, attach, connectionInfo, isSecure, type AttachOptions } from '../../../src/server/index.ts'
import { createHarness, type Harness } from '../../support/harness.ts'
import { DESTINATION, SOURCE, V1, V2 } from '../../support/headers.ts'

const header = { source: SOURCE, destination: DESTINATION }
const secure = { ca: certificate.cert, servername: 'localhost' }

/** Attaches with headers inside TLS, and listens; gives the port. */
async function listen(
  harness: Harness,
  server: Server,
  options: Partial<AttachOptions> = {},
): Promise<number> {
  attach(server, { trust: ['127.0.0.1'], headerInsideTls: true, ...options }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  harness.defer(async () => {
    server.close()
    await once(server, 'close')
  })
  return (server.address() as AddressInfo).port
}

/** A TLS server that says who its client is, and then what the client has sent. */
function echo(): tls.Server {
  return tls.createServer({ ...certificate, allowHalfOpen: true } as tls.TlsOptions, socket => {
    const { remoteAddress, remotePort } = socket.on('error', () => {})
    assert.equal(isSecure(socket), true)
    void text(socket).then(said => socket.end(`${remoteAddress}:${remotePort} ${said}`))
  })
}

function options(port: number): ConnectOptions & { tls: object } {
  return { host: '127.0.0.1', port, tls: secure, headerInsideTls: true, allowHalfOpen: true }
}

test('connect() sends the header inside TLS, and attach() reads it there', async t => {
  const harness = createHarness(t)
  const port = await listen(harness, echo())
  const socket = await connect({ ...options(port), payload: () => Buffer.from('hel') }, header)
  socket.end('lo')
  assert.equal(String(await content(socket)), '192.0.2.1:56324 hello')
  const silent = await connect(options(port), header)
  silent.end('hello')
  assert.equal(String(await content(silent)), '192.0.2.1:56324 hello')
})

test('attach() reads a header inside TLS however it is cut, and every byte behind it', async t => {
  const harness = createHarness(t)
  const port = await listen(harness, echo())
  for (const bytes of [V1, V2]) {
    for (const cut of [1, 12, bytes.length - 1, bytes.length, bytes.length + 2]) {
      const all = Buffer.concat([bytes, Buffer.from('hello')])
      const socket = tls.connect({
        ...secure,
        socket: harness.dial(port),
        allowHalfOpen: true,
      } as tls.ConnectionOptions)
      await once(socket, 'secureConnect')
      socket.write(all.subarray(0, cut))
      await new Promise(resolve => setImmediate(resolve))
      socket.end(all.subarray(cut))
      assert.equal(String(await content(socket)), '192.0.2.1:56324 hello', `cut at ${cut}`)
    }
  }
})

test('attach() gives the requests of an https server their client from a header inside TLS', async t => {
  const harness = createHarness(t)
  const server = https.createServer(certificate, (request, response) => {
    response.setHeader('connection', 'close')
    response.end(`${request.socket.remoteAddress} ${connectionInfo(request)?.header?.version}`)
  })
  const port = await listen(harness, server)
  const request = Buffer.from('GET / HTTP/1.1\r\nhost: localhost\r\n\r\n')
  const socket = await connect({ ...options(port), payload: () => request }, header)
  assert.match(String(await content(socket)), /\r\n192\.0\.2\.1 2(?:\r\n|$)/)
  socket.destroy()
})

test('a peer without a header inside TLS is refused behind its handshake', async t => {
  const harness = createHarness(t)
  const codes: string[] = []
  const port = await listen(harness, echo(), { onRejected: ({ code }) => codes.push(code) })
  const socket = tls.connect({ ...secure, socket: harness.dial(port) })
  socket.on('error', () => {}).write('hello')
  await until(() => codes.length === 1)
  assert.deepEqual(codes, ['header_missing'])
})

test('close() destroys connections that wait for a header inside TLS', async t => {
  const harness = createHarness(t)
  const accepted: Socket[] = []
  const server = echo().prependListener('connection', (socket: Socket) => accepted.push(socket))
  const port = await listen(harness, server)
  const socket = tls.connect({ ...secure, socket: harness.dial(port) })
  socket.on('error', () => {})
  await once(socket, 'secureConnect')
  await until(() => accepted.length === 1)
  server.close()
  await once(server, 'close')
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
})

test('admit() gives a server with headers inside TLS a stream without one', async t => {
  const harness = createHarness(t)
  const server = echo()
  await listen(harness, server)
  const front = net
    .createServer({ allowHalfOpen: true }, socket => admit(server, socket))
    .listen(0, '127.0.0.1')
  await once(front, 'listening')
  harness.defer(async () => {
    front.close()
    await once(front, 'close')
  })
  const raw = harness.dial((front.address() as AddressInfo).port)
  const socket = tls.connect({ ...secure, socket: raw, allowHalfOpen: true } as tls.ConnectionOptions)
  await once(socket, 'secureConnect')
  socket.end('hello')
  assert.match(String(await content(socket)), /^127\.0\.0\.1:\d+ hello$/)
})

test('headerInsideTls is refused where it cannot work', async () => {
  const wrong = { trust: [], headerInsideTls: true }
  for (const server of [
    net.createServer(),
    http.createServer(),
    http2.createServer(),
    http2.createSecureServer(),
  ]) {
    assert.throws(() => attach(server, wrong), {
      name: 'TypeError',
      message: 'headerInsideTls must be used with a server of node:tls or node:https, got another',
    })
  }
  assert.throws(() => attach(tls.createServer(), { trust: [], headerInsideTls: untyped('yes') }), {
    message: 'headerInsideTls must be true or false, got "yes"',
  })
  await assert.rejects(connect({ port: 1, headerInsideTls: true }, header), {
    name: 'TypeError',
    message: 'headerInsideTls must be false without tls, got true',
  })
  await assert.rejects(connect({ port: 1, tls: true, headerInsideTls: untyped(1) }, header), {
    name: 'TypeError',
    message: 'headerInsideTls must be true or false, got 1',
  })
})
