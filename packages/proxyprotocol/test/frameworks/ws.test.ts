// WebSockets by ws behind attach(): the upgrade request and its socket are the client's, on every way to start it.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import type { Server, Socket } from 'node:net'
import { test, type TestContext } from 'node:test'
import tls from 'node:tls'
import express from 'express'
import fastify from 'fastify'
import { WebSocket, WebSocketServer, type WebSocketServer as Sockets } from 'ws'
import { outcome } from 'test-support/sockets'
import { untyped } from 'test-support/untyped'
import { attach } from '../../src/server/index.ts'
import { clientOf, createHttpServer, listen, peerOf, trusted, type HttpKind } from '../support/framework.ts'
import { V1, V2 } from '../support/headers.ts'
import { HeaderFirst, type Cut } from '../support/segments.ts'
import { createHarness } from '../support/harness.ts'

const cuts: readonly Cut[] = ['one segment', 'header|payload', V1.length - 1, 3, 15, 20, 'byte by byte']
const SEEN = '192.0.2.1:56324 192.0.2.1:56324 127.0.0.1'

/** Answers each message with what is seen of its client. */
function answer(sockets: Sockets): Sockets {
  return sockets.on('connection', (socket: WebSocket, request: IncomingMessage) => {
    const { remoteAddress, remotePort } = request.socket
    const seen = `${remoteAddress}:${remotePort} ${clientOf(request)} ${peerOf(request)}`
    socket.on('message', message => socket.send(`${(message as Buffer).toString()} ${seen}`))
  })
}

/** Opens a WebSocket over a stream, says hello, and closes it. */
async function ask(stream: HeaderFirst, kind: 'http' | 'https'): Promise<string> {
  const transport = kind === 'https' ? tls.connect({ socket: stream, rejectUnauthorized: false }) : stream
  const client = new WebSocket('ws://localhost/', {
    createConnection: () => untyped(transport), // any Duplex does
  })
  await once(client, 'open')
  client.send('hello')
  const [message] = (await once(client, 'message')) as [Buffer]
  client.close()
  await once(client, 'close')
  return message.toString()
}

/** Starts a server on loopback, with sockets that answer. */
async function serve(
  t: TestContext,
  server: Server,
): Promise<{ behind: (header: Uint8Array, cut: Cut) => HeaderFirst; dial: () => Socket }> {
  const harness = createHarness(t)
  const { port, close } = await listen(server)
  harness.defer(close)
  const dial = (): Socket => harness.dial(port)
  return { behind: (header, cut) => new HeaderFirst(dial(), header, cut), dial }
}

for (const kind of ['http', 'https'] as const satisfies readonly HttpKind[]) {
  test(`attach() on ws, ${kind} server: the upgrade's client is the header's, however the header is cut`, async t => {
    const server = createHttpServer(kind, () => {})
    answer(new WebSocketServer({ server: server as never }))
    const { behind } = await serve(t, server)
    for (const header of [V1, V2]) {
      for (const cut of cuts) assert.equal(await ask(behind(header, cut), kind), `hello ${SEEN}`)
    }
  })
}

test('attach() on ws: without a header no upgrade happens', async t => {
  const server = createHttpServer('http', () => {})
  const sockets = answer(new WebSocketServer({ server: server as never }))
  let upgrades = 0
  sockets.on('connection', () => upgrades++)
  const { dial } = await serve(t, server)
  const lines = ['GET / HTTP/1.1', 'host: a', 'connection: upgrade', 'upgrade: websocket']
  const keys = ['sec-websocket-version: 13', 'sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==']
  const socket = dial().end([...lines, ...keys, '', ''].join('\r\n'))
  assert.equal((await outcome(socket)).text, '')
  assert.equal(upgrades, 0)
})

test('attach() on ws beside express: one server, and the same client for requests and sockets', async t => {
  const app = express()
  app.get('/', (request, response) => void response.send(request.ip))
  const server = createHttpServer('http', app as never)
  answer(new WebSocketServer({ server: server as never }))
  const { behind } = await serve(t, server)
  assert.equal(await ask(behind(V2, 'one segment'), 'http'), `hello ${SEEN}`)
  const stream = behind(V2, 'one segment')
  stream.end('GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n')
  const [chunk] = (await once(stream, 'data')) as [Buffer]
  assert.match(chunk.toString(), /\r\n\r\n192\.0\.2\.1$/)
})

test("attach() on ws beside fastify: app.server's upgrades have their client", async t => {
  const harness = createHarness(t)
  const app = fastify()
  attach(app.server, trusted)
  const sockets = answer(new WebSocketServer({ server: app.server }))
  await app.listen({ host: '127.0.0.1', port: 0 })
  harness.defer(async () => {
    sockets.close()
    await app.close()
  })
  const { port } = app.server.address() as { port: number }
  assert.equal(await ask(new HeaderFirst(harness.dial(port), V1, 'one segment'), 'http'), `hello ${SEEN}`)
})
