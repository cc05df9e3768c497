// framing 'unsafe-first': only the first datagram of a peer's port starts with a header, and what that costs.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { DatagramOptions } from '../../src/udp/index.ts'
import { CLIENT, from, openAttached, openPeer, OTHER } from '../support/datagrams.ts'

const options: Partial<DatagramOptions> = { framing: 'unsafe-first', timeouts: { flow: 30_000 } }
const LINE = Buffer.from('PROXY TCP4 192.0.2.1 198.51.100.7 5353 53\r\none')

describe('contract U6: in unsafe-first', () => {
  test('the first datagram names the client of a port, in either version, and later payload is not parsed', async t => {
    const server = await openAttached(t, options)
    for (const first of [LINE, from(CLIENT, 'one')]) {
      const proxy = await openPeer(t)
      const forged = from(OTHER, 'forged')
      proxy.socket.send(first, server.port, '127.0.0.1')
      proxy.socket.send('two', server.port, '127.0.0.1')
      proxy.socket.send(forged, server.port, '127.0.0.1')
      const shown = [await server.next(), await server.next(), await server.next()]
      assert.deepEqual(
        shown.map(({ payload }) => payload.toString('latin1')),
        ['one', 'two', Buffer.from(forged).toString('latin1')],
      )
      for (const { rinfo, info } of shown) {
        assert.deepEqual([rinfo.address, rinfo.port], [CLIENT.address, CLIENT.port])
        assert.ok(info?.header)
      }
      server.socket.send('answer', CLIENT.port, CLIENT.address)
      assert.equal((await proxy.next()).payload.toString(), 'answer')
    }
    assert.equal(server.stats().flows.opened, 2)
  })

  test('later payload is not parsed either if the header names no client', async t => {
    const server = await openAttached(t, options)
    const proxy = await openPeer(t)
    const forged = Buffer.from(from(OTHER, 'forged'))
    for (const bytes of ['PROXY UNKNOWN\r\none', forged]) proxy.socket.send(bytes, server.port, '127.0.0.1')
    const [first, second] = [await server.next(), await server.next()]
    assert.deepEqual([first.payload.toString(), second.payload], ['one', forged])
    assert.deepEqual([first.rinfo.port, second.rinfo.port], [proxy.port, proxy.port])
    server.socket.send('answer', second.rinfo.port, second.rinfo.address)
    assert.equal((await proxy.next()).payload.toString(), 'answer')
  })

  test('a full table refuses, and never forgets a client for another', async t => {
    const server = await openAttached(t, { ...options, limits: { flows: 1 } })
    const [first, second] = [await openPeer(t), await openPeer(t)]
    first.socket.send(LINE, server.port, '127.0.0.1')
    await server.next()
    second.socket.send(from(OTHER, 'two'), server.port, '127.0.0.1')
    assert.equal((await server.received(2)).dropped.limit_flows, 1)
    first.socket.send('still the first', server.port, '127.0.0.1')
    assert.equal((await server.next()).rinfo.address, CLIENT.address)
  })

  test('a client that speaks after its flow has timed out forges its address: why the name says unsafe', async t => {
    t.mock.timers.enable({ apis: ['setInterval'] })
    const server = await openAttached(t, options)
    const proxy = await openPeer(t)
    const forged = from({ address: '10.0.0.1', port: 1 }, 'as admin')
    proxy.socket.send(LINE, server.port, '127.0.0.1')
    assert.equal((await server.next()).rinfo.address, CLIENT.address)
    t.mock.timers.tick(30_000)
    proxy.socket.send(forged, server.port, '127.0.0.1')
    assert.equal((await server.next()).rinfo.address, CLIENT.address)
    t.mock.timers.tick(31_000)
    proxy.socket.send(forged, server.port, '127.0.0.1')
    assert.equal((await server.next()).rinfo.address, '10.0.0.1')
  })
})
