// attachDatagrams(): what a server on top of the socket sees, and where its answers go.

import assert from 'node:assert/strict'
import { createSocket, type RemoteInfo } from 'node:dgram'
import { once } from 'node:events'
import { describe, test } from 'node:test'
import { untyped } from 'test-support/untyped'
import { encodeDatagram, encodeHeader, tlv } from '../../src/codec/index.ts'
import { attachDatagrams, datagramInfo, datagramStats, reply } from '../../src/udp/index.ts'
import { CLIENT, from, headerOf, openAttached, openPeer, OTHER } from '../support/datagrams.ts'

/** What a log shows of it as JSON. */
function plain(rinfo: RemoteInfo): unknown {
  return JSON.parse(JSON.stringify(rinfo))
}

describe('contract U1: a datagram that is not accepted', () => {
  const PAYLOAD = Buffer.from('payload')
  const valid = from(CLIENT, 'payload')
  for (const [what, bytes, reason] of [
    ['without a header', PAYLOAD, 'header_missing'],
    ['without a byte', Buffer.alloc(0), 'header_missing'],
    ['with a version 1 header', Buffer.from('PROXY UNKNOWN\r\npayload'), 'header_missing'],
    ['with half of a header', valid.subarray(0, 20), 'header_invalid'],
    [
      'with a broken header',
      Uint8Array.from(valid, (byte, at) => (at === 13 ? 0x13 : byte)),
      'header_invalid',
    ],
    [
      'with a header over 512 bytes',
      encodeHeader({ ...headerOf(CLIENT), tlvs: [tlv.noop(500)] }),
      'header_invalid',
    ],
    ['with paths', encodeHeader({ source: { path: '/a' }, destination: { path: '/b' } }), 'header_invalid'],
    ['of source port 0', from({ ...CLIENT, port: 0 }, 'payload'), 'source_port'],
  ] as const) {
    test(`${what} is dropped and counted as ${reason}, and not answered`, async t => {
      const server = await openAttached(t)
      const proxy = await openPeer(t)
      proxy.socket.send(bytes, server.port, '127.0.0.1')
      proxy.socket.send(valid, server.port, '127.0.0.1')
      assert.equal((await server.next()).payload.toString(), 'payload')
      const { received, accepted, dropped, flows } = server.stats()
      assert.deepEqual([received, accepted, dropped[reason], flows.opened], [2, 1, 1, 1])
      assert.deepEqual(proxy.waiting, [])
    })
  }

  test('of an untrusted peer is dropped, its header included', async t => {
    const server = await openAttached(t, { trust: ['10.0.0.0/8'] })
    const proxy = await openPeer(t)
    proxy.socket.send(valid, server.port, '127.0.0.1')
    assert.equal((await server.received(1)).dropped.untrusted_peer, 1)
    assert.deepEqual(server.waiting, [])
  })

  test('of a peer whose trust throws is dropped', async t => {
    const trust = (): boolean => {
      throw new Error('no')
    }
    const server = await openAttached(t, { trust })
    const proxy = await openPeer(t)
    proxy.socket.send(valid, server.port, '127.0.0.1')
    assert.equal((await server.received(1)).dropped.untrusted_peer, 1)
  })

  test('of a peer with port 0 is dropped', async t => {
    const server = await openAttached(t)
    const rinfo = { address: '127.0.0.1', family: 'IPv4', port: 0, size: valid.length } as const
    server.socket.emit('message', Buffer.from(valid), rinfo)
    assert.equal(server.stats().dropped.source_port, 1)
  })
})

test('a trust function is asked about each datagram, with IPv4-mapped peers as IPv4', async t => {
  const asked: unknown[] = []
  const server = await openAttached(t, { trust: peer => asked.push(peer) > 0 })
  const rinfo = { address: '::ffff:127.0.0.1', family: 'IPv6', port: 1, size: 0 } as const
  server.socket.emit('message', Buffer.from(from(CLIENT, 'x')), rinfo)
  assert.deepEqual(asked, [{ address: '127.0.0.1', transport: 'udp' }])
  assert.equal((await server.next()).info?.via.peer.address, '127.0.0.1')
})

describe('contract U2: an accepted datagram', () => {
  test('is one message without its header, and its rinfo holds the client', async t => {
    const server = await openAttached(t)
    const proxy = await openPeer(t)
    const destination = { address: '2001:db8::53', port: 53 }
    const header = { ...headerOf(OTHER, destination), tlvs: [tlv.authority('example.org')] }
    proxy.socket.send(encodeDatagram(header, Buffer.from('one')), server.port, '127.0.0.1')
    proxy.socket.send(from(CLIENT, ''), server.port, '127.0.0.1')
    const { payload, rinfo, info } = await server.next()
    assert.equal(payload.toString(), 'one')
    assert.ok(Buffer.isBuffer(payload))
    assert.deepEqual(plain(rinfo), { ...OTHER, family: 'IPv6', size: 3 })
    assert.deepEqual(info?.source, OTHER)
    assert.deepEqual(info.destination, destination)
    const peer = { address: '127.0.0.1', port: proxy.port }
    assert.deepEqual(info.via, { peer, local: { address: '127.0.0.1', port: server.port } })
    assert.equal(info.header?.transport, 'DGRAM')
    assert.equal(info.tlvs.authority, 'example.org')
    assert.equal(info.tlvs, info.tlvs)
    assert.equal(datagramInfo({ ...rinfo }), info)
    const empty = await server.next()
    assert.deepEqual(plain(empty.rinfo), { ...CLIENT, family: 'IPv4', size: 0 })
    assert.equal(server.stats().accepted, 2)
  })

  test('is known by its own rinfo only', async t => {
    const peer = await openPeer(t)
    peer.socket.send('x', peer.port, '127.0.0.1')
    const { rinfo } = await peer.next()
    assert.equal(datagramInfo(rinfo), undefined)
    const message =
      /^rinfo must be that of a datagram of this attached socket, got \{ address, family, port, size \}$/
    assert.throws(() => reply(peer.socket, rinfo, 'x'), { name: 'TypeError', message })
    assert.throws(() => reply(peer.socket, untyped(undefined), 'x'), { name: 'TypeError' })
  })

  test('names no own end once the socket is closed, if it was not asked before', async t => {
    const peer = await openPeer(t)
    const socket = attachDatagrams(createSocket('udp4'), { trust: 'anyone' })
    socket.bind(0, '127.0.0.1')
    await once(socket, 'listening')
    peer.socket.send(from(CLIENT, 'x'), socket.address().port, '127.0.0.1')
    const [, rinfo] = (await once(socket, 'message')) as [Buffer, RemoteInfo]
    socket.close()
    await once(socket, 'close')
    assert.equal(datagramInfo(rinfo)?.via.local, undefined)
  })
})

