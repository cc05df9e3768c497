// Answers of a server behind attachDatagrams(): their path, their bytes and their failures.

import assert from 'node:assert/strict'
import type { Socket } from 'node:dgram'
import { describe, test } from 'node:test'
import { untyped } from 'test-support/untyped'
import { encodeSpp, type InetEndpoint } from '../../src/codec/index.ts'
import { reply } from '../../src/udp/index.ts'
import { CLIENT, from, openAttached, openPeer, OTHER, PROXY } from '../support/datagrams.ts'

const MAX_DATAGRAM_BYTES = 65_507
const SPP_BYTES = 38

type SendTo = (socket: Socket, port: number, address: string) => void

function spp(source: InetEndpoint, payload: string, destination = PROXY): Uint8Array {
  return encodeSpp({ source, destination }, Buffer.from(payload))
}

describe('contract U4: where answers go', () => {
  test('reply() uses the path of its datagram, send() the newest of the client', async t => {
    const server = await openAttached(t)
    const [first, second] = [await openPeer(t), await openPeer(t)]
    first.socket.send(from(CLIENT, '1'), server.port, '127.0.0.1')
    const { rinfo } = await server.next()
    second.socket.send(from(CLIENT, '2'), server.port, '127.0.0.1')
    await server.next()
    server.socket.send('newest', CLIENT.port, CLIENT.address)
    reply(server.socket, rinfo, 'own')
    assert.equal((await second.next()).payload.toString(), 'newest')
    assert.equal((await first.next()).payload.toString(), 'own')
    first.socket.send(from(CLIENT, '3'), server.port, '127.0.0.1')
    await server.next()
    server.socket.send('newest again', CLIENT.port, CLIENT.address)
    assert.equal((await first.next()).payload.toString(), 'newest again')
    const { sent, direct, flows } = server.stats()
    assert.deepEqual([sent, direct, flows.opened], [3, 0, 2])
  })

  test('send() knows an IPv4-mapped client by both of its addresses', async t => {
    const server = await openAttached(t)
    const proxy = await openPeer(t)
    const mapped = { address: '::ffff:192.0.2.1', port: 5353 }
    proxy.socket.send(from(mapped, 'x'), server.port, '127.0.0.1')
    const { rinfo } = await server.next()
    for (const address of [rinfo.address, '192.0.2.1']) {
      server.socket.send(address, rinfo.port, address)
      assert.equal((await proxy.next()).payload.toString(), address)
    }
  })

  test('send() to an address that is no client sends as asked, and counts it as direct', async t => {
    const server = await openAttached(t)
    const other = await openPeer(t)
    server.socket.send('hello', other.port, '127.0.0.1')
    assert.equal((await other.next()).payload.toString(), 'hello')
    assert.equal(server.stats().direct, 1)
  })

  test('send() without an address goes to this machine, as without attachDatagrams()', async t => {
    const server = await openAttached(t)
    const other = await openPeer(t)
    server.socket.send('hello', other.port)
    assert.equal((await other.next()).payload.toString(), 'hello')
    assert.equal(server.stats().direct, 1)
  })

  test('a client that comes without a proxy is answered without one', async t => {
    const server = await openAttached(t, { missing: 'direct' })
    const [proxy, client] = [await openPeer(t), await openPeer(t)]
    const source = { address: '127.0.0.1', port: client.port }
    proxy.socket.send(from(source, 'by proxy'), server.port, '127.0.0.1')
    await server.next()
    client.socket.send('direct', server.port, '127.0.0.1')
    const { rinfo } = await server.next()
    server.socket.send('answer', rinfo.port, rinfo.address)
    assert.equal((await client.next()).payload.toString(), 'answer')
  })

  test('a path is forgotten with its flow, and a reply of its datagram still leaves', async t => {
    t.mock.timers.enable({ apis: ['setInterval'] })
    const server = await openAttached(t)
    const [proxy, second] = [await openPeer(t), await openPeer(t)]
    for (const { socket } of [proxy, second]) socket.send(from(CLIENT, 'x'), server.port, '127.0.0.1')
    const [one, two] = [await server.next(), await server.next()]
    t.mock.timers.tick(31_000)
    assert.equal(server.stats().flows.ended.idle_timeout, 2)
    for (const { rinfo } of [one, two]) reply(server.socket, rinfo, 'late')
    assert.equal((await proxy.next()).payload.toString(), 'late')
    assert.equal((await second.next()).payload.toString(), 'late')
  })

  for (const [form, send] of [
    ['text', (socket, port, address) => socket.send('answer', port, address)],
    ['a list', (socket, port, address) => socket.send(['ans', Buffer.from('wer')], port, address)],
    [
      'offset and length',
      (socket, port, address) => socket.send(Buffer.from('an answer!'), 3, 6, port, address),
    ],
    ['offset and length in text', (socket, port, address) => socket.send('an answer!', 3, 6, port, address)],
    ['a callback', (socket, port, address) => socket.send('answer', port, address, () => undefined)],
    [
      'all of it',
      (socket, port, address) =>
        socket.send(new Uint8Array(Buffer.from('=answer=')), 1, 6, port, address, () => undefined),
    ],
  ] as const satisfies readonly (readonly [string, SendTo])[]) {
    test(`send() takes ${form}, in both framings`, async t => {
      for (const framing of ['v2', 'spp'] as const) {
        const server = await openAttached(t, { framing })
        const proxy = await openPeer(t)
        const bytes = framing === 'v2' ? from(CLIENT, 'x') : spp(CLIENT, 'x')
        proxy.socket.send(bytes, server.port, '127.0.0.1')
        const { rinfo } = await server.next()
        send(server.socket, rinfo.port, rinfo.address)
        const { payload } = await proxy.next()
        assert.equal(payload.subarray(framing === 'v2' ? 0 : 38).toString(), 'answer')
        assert.equal(server.stats().direct, 0)
      }
    })
  }
})

