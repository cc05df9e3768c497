// ws and socket.io-client over openSocket(), plain and over TLS.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import http from 'node:http'
import https from 'node:https'
import { test } from 'node:test'
import { openSocket, type OpenSocketOptions } from 'proxyprotocol/client'
import { Server as SocketServer } from 'socket.io'
import { io } from 'socket.io-client'
import { WebSocket, WebSocketServer } from 'ws'
import { certificate, CLIENT, headerOf, HOST, listen } from './support.ts'

/** An agent each of whose connections is opened anew. */
class OpeningAgent extends http.Agent {
  readonly #options: OpenSocketOptions

  constructor(options: OpenSocketOptions) {
    super({ keepAlive: false })
    this.#options = options
  }

  override createConnection() {
    return openSocket(this.#options, headerOf())
  }
}

for (const name of ['ws', 'wss'] as const) {
  const make = () => (name === 'wss' ? https.createServer(certificate) : http.createServer())
  const tls = name === 'wss' && { ca: certificate.cert }

  test(`ws opens ${name}: over openSocket(), and the server sees the client`, async t => {
    const server = make()
    const port = await listen(t, server)
    new WebSocketServer({ server }).on('connection', (socket, { socket: { remoteAddress } }) => {
      socket.send(String(remoteAddress))
    })
    const createConnection = () => openSocket({ host: HOST, port, tls }, headerOf())
    const client = new WebSocket(`${name}://localhost:${port}`, { createConnection })
    const [data] = (await once(client, 'message')) as [Buffer]
    assert.equal(data.toString(), CLIENT.address)
    client.close()
    await once(client, 'close')
  })
}

test('socket.io-client connects over openSocket(), and the server sees the client', async t => {
  const server = http.createServer()
  const sockets = new SocketServer(server)
  sockets.on('connection', socket => socket.emit('you', socket.handshake.address))
  const port = await listen(t, server)
  const client = io(`http://localhost:${port}`, {
    transports: ['websocket'],
    agent: new OpeningAgent({ host: HOST, port }) as never, // its types know the agents of browsers alone
  })
  const address = await new Promise(resolve => client.once('you', resolve))
  assert.equal(address, CLIENT.address)
  client.close()
  await sockets.close()
})
