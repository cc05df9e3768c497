// Datagrams on whatever runtime runs this file: headers in, answers back, and a sender.

import assert from 'node:assert/strict'
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { encodeDatagram, encodeSpp } from 'proxyprotocol'
import { attachDatagrams, createDatagramSender, datagramInfo, datagramStats, reply } from 'proxyprotocol/udp'

const header = {
  source: { address: '192.0.2.1', port: 5353 },
  destination: { address: '198.51.100.7', port: 53 },
} as const
const framings = {
  v2: encodeDatagram(header, Buffer.from('query')),
  spp: encodeSpp(header, Buffer.from('query')),
} as const

export function datagramCases(): Record<string, () => Promise<void>> {
  return {
    'attachDatagrams() shows the client, and answers over its path, with version 2': () => answers('v2'),
    'attachDatagrams() shows the client, and answers over its path, with SPP': () => answers('spp'),
    'attachDatagrams() drops a datagram without a header': drops,
    'createDatagramSender() puts a header in front': sends,
  }
}

async function answers(framing: 'v2' | 'spp'): Promise<void> {
  const server = attachDatagrams(await bound(), { trust: ['127.0.0.1'], framing })
  const proxy = await bound()
  const head = framing === 'spp' ? framings.spp.subarray(0, 38) : new Uint8Array()
  try {
    proxy.send(framings[framing], server.address().port, '127.0.0.1')
    const [payload, rinfo] = await message(server)
    assert.equal(payload.toString(), 'query')
    assert.deepEqual([rinfo.address, rinfo.port], ['192.0.2.1', 5353])
    assert.equal(datagramInfo(rinfo)?.via.peer.port, proxy.address().port)
    server.send('sent', rinfo.port, rinfo.address)
    assert.deepEqual((await message(proxy))[0], Buffer.concat([head, Buffer.from('sent')]))
    reply(server, rinfo, 'replied')
    assert.deepEqual((await message(proxy))[0], Buffer.concat([head, Buffer.from('replied')]))
  } finally {
    server.close()
    proxy.close()
  }
}

async function drops(): Promise<void> {
  const server = attachDatagrams(await bound(), { trust: ['127.0.0.1'] })
  const proxy = await bound()
  try {
    proxy.send('junk', server.address().port, '127.0.0.1')
    proxy.send(framings.v2, server.address().port, '127.0.0.1')
    assert.equal((await message(server))[0].toString(), 'query')
    assert.equal(datagramStats(server)?.dropped.header_missing, 1)
  } finally {
    server.close()
    proxy.close()
  }
}

async function sends(): Promise<void> {
  const server = attachDatagrams(await bound(), { trust: ['127.0.0.1'] })
  const client = await bound()
  try {
    createDatagramSender(client).send(['que', 'ry'], header, server.address().port, '127.0.0.1')
    const [payload, rinfo] = await message(server)
    assert.deepEqual([payload.toString(), rinfo.address], ['query', '192.0.2.1'])
  } finally {
    server.close()
    client.close()
  }
}

async function bound(): Promise<Socket> {
  const socket = createSocket('udp4')
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  return socket
}

async function message(socket: Socket): Promise<[Buffer, RemoteInfo]> {
  return (await once(socket, 'message')) as [Buffer, RemoteInfo]
}
