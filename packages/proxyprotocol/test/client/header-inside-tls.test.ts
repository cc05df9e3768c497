// headerInsideTls of connect(), openSocket(), the agent and undici's connector: the header is the first that TLS carries.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import http2 from 'node:http2'
import https from 'node:https'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import tls, { type TLSSocket } from 'node:tls'
import { certificate } from 'test-support/certificates'
import { untyped } from 'test-support/untyped'
import { Agent, request } from 'undici'
import { connect, connector, HeaderHttpsAgent, openSocket } from '../../src/client/index.ts'
import { attach, readHeader } from '../../src/server/index.ts'
import { DESTINATION, SOURCE } from '../support/headers.ts'
import { createHarness, type Harness } from '../support/harness.ts'

const header = { source: SOURCE, destination: DESTINATION }
const secure = { ca: certificate.cert, servername: 'localhost' }
const inside = { headerInsideTls: true, tls: secure } as const

/** A server that reads headers inside TLS; gives its port. */
async function listen(harness: Harness, server: tls.Server): Promise<number> {
  attach(server, { trust: ['127.0.0.1'], headerInsideTls: true }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  harness.defer(async () => {
    server.close()
    await once(server, 'close')
  })
  return (server.address() as AddressInfo).port
}

test('openSocket() sends the header inside TLS before what is written at once', async t => {
  const harness = createHarness(t)
  const server = tls.createServer(certificate, socket => {
    socket.once('data', said => socket.end(`${socket.remoteAddress} ${String(said)}`))
  })
  const socket = openSocket({ host: '127.0.0.1', port: await listen(harness, server), ...inside }, header)
  socket.write('hello')
  assert.equal(await text(socket), `${SOURCE.address} hello`)
})

test("HeaderHttpsAgent and undici's connector send the header inside TLS once for each connection", async t => {
  const harness = createHarness(t)
  const server = https.createServer(certificate, ({ socket }, response) => {
    response.end(`${socket.remoteAddress}:${socket.remotePort}`)
  })
  const port = await listen(harness, server)
  const agent = new HeaderHttpsAgent({ header, headerInsideTls: true, ...secure })
  const dispatcher = new Agent({ connect: connector(header, inside) })
  for (let i = 0; i < 2; i++) {
    const [response] = (await once(https.get({ agent, port, host: '127.0.0.1' }), 'response')) as [
      IncomingMessage,
    ]
    assert.equal(await text(response), `${SOURCE.address}:${SOURCE.port}`)
    const { body } = await request(`https://127.0.0.1:${port}`, { dispatcher })
    assert.equal(await body.text(), `${SOURCE.address}:${SOURCE.port}`)
  }
  agent.destroy()
  await dispatcher.close()
})

test('http2.connect() starts at once on a socket of connect() whose header is inside TLS', async t => {
  const harness = createHarness(t)
  const server = http2.createSecureServer()
  server.on('stream', stream => {
    stream.respond()
    stream.end('hello')
  })
  const front = tls.createServer({ ...certificate, ALPNProtocols: ['h2'] }, (socket: TLSSocket) => {
    void readHeader(socket).then(({ rest }) => {
      socket.unshift(rest)
      server.emit('secureConnection', socket)
    })
  })
  front.listen(0, '127.0.0.1')
  await once(front, 'listening')
  harness.defer(() => front.close())
  const { port } = front.address() as AddressInfo
  const offer = { ...secure, ALPNProtocols: ['h2'] }
  const socket = await connect({ host: '127.0.0.1', port, headerInsideTls: true, tls: offer }, header)
  const session = http2.connect('https://localhost', { createConnection: () => socket })
  assert.equal(await text(session.request({ ':path': '/' })), 'hello')
  session.close()
  await once(session, 'close')
})

test('connect() that is aborted while the header inside TLS is written rejects', async t => {
  const harness = createHarness(t)
  const port = await listen(harness, tls.createServer(certificate))
  for (const soon of [
    (abort: () => void) => process.nextTick(abort), // before it is written
    (abort: () => void) => {
      process.nextTick(() => void Promise.resolve().then(() => process.nextTick(abort)))
    },
  ]) {
    const controller = new AbortController()
    const checkServerIdentity = (): undefined => soon(() => controller.abort()) as undefined
    const options = { ...inside, tls: { ...secure, checkServerIdentity }, signal: controller.signal }
    await assert.rejects(connect({ host: '127.0.0.1', port, ...options }, header), { code: 'aborted' })
  }
})

test('headerInsideTls is refused without TLS, and for HTTP/2 over a socket that is there at once', async () => {
  const wrong = { name: 'TypeError', message: 'headerInsideTls must be true or false, got 1' }
  const without = { name: 'TypeError', message: 'headerInsideTls must be false without tls, got true' }
  assert.throws(() => new HeaderHttpsAgent(untyped({ headerInsideTls: 1 })), wrong)
  assert.throws(() => openSocket({ port: 1, tls: true, headerInsideTls: untyped(1) }, header), wrong)
  await assert.rejects(connect({ port: 1, tls: true, headerInsideTls: untyped(1) }, header), wrong)
  assert.throws(() => openSocket({ port: 1, headerInsideTls: true }, header), without)
  await assert.rejects(connect({ port: 1, headerInsideTls: true }, header), without)
  for (const ALPNProtocols of [['h2'], Buffer.from('\x08http/1.1\x02h2')]) {
    assert.throws(() => openSocket({ port: 1, ...inside, tls: { ALPNProtocols } }, header), {
      name: 'TypeError',
      message: 'headerInsideTls must be false with the protocol h2, got true; did you mean connect()?',
    })
  }
})
