// mqtt over openSocket(), plain, over TLS and in a WebSocket; the broker is aedes.

import assert from 'node:assert/strict'
import http from 'node:http'
import { createServer, type Socket } from 'node:net'
import { test, type TestContext } from 'node:test'
import tls from 'node:tls'
import { Aedes } from 'aedes'
import { connect, type IClientOptions, MqttClient } from 'mqtt'
import { openSocket } from 'proxyprotocol/client'
import { createWebSocketStream, WebSocketServer } from 'ws'
import { certificate, CLIENT, headerOf, HOST, listen } from './support.ts'

/** Serves the broker in WebSockets, and gives the options of a client that connects with a header. */
async function overWebSocket(t: TestContext, broker: Aedes): Promise<IClientOptions> {
  const server = http.createServer()
  new WebSocketServer({ server }).on('connection', (socket, request) => {
    broker.handle(createWebSocketStream(socket), request)
  })
  const port = await listen(t, server)
  const createConnection = () => openSocket({ host: HOST, port }, headerOf())
  return { reconnectPeriod: 0, wsOptions: { createConnection } }
}

for (const name of ['plain', 'TLS'] as const) {
  test(`mqtt speaks to a broker over openSocket(), ${name}, and the broker sees the client`, async t => {
    const broker = await Aedes.createBroker()
    t.after(() => new Promise<void>(resolve => broker.close(resolve)))
    const addresses: unknown[] = []
    broker.on('client', ({ conn }) => addresses.push((conn as Socket).remoteAddress))
    const onConnection = (socket: Socket) => void broker.handle(socket)
    const server = name === 'TLS' ? tls.createServer(certificate, onConnection) : createServer(onConnection)
    const port = await listen(t, server)
    const options = { host: HOST, port, tls: name === 'TLS' && { ca: certificate.cert } }
    const client = new MqttClient(() => openSocket(options, headerOf()), { reconnectPeriod: 0 })
    const received = new Promise<string>(resolve => {
      client.on('message', (_topic, payload) => resolve(payload.toString()))
    })
    await client.subscribeAsync('a')
    await client.publishAsync('a', 'hello')
    assert.equal(await received, 'hello')
    assert.deepEqual(addresses, [CLIENT.address])
    await client.endAsync()
  })
}

test('a broker sees the client of a WebSocket in its request', async t => {
  const addresses: unknown[] = []
  const broker = await Aedes.createBroker()
  t.after(() => new Promise<void>(resolve => broker.close(resolve)))
  broker.on('client', ({ req }) => addresses.push(req?.socket.remoteAddress))
  const client = connect('ws://localhost', await overWebSocket(t, broker))
  const received = new Promise<string>(resolve => {
    client.on('message', (_topic, payload) => resolve(payload.toString()))
  })
  await client.subscribeAsync('a')
  await client.publishAsync('a', 'hello')
  assert.equal(await received, 'hello')
  assert.deepEqual(addresses, [CLIENT.address])
  await client.endAsync()
})

test('a broker may refuse the client of a WebSocket before it checks a password', async t => {
  const addresses: unknown[] = []
  const broker = await Aedes.createBroker({
    preConnect: ({ req }, _packet, done) => {
      addresses.push(req?.socket.remoteAddress)
      done(new Error('denied'), false)
    },
  })
  t.after(() => new Promise<void>(resolve => broker.close(resolve)))
  const client = connect('ws://localhost', await overWebSocket(t, broker))
  await new Promise<void>(resolve => client.once('close', resolve))
  assert.deepEqual(addresses, [CLIENT.address])
})
