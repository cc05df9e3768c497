// The examples about UDP: a client sends a datagram with a header, and the example must know its address.

import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import type { TestContext } from 'node:test'
import { generate, parse } from 'coap-packet'
import dns2 from 'dns2'
import { createDatagramSender } from 'proxyprotocol/udp'
import radius from 'radius'
import { CLIENT, headerOf, HOST } from '../support.ts'
import { start, type Check } from './example.ts'

/** Sends one datagram with a header, and gives the answer. */
async function ask(t: TestContext, port: number, query: Uint8Array): Promise<Buffer> {
  const socket = createSocket('udp4')
  t.after(() => socket.close())
  createDatagramSender(socket).send(query, headerOf(), port, HOST)
  const [answer] = (await once(socket, 'message')) as [Buffer]
  return answer
}

export const datagrams: Readonly<Record<string, Check>> = {
  'datagrams.md 1': async (t, example) => {
    const { port } = start(t, example, { replace: { 5300: 0 } })
    const { Packet } = dns2
    const query = new Packet(new Packet.Question('example.org', Packet.TYPE.TXT, Packet.CLASS.IN))
    query.header = new Packet.Header({ id: 7, rd: 1 })
    const { header, answers } = Packet.parse(await ask(t, await port(), query.toBuffer()))
    assert.deepEqual([header.id, answers[0]?.data], [7, [CLIENT.address]])
  },

  'datagrams.md 2': async (t, example) => {
    const { port } = start(t, example, { replace: { 5683: 0 } })
    const answer = await ask(t, await port(), generate({ code: 'GET', messageId: 1, confirmable: true }))
    assert.equal(parse(answer).payload.toString(), `you are ${CLIENT.address}`)
  },

  'datagrams.md 3': async (t, example) => {
    const { port, line } = start(t, example, { replace: { 5514: 0 } })
    const socket = createSocket('udp4')
    t.after(() => socket.close())
    createDatagramSender(socket).send('<13>Oct 11 22:14:15 host app: hello', headerOf(), await port(), HOST)
    assert.equal(await line(), `${CLIENT.address}: hello`)
  },

  'datagrams.md 4': async (t, example) => {
    const { port } = start(t, example, { replace: { 1812: 0 } })
    const packet = {
      code: 'Access-Request',
      secret: 'secret',
      attributes: [['User-Name', 'someone']],
    } as const
    const answer = await ask(t, await port(), radius.encode(packet))
    assert.equal(radius.decode({ packet: answer, secret: 'secret' }).code, 'Access-Accept')
  },
}
