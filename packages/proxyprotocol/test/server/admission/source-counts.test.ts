// Connections of one source, counted until their sockets close.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { Socket } from 'node:net'
import { test } from 'node:test'
import { SourceCounts } from '../../../src/server/admission/source-counts.ts'

function adder(limit: number, exempt: readonly string[] = []): (address: string, socket?: Socket) => boolean {
  const counts = new SourceCounts(limit, exempt)
  return (address, socket = new Socket()) => counts.add(socket, { address, port: 1 })
}

test('sources: an IPv4 address is one source, an IPv6 address one with all of its /64', () => {
  for (const [address, same, others] of [
    ['192.0.2.1', ['192.0.2.1', '::ffff:192.0.2.1'], ['192.0.2.0', '192.0.3.1']],
    ['2001:db8:1:2::1', ['2001:db8:1:2:ffff:ffff:ffff:ffff'], ['2001:db8:1:3::1', '2001:db8:2:2::1']],
    ['fe80::1%a', ['fe80::2%b'], ['fe80:0:0:1::1']],
    ['::1', ['::', '::2', '::192.0.2.1'], ['0:0:0:1::1', '0.0.0.1']],
  ] as const) {
    const add = adder(1)
    assert.equal(add(address), true)
    for (const each of same) assert.equal(add(each), false, each)
    for (const each of others) assert.equal(add(each), true, each)
  }
})

test('sources: the sources of an exempt network are not counted', () => {
  const add = adder(1, ['10.0.0.0/8', '2001:db8::/32'])
  for (const address of ['10.1.2.3', '::ffff:10.1.2.3', '2001:db8::1']) {
    for (let i = 0; i < 3; i++) assert.equal(add(address), true, address)
  }
  assert.equal(add('11.0.0.1'), true)
  assert.equal(add('11.0.0.1'), false)
})

test('sources: a place is given back when its socket closes, once', async () => {
  const add = adder(2)
  const sockets = [new Socket(), new Socket()]
  for (const socket of sockets) assert.equal(add('192.0.2.1', socket), true)
  assert.equal(add('192.0.2.1'), false)
  for (const socket of sockets) {
    socket.destroy()
    await once(socket, 'close')
    assert.equal(add('192.0.2.1'), true)
    assert.equal(add('192.0.2.1'), false)
  }
})

test('sources: the busiest is the one with the most open connections', async () => {
  const counts = new SourceCounts(5)
  const add = (address: string): Socket => {
    const socket = new Socket()
    counts.add(socket, { address, port: 1 })
    return socket
  }
  assert.equal(counts.most, 0)
  const socket = add('192.0.2.1')
  for (const address of ['192.0.2.2', '192.0.2.1', '192.0.2.3']) add(address)
  assert.equal(counts.most, 2)
  socket.destroy()
  await once(socket, 'close')
  assert.equal(counts.most, 1)
})

test('sources: what has no address is not counted, and without a limit nothing is', () => {
  const counts = new SourceCounts(1)
  for (let i = 0; i < 3; i++) {
    assert.equal(counts.add(new Socket(), undefined), true)
    assert.equal(counts.add(new Socket(), { path: '/run/a' }), true)
  }
  const add = adder(Infinity)
  const socket = new Socket()
  for (let i = 0; i < 3; i++) assert.equal(add('192.0.2.1', socket), true)
  assert.equal(socket.listenerCount('close'), new Socket().listenerCount('close'))
})
