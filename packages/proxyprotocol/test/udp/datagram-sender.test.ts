// createDatagramSender(): headers in front of datagrams.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { untyped } from 'test-support/untyped'
import { decodeDatagram, decodeSpp, tlv } from '../../src/codec/index.ts'
import { createDatagramSender, reply } from '../../src/udp/index.ts'
import { CLIENT, from, headerOf, openAttached, openPeer, OTHER, PROXY } from '../support/datagrams.ts'

const header = { source: CLIENT, destination: PROXY }

test('a sender puts a version 2 header of transport DGRAM in front of each payload', async t => {
  const [client, server] = [await openPeer(t), await openPeer(t)]
  const sender = createDatagramSender(client.socket)
  sender.send('text', header, server.port, '127.0.0.1')
  sender.send(
    ['a', Buffer.from('b')],
    { ...header, transport: 'STREAM', tlvs: [tlv.noop(3)] },
    server.port,
    '127.0.0.1',
  )
  sender.send(Uint8Array.of(1), { command: 'LOCAL' }, server.port, '127.0.0.1')
  const seen: string[] = []
  for (let i = 0; i < 3; i++) {
    const result = decodeDatagram((await server.next()).payload)
    assert.ok(result.status === 'header')
    seen.push(
      `${result.header.command} ${result.header.transport} ${Buffer.from(result.payload).toString('hex')}`,
    )
  }
  assert.deepEqual(seen, ['PROXY DGRAM 74657874', 'PROXY STREAM 6162', 'LOCAL UNSPEC 01'])
  assert.deepEqual(sender.stats(), { sent: 3, unsent: { oversize: 0, send_error: 0 } })
})

test('contract U5: a sender and an attached socket speak Simple Proxy Protocol both ways', async t => {
  const server = await openAttached(t, { framing: 'spp' })
  const client = await openPeer(t)
  createDatagramSender(client.socket, { framing: 'spp' }).send(
    'ping',
    { source: OTHER, destination: PROXY },
    server.port,
    '127.0.0.1',
  )
  const { payload, rinfo } = await server.next()
  assert.deepEqual([payload.toString(), rinfo.address], ['ping', OTHER.address])
  reply(server.socket, rinfo, 'pong')
  const result = decodeSpp((await client.next()).payload)
  assert.ok(result.status === 'header')
  assert.deepEqual(result.header, { source: OTHER, destination: PROXY })
  assert.equal(Buffer.from(result.payload).toString(), 'pong')
})

test('contract U15: a sender counts what is too long, and reports it to the callback', async t => {
  const client = await openPeer(t)
  const sender = createDatagramSender(client.socket, { framing: undefined })
  const error = await new Promise<Error | null>(resolve => {
    sender.send(Buffer.alloc(65_507), header, client.port, '127.0.0.1', resolve)
  })
  assert.equal((error as NodeJS.ErrnoException).code, 'EMSGSIZE')
  assert.deepEqual(sender.stats(), { sent: 0, unsent: { oversize: 1, send_error: 0 } })
})

test('a sender on an attached socket sends where it is told, not over the path of a client', async t => {
  const server = await openAttached(t)
  const [proxy, upstream] = [await openPeer(t), await openPeer(t)]
  proxy.socket.send(from({ address: '127.0.0.1', port: upstream.port }, 'x'), server.port, '127.0.0.1')
  await server.next()
  createDatagramSender(server.socket).send('up', headerOf(CLIENT), upstream.port, '127.0.0.1')
  assert.equal((await upstream.next()).payload.length, 30)
  assert.equal(server.stats().direct, 0)
})

test('a sender that waits for its socket to be bound is not counted as direct', async t => {
  const upstream = await openPeer(t)
  const server = await openAttached(t)
  server.socket.send('x', upstream.port, '127.0.0.1')
  await upstream.next()
  assert.equal(server.stats().direct, 1)
})

test('a sender refuses wrong framings and headers by name', async t => {
  const { socket } = await openPeer(t)
  assert.throws(() => createDatagramSender(socket, untyped({ framing: 'v1' })), {
    message: "framing must be 'v2' or 'spp', got \"v1\"",
  })
  assert.throws(() => createDatagramSender(socket, untyped({ frame: 'v2' })), {
    message: 'options must have only framing, got "frame"',
  })
  const sender = createDatagramSender(socket)
  assert.throws(() => sender.send('x', untyped({ ...header, version: 1 }), 9, '127.0.0.1'), {
    message: 'version must be 2 for UDP, got 1',
  })
  assert.throws(() => sender.send('x', untyped({ ...header, source: 'a' }), 9, '127.0.0.1'), {
    message: 'source must be { address, port }, got "a"',
  })
})