describe('contract U5: in Simple Proxy Protocol', () => {
  test('replies carry the same 38 bytes, also if the proxy address of a client changes', async t => {
    const server = await openAttached(t, { framing: 'spp' })
    const proxy = await openPeer(t)
    const elsewhere = { address: '198.51.100.8', port: 53 }
    const [first, second] = [spp(OTHER, 'one'), spp(OTHER, 'two', elsewhere)]
    proxy.socket.send(first, server.port, '127.0.0.1')
    const { rinfo, payload, info } = await server.next()
    assert.deepEqual([rinfo.address, rinfo.port, payload.toString()], [OTHER.address, OTHER.port, 'one'])
    assert.deepEqual([info?.destination, info?.header], [PROXY, undefined])
    proxy.socket.send(second, server.port, '127.0.0.1')
    await server.next()
    server.socket.send('newest', OTHER.port, OTHER.address)
    reply(server.socket, rinfo, ['its', ' own'])
    const answers = [(await proxy.next()).payload, (await proxy.next()).payload]
    const expected = [
      [second, 'newest'],
      [first, 'its own'],
    ] as const
    assert.deepEqual(
      answers.map(bytes => bytes.toString('hex')),
      expected.map(([head, text]) =>
        Buffer.concat([head.subarray(0, SPP_BYTES), Buffer.from(text)]).toString('hex'),
      ),
    )
    assert.equal(server.stats().flows.opened, 1)
  })

  for (const [what, bytes, reason] of [
    ['without the magic', from(CLIENT, 'x'), 'header_missing'],
    ['without a byte', new Uint8Array(), 'header_missing'],
    ['of 37 bytes', spp(CLIENT, '').subarray(0, 37), 'header_invalid'],
    ['of source port 0', spp({ ...CLIENT, port: 0 }, 'x'), 'source_port'],
  ] as const) {
    test(`a datagram ${what} is dropped as ${reason}`, async t => {
      const server = await openAttached(t, { framing: 'spp' })
      const proxy = await openPeer(t)
      proxy.socket.send(bytes, server.port, '127.0.0.1')
      assert.equal((await server.received(1)).dropped[reason], 1)
    })
  }
})

describe('contract U15: a reply that cannot be sent', () => {
  test('is counted, and never cut: 65,507 bytes leave no room for the 38 of the header', async t => {
    const server = await openAttached(t, { framing: 'spp' })
    const proxy = await openPeer(t)
    proxy.socket.send(spp(CLIENT, 'x'), server.port, '127.0.0.1')
    const { rinfo } = await server.next()
    const error = await new Promise<Error | null>(resolve => {
      reply(server.socket, rinfo, Buffer.alloc(MAX_DATAGRAM_BYTES), resolve)
    })
    assert.equal((error as NodeJS.ErrnoException).code, 'EMSGSIZE')
    server.socket.send(Buffer.alloc(MAX_DATAGRAM_BYTES - SPP_BYTES), CLIENT.port, CLIENT.address)
    assert.equal((await proxy.next()).payload.length, MAX_DATAGRAM_BYTES)
    const { sent, unsent } = server.stats()
    assert.deepEqual({ sent, unsent }, { sent: 1, unsent: { oversize: 1, send_error: 0 } })
  })

  test('for another reason is a send_error', async t => {
    const server = await openAttached(t)
    const rinfo = { address: '::1', family: 'IPv6', port: 9, size: 0 } as const
    server.socket.emit('message', Buffer.from(from(CLIENT, 'x')), rinfo) // this IPv4 socket cannot send there
    const { rinfo: shown } = await server.next()
    const error = await new Promise<Error | null>(resolve => {
      reply(server.socket, shown, 'x', resolve)
    })
    assert.ok(error)
    assert.deepEqual(server.stats().unsent, { oversize: 0, send_error: 1 })
  })

  for (const framing of ['v2', 'spp'] as const) {
    test(`because of wrong arguments is thrown, as without attachDatagrams(): ${framing}`, async t => {
      const server = await openAttached(t, { framing })
      const proxy = await openPeer(t)
      const bytes = framing === 'v2' ? from(CLIENT, 'x') : spp(CLIENT, 'x')
      proxy.socket.send(bytes, server.port, '127.0.0.1')
      const { rinfo } = await server.next()
      for (const [offset, length] of [
        [1, 3],
        [4, 0],
      ] as const) {
        const send = (): void =>
          server.socket.send(Buffer.alloc(3), offset, length, rinfo.port, rinfo.address)
        assert.throws(send, { name: 'RangeError' })
      }
      const { port, address } = rinfo
      assert.throws(() => server.socket.send(untyped(5), port, address), { name: 'TypeError' })
      assert.throws(() => server.socket.send(untyped(5), 0, 1, port, address), { name: 'TypeError' })
      assert.throws(() => reply(server.socket, rinfo, untyped(undefined)), { name: 'TypeError' })
    })
  }
})

test('contract U18: nothing is sent that was not asked for', async t => {
  const server = await openAttached(t)
  const proxy = await openPeer(t)
  for (const bytes of [from(CLIENT, 'x'), Buffer.from('junk'), from(CLIENT, 'y').subarray(0, 9)])
    proxy.socket.send(bytes, server.port, '127.0.0.1')
  const { sent, direct } = await server.received(3)
  assert.deepEqual([sent, direct, proxy.waiting], [0, 0, []])
})
