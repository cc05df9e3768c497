// The examples about protocols: a client of each connects with a header, and the example must know its address.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import type { TestContext } from 'node:test'
import { credentials } from '@grpc/grpc-js'
import { MqttClient } from 'mqtt'
import { openSocket } from 'proxyprotocol/client'
import { io } from 'socket.io-client'
import ssh2 from 'ssh2'
import { WebSocket } from 'ws'
import { askForPeer } from '../grpc.ts'
import { BIND } from '../ldap.ts'
import { CLIENT, headerOf, HOST, relayTo } from '../support.ts'
import { start, type Check } from './example.ts'

function open(t: TestContext, port: number): Socket {
  const socket = openSocket({ host: HOST, port }, headerOf())
  t.after(() => socket.destroy())
  return socket
}

export const protocols: Readonly<Record<string, Check>> = {
  'mail.md 1': async (t, example) => {
    const { port, line } = start(t, example, { replace: { 2525: 0 } })
    const socket = open(t, await port())
    for (const command of ['EHLO client', 'MAIL FROM:<someone@example.org>']) {
      await once(socket, 'data')
      socket.write(`${command}\r\n`)
    }
    assert.equal(await line(), `mail from someone@example.org by ${CLIENT.address}`)
  },

  'mqtt.md 1': async (t, example) => {
    const { port, line } = start(t, example, { replace: { 1883: 0 } })
    const at = await port()
    const client = new MqttClient(() => open(t, at), { clientId: 'sensor', reconnectPeriod: 0 })
    assert.equal(await line(), `sensor is ${CLIENT.address}`)
    await client.endAsync()
  },

  'ldap.md 1': async (t, example) => {
    const { port, line } = start(t, example, { replace: { 1389: 0 } })
    open(t, await port()).write(BIND)
    assert.equal(await line(), `bind by ${CLIENT.address}`)
  },

  'ssh.md 1': async (t, example) => {
    const { port, line } = start(t, example, { replace: { 2222: 0 } })
    const client = new ssh2.Client().on('error', () => undefined)
    client.connect({ sock: open(t, await port()), username: 'someone', password: 'secret' })
    assert.equal(await line(), `someone is ${CLIENT.address}`)
    client.end()
  },

  'grpc.md 1': async (t, example) => {
    const { port } = start(t, example, { replace: { 50051: 0 } })
    const peer = await askForPeer(t, await port(), credentials.createInsecure())
    assert.equal(peer, `${CLIENT.address}:${CLIENT.port}`)
  },

  'websockets.md 1': async (t, example) => {
    const { port } = start(t, example, { replace: { 8080: 0 } })
    const at = await port()
    const client = new WebSocket('ws://localhost', { createConnection: () => open(t, at) })
    const [message] = (await once(client, 'message')) as [Buffer]
    assert.equal(message.toString(), `you are ${CLIENT.address}`)
    client.terminate()
  },

  'websockets.md 2': async (t, example) => {
    const { port } = start(t, example, { replace: { 8080: 0 } })
    const relay = await relayTo(t, await port())
    const client = io(`http://${HOST}:${relay}`)
    t.after(() => client.close())
    assert.equal(await new Promise(resolve => client.once('you', resolve)), CLIENT.address)
  },

  'processes-and-ftp.md 2': async (t, example) => {
    const { port, line } = start(t, example, {
      replace: { 2121: 0, 9000: 20_000, 9010: 60_000 },
      register: true,
    })
    const control = open(t, await port())
    const reply = async (): Promise<string> => String((await once(control, 'data'))[0])
    const say = (command: string): Promise<string> => {
      control.write(`${command}\r\n`)
      return reply()
    }
    await reply()
    assert.match(await say('USER anonymous'), /^230/)
    while ((await line()) !== `login by ${CLIENT.address}`); // its own log is there, too
    const [, high = 0, low = 0] = /(\d+),(\d+)\)/.exec(await say('PASV')) ?? []
    const data = open(t, Number(high) * 256 + Number(low))
    control.write('NLST\r\n')
    assert.match(await text(data), /package\.json/)
  },
}
