// Bounds on what clients hold, through a socket: flows are limited, evicted and timed out.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CLIENT, from, openAttached, openPeer } from '../support/datagrams.ts'

const RINFO = { address: '127.0.0.1', family: 'IPv4', port: 9, size: 0 } as const

test('contract U7: a client that speaks after a reply is confirmed', async t => {
  const server = await openAttached(t)
  const proxy = await openPeer(t)
  for (const expected of [0, 1, 1]) {
    proxy.socket.send(from(CLIENT, 'x'), server.port, '127.0.0.1')
    const { rinfo } = await server.next()
    assert.equal(server.stats().flows.confirmed, expected)
    server.socket.send('y', rinfo.port, rinfo.address)
    await proxy.next()
  }
})

test('contract U8: confirmed clients are unharmed while 100,000 spoofed sources come, and the table stays bounded', async t => {
  const server = await openAttached(t, { limits: { flows: 1_000 } })
  const proxy = await openPeer(t)
  const hello = async (): Promise<void> => {
    proxy.socket.send(from(CLIENT, 'hello'), server.port, '127.0.0.1')
    await server.next()
    server.socket.send('answer', CLIENT.port, CLIENT.address)
    await proxy.next()
  }
  await hello()
  await hello()
  const spoofed = Buffer.from(from(CLIENT, ''))
  server.socket.removeAllListeners('message')
  for (let i = 0; i < 100_000; i++) {
    spoofed.writeUInt32BE(0xcb00_0000 + i, 16)
    server.socket.emit('message', spoofed, { ...RINFO })
  }
  const { flows, accepted } = server.stats()
  assert.deepEqual([flows.active, flows.confirmed, accepted], [1_000, 1, 100_002])
  server.socket.send('still here', CLIENT.port, CLIENT.address)
  assert.equal((await proxy.next()).payload.toString(), 'still here')
})

test('contract U8: a full table of confirmed flows drops new ones as limit_flows', async t => {
  const server = await openAttached(t, { limits: { flows: 1 } })
  const receive = (port: number): void => {
    server.socket.emit('message', Buffer.from(from({ ...CLIENT, port }, 'x')), {
      ...RINFO,
      address: '127.0.0.1',
    })
  }
  receive(1)
  server.socket.send('y', 1, CLIENT.address)
  receive(1)
  receive(2)
  assert.equal(server.stats().dropped.limit_flows, 1)
})

test('contract U9: a source has at most perSource flows', async t => {
  const server = await openAttached(t, { limits: { perSource: 1 } })
  for (const port of [1, 2])
    server.socket.emit('message', Buffer.from(from({ ...CLIENT, port }, 'x')), { ...RINFO })
  const { dropped, flows } = server.stats()
  assert.deepEqual([dropped.limit_source, flows.active], [1, 1])
})

test('contract U10: one timer for all clients, which ends with the socket', async t => {
  t.mock.timers.enable({ apis: ['setInterval'] })
  const server = await openAttached(t, { timeouts: { flow: 5_000, confirmed: 5_000 } })
  for (const port of [1, 2])
    server.socket.emit('message', Buffer.from(from({ ...CLIENT, port }, 'x')), { ...RINFO })
  t.mock.timers.tick(6_000)
  assert.equal(server.stats().flows.ended.idle_timeout, 2)
})

test('contract U21: closing the socket ends its flows as aborted', async t => {
  const server = await openAttached(t)
  server.socket.emit('message', Buffer.from(from(CLIENT, 'x')), { ...RINFO })
  t.after(() => {
    assert.equal(server.stats().flows.ended.aborted, 1)
  })
})