describe('contract U3: a datagram that names no client', () => {
  for (const [what, header] of [
    ['LOCAL', { command: 'LOCAL' }],
    ['without addresses', { family: 'UNSPEC' }],
  ] as const) {
    test(`${what} shows the peer, and is answered there without a header`, async t => {
      const server = await openAttached(t)
      const proxy = await openPeer(t)
      proxy.socket.send([encodeHeader(header), 'check'], server.port, '127.0.0.1')
      const { payload, rinfo, info } = await server.next()
      const peer = { address: '127.0.0.1', port: proxy.port }
      assert.deepEqual([payload.toString(), plain(rinfo)], ['check', { ...peer, family: 'IPv4', size: 5 }])
      assert.deepEqual([info?.source, info?.destination], [peer, { address: '127.0.0.1', port: server.port }])
      assert.equal(info?.header?.family, 'UNSPEC')
      server.socket.send('sent', rinfo.port, rinfo.address)
      reply(server.socket, rinfo, 'replied')
      assert.equal((await proxy.next()).payload.toString(), 'sent')
      assert.equal((await proxy.next()).payload.toString(), 'replied')
      const { flows, direct, sent } = server.stats()
      assert.deepEqual([flows.opened, direct, sent], [0, 1, 1])
    })
  }

  test("peers that are not trusted are clients with untrusted: 'direct', and their headers payload", async t => {
    const server = await openAttached(t, { trust: [], untrusted: 'direct' })
    const client = await openPeer(t)
    client.socket.send(from(CLIENT, 'x'), server.port, '127.0.0.1')
    const { payload, rinfo, info } = await server.next()
    assert.deepEqual([payload.length, rinfo.port, info?.header], [29, client.port, undefined])
    assert.deepEqual(info?.tlvs.alpn, undefined)
  })

  test("datagrams of trusted peers without a header are clients with missing: 'direct', broken ones not", async t => {
    const server = await openAttached(t, { missing: 'direct' })
    const client = await openPeer(t)
    client.socket.send(from(CLIENT, '').subarray(0, 20), server.port, '127.0.0.1')
    client.socket.send('plain', server.port, '127.0.0.1')
    const { payload, rinfo } = await server.next()
    assert.deepEqual([payload.toString(), rinfo.port], ['plain', client.port])
    assert.equal(server.stats().dropped.header_invalid, 1)
  })
})

describe('attachDatagrams()', () => {
  test('gives the same socket, and only once', t => {
    const socket = createSocket('udp4')
    t.after(() => socket.close())
    assert.equal(datagramStats(socket), undefined)
    assert.equal(attachDatagrams(socket, { trust: 'anyone' }), socket)
    const message = 'attachDatagrams() was called on this socket before'
    assert.throws(() => attachDatagrams(socket, { trust: 'anyone' }), { message })
  })

  test('takes a socket that is bound already', async t => {
    const { socket, port } = await openPeer(t)
    attachDatagrams(socket, { trust: 'anyone' })
    const proxy = await openPeer(t)
    proxy.socket.send(from(CLIENT, 'x'), port, '127.0.0.1')
    const [, rinfo] = (await once(socket, 'message')) as [Buffer, RemoteInfo]
    assert.equal(datagramInfo(rinfo)?.via.local?.port, port)
  })

  for (const wrong of [undefined, {}, 'socket']) {
    test(`refuses a socket that is ${JSON.stringify(wrong)}`, () => {
      const message = /^socket must be a dgram\.Socket, got /
      assert.throws(() => attachDatagrams(untyped(wrong), { trust: 'anyone' }), {
        name: 'TypeError',
        message,
      })
    })
  }
})

describe('contract U22: an error of the socket', () => {
  test('is not thrown once the socket is bound', async t => {
    const { socket } = await openAttached(t)
    assert.equal(socket.emit('error', new Error('late')), true)
  })

  test('reaches the listeners that there are', async t => {
    const { socket } = await openAttached(t)
    const errors: unknown[] = []
    socket.on('error', error => errors.push(error))
    const late = new Error('late')
    socket.emit('error', late)
    assert.deepEqual(errors, [late])
  })

  test('is thrown if the socket cannot be bound, as without attachDatagrams()', t => {
    const socket = attachDatagrams(createSocket('udp4'), { trust: 'anyone' })
    t.after(() => socket.close())
    const error = new Error('EADDRINUSE')
    assert.throws(() => socket.emit('error', error), error)
  })
})
