// mqtt over openSocket(), plain and over TLS; the broker is aedes.

import assert from 'node:assert/strict'
import { createServer, type Socket } from 'node:net'
import { test } from 'node:test'
import tls from 'node:tls'
import { Aedes } from 'aedes'
import { MqttClient } from 'mqtt'
import { openSocket } from 'proxyprotocol/client'
import { certificate, CLIENT, headerOf, HOST, listen } from './support.ts'

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
