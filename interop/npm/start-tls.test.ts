// startTls() and peekByte() with real clients: MQTT on one port with and without TLS, and the StartTLS of LDAP.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import { test } from 'node:test'
import { Aedes } from 'aedes'
import { MqttClient } from 'mqtt'
import { openSocket } from 'proxyprotocol/client'
import { peekByte, startTls } from 'proxyprotocol/server'
import { ldap } from './ldap.ts'
import { certificate, CLIENT, headerOf, HOST, listen, relayTo } from './support.ts'

const HANDSHAKE = 0x16

test('peekByte() lets a broker serve clients with and without TLS on one port', async t => {
  const broker = await Aedes.createBroker()
  t.after(() => new Promise<void>(resolve => broker.close(resolve)))
  const seen: unknown[] = []
  broker.on('client', ({ conn }) => {
    const { remoteAddress, encrypted = false } = conn as Socket & { encrypted?: boolean }
    seen.push(`${remoteAddress} ${encrypted}`)
  })
  const serve = async (socket: Socket): Promise<void> => {
    socket.on('error', () => undefined)
    const isTls = (await peekByte(socket)) === HANDSHAKE
    broker.handle(isTls ? await startTls(socket, certificate) : socket)
  }
  const port = await listen(
    t,
    createServer(socket => void serve(socket).catch(() => socket.destroy())),
  )
  for (const tls of [{ ca: certificate.cert }, false]) {
    const client = new MqttClient(() => openSocket({ host: HOST, port, tls }, headerOf()), {
      reconnectPeriod: 0,
    })
    client.on('error', () => undefined) // the broker may close before the client's last bytes
    await client.publishAsync('a', 'hello')
    await client.endAsync()
  }
  assert.deepEqual(seen, [`${CLIENT.address} true`, `${CLIENT.address} false`])
})

const [EXTENDED_RESPONSE, BIND_RESPONSE] = [0x78, 0x61]

/** Reads a request and reports success, as RFC 4511 section 4.1.9 writes it; the id is the request's. */
async function succeed(socket: Socket, type: number): Promise<void> {
  const [request] = (await once(socket, 'data')) as [Buffer]
  socket.write(Buffer.of(0x30, 12, 2, 1, request.readUInt8(4), type, 7, 10, 1, 0, 4, 0, 4, 0))
}

test('startTls() upgrades LDAP, and the TLS socket has the client', async t => {
  const seen: unknown[] = []
  const serve = async (socket: Socket): Promise<void> => {
    await succeed(socket, EXTENDED_RESPONSE)
    const secure = await startTls(socket, certificate)
    await succeed(secure, BIND_RESPONSE)
    seen.push(secure.remoteAddress, secure.encrypted)
  }
  const port = await listen(
    t,
    createServer(socket => void serve(socket).catch(() => socket.destroy())),
  )
  const client = ldap.createClient({ url: `ldap://${HOST}:${await relayTo(t, port)}` })
  const done = async (start: (done: (error?: Error | null) => void) => void): Promise<void> => {
    await new Promise<void>((resolve, reject) => start(error => (error ? reject(error) : resolve())))
  }
  await done(each => client.starttls({ ca: certificate.cert, servername: 'localhost' }, [], each))
  await done(each => client.bind('cn=app', 'secret', each))
  client.destroy()
  assert.deepEqual(seen, [CLIENT.address, true])
})
