// front() on Node: the contract of createServer() with a real target. The smoke suite has every kind of target and runtime.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import http from 'node:http'
import net, { type AddressInfo, type Socket } from 'node:net'
import { test } from 'node:test'
import tls from 'node:tls'
import { certificate } from 'test-support/certificates'
import { connectedAtOnce, most } from 'test-support/burst'
import { listenRaw, outcome, text, until } from 'test-support/sockets'
import { untyped } from 'test-support/untyped'
import { connectionInfo, front } from '../../../src/server/index.ts'
import { FrontTarget } from '../../../src/server/attach/front-target.ts'
import { LOCAL, SOURCE, V1, V2 } from '../../support/headers.ts'
import { counted, over, createHarness } from '../../support/harness.ts'
import { serve, raw } from '../../support/fronted.ts'

function seen(socket: Socket): string {
  const peer = connectionInfo(socket)?.via.peer
  return `${socket.remoteAddress}:${socket.remotePort} to ${socket.localAddress} by ${JSON.stringify(peer && 'address' in peer && peer.address)}`
}

test('front() shows the client to a server in this process, before it reads and with pipelined payload', async t => {
  const harness = createHarness(t)
  const target = http.createServer((request, response) => response.end(seen(request.socket)))
  const { port } = await serve(harness, target)
  for (const header of [V1, V2]) {
    const client = harness.dial(port)
    client.end(Buffer.concat([header, Buffer.from('GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n')]))
    assert.match(await text(client), /192\.0\.2\.1:56324 to 198\.51\.100\.7 by "127\.0\.0\.1"$/)
  }
})

test('front() shows the peer itself where the header is LOCAL', async t => {
  const harness = createHarness(t)
  const { server, port } = await serve(
    harness,
    net.createServer(socket => socket.once('data', () => socket.end(seen(socket)))),
  )
  const client = harness.dial(port)
  client.write(Buffer.concat([LOCAL, Buffer.from('hi')]))
  await once(client, 'connect')
  const { localPort } = client
  assert.equal(await text(client), `127.0.0.1:${localPort} to 127.0.0.1 by "127.0.0.1"`)
  client.end()
  await over({ server }, 1)
})

test('front() gives each of many clients at once its own address', async t => {
  const harness = createHarness(t)
  const { port, server } = await serve(
    harness,
    net.createServer(socket => socket.once('data', () => socket.end(String(socket.remoteAddress)))),
  )
  await Promise.all(
    Array.from({ length: 100 }, async (_, n) => {
      const client = harness.dial(port)
      client.end(`PROXY TCP4 192.0.2.${n} 198.51.100.7 ${n + 1} 443\r\nhi`)
      assert.equal(await text(client), `192.0.2.${n}`)
    }),
  )
  await over({ server }, 100)
  assert.deepEqual(counted({ server }), { done: 100 })
})

test('front() makes a server listen that does not, on loopback only, and closes it with itself', async t => {
  const harness = createHarness(t)
  const target = net.createServer()
  const { server } = await serve(harness, target)
  assert.equal((target.address() as AddressInfo).address, '127.0.0.1')
  await server.close()
  assert.equal(target.listening, false)
})

test(`front() lets ${most()} connections at once wait, and so does the target that it makes listen`, async t => {
  const harness = createHarness(t)
  const target = net.createServer()
  const server = harness.watch(front(target, { trust: 'anyone' }))
  await server.listen(0, '127.0.0.1')
  for (const { address } of [server, { address: target.address() }]) {
    const { port } = address as AddressInfo
    assert.equal(connectedAtOnce({ port, host: '127.0.0.1' }), most())
  }
})

test('front() leaves a server listening that did before', async t => {
  const harness = createHarness(t)
  const target = net.createServer(socket => socket.resume().end(seen(socket))).listen(0, '::1')
  await once(target, 'listening')
  const { server, port } = await serve(harness, target)
  const client = harness.dial(port)
  client.end(V2)
  await text(client)
  await server.close()
  assert.equal(target.listening, true)
  target.close()
  await once(target, 'close')
})

test('front() closes its target again when it cannot listen itself', async t => {
  const harness = createHarness(t)
  const { port } = await listenRaw(harness)
  const target = net.createServer()
  const server = harness.watch(front(target, { trust: 'anyone' }))
  await assert.rejects(server.listen(port, '127.0.0.1'), { code: 'EADDRINUSE' })
  assert.equal(target.listening, false)
  const already = net.createServer().listen(0, '127.0.0.1')
  await once(already, 'listening')
  const other = harness.watch(front(already, { trust: 'anyone' }))
  await assert.rejects(other.listen(port, '127.0.0.1'), { code: 'EADDRINUSE' })
  assert.equal(already.listening, true)
  already.close()
  await once(already, 'close')
})

test('front() rejects listen() when its target cannot listen', async t => {
  const harness = createHarness(t)
  const target = net.createServer()
  target.listen = untyped(() => target.emit('error', new Error('no port left')))
  const server = harness.watch(front(target, { trust: 'anyone' }))
  await assert.rejects(server.listen(0), { message: 'no port left' })
})

test('front() closes what comes to a server past it, which never has an address', async t => {
  const harness = createHarness(t)
  const addresses: unknown[] = []
  const target = net.createServer({ allowHalfOpen: true }, socket =>
    addresses.push([socket.remoteAddress, connectionInfo(socket)]),
  )
  await serve(harness, target)
  const { port } = target.address() as AddressInfo
  assert.equal((await outcome(harness.dial(port).end())).text, '')
  assert.deepEqual(addresses, [[undefined, undefined]])
})

test('front() closes what comes to a server past it also while it always connects for others', async t => {
  const harness = createHarness(t)
  const target = net.createServer({ allowHalfOpen: true }, socket => socket.on('error', () => {}))
  const behind = new FrontTarget(target)
  await behind.open()
  const { port } = target.address() as AddressInfo
  const made: Socket[] = []
  target.on('connection', socket => made.push(socket))
  harness.defer(async () => {
    for (const socket of made) socket.destroy()
    await behind.close()
  })
  const next = async (): Promise<void> => {
    made.push(await behind.connect(untyped({}), new AbortController().signal))
  }
  let running = next()
  const stranger = harness.dial(port).end().resume()
  for (let i = 0; i < 200 && !stranger.closed; i++) {
    const following = next() // before the other ends, so that one is always under way
    await running
    running = following
  }
  await running
  assert.equal(stranger.closed, true)
})

test('front() shows the client on a TLS socket, also where that is shown twice, as on Bun', async t => {
  const harness = createHarness(t)
  let again = false
  const target = tls.createServer(certificate, socket => {
    if (again) return
    again = true
    target.emit('secureConnection', socket)
    socket.on('error', () => {}).end(seen(socket))
  })
  const { server, port } = await serve(harness, target)
  const client = harness.dial(port)
  client.write(V2)
  const secure = tls.connect({ socket: client, rejectUnauthorized: false })
  assert.match(await text(secure), /^192\.0\.2\.1:56324 /)
  secure.destroy()
  await over({ server }, 1)
})

test('front() gives a failed TLS handshake its client', async t => {
  const harness = createHarness(t)
  const target = tls.createServer(certificate)
  const { port } = await serve(harness, target)
  const failed = once(target, 'tlsClientError') as Promise<[Error, tls.TLSSocket]>
  const client = harness.dial(port)
  client.end(Buffer.concat([V2, Buffer.from('GET / HTTP/1.1\r\n\r\n')]))
  const [, socket] = await failed
  assert.equal(socket.remoteAddress, SOURCE.address)
  socket.destroy()
  await outcome(client)
})

test('front() tells by infoOf() who stands behind an endpoint, as long as the connection lives', async t => {
  const { harness, server, port, accept } = await raw(t)
  const client = harness.dial(port)
  client.write(V2)
  const socket = await accept()
  const peer = { address: String(socket.remoteAddress), port: Number(socket.remotePort) }
  await until(() => server.infoOf(peer) !== undefined)
  assert.deepEqual(server.infoOf(peer)?.source, SOURCE)
  for (const stranger of [null, { ...peer, address: '127.0.0.2' }, { ...peer, port: 1 }]) {
    assert.equal(server.infoOf(stranger), undefined)
  }
  socket.resetAndDestroy()
  await outcome(client)
  assert.equal(server.infoOf(peer), undefined)
  await over({ server }, 1)
  assert.deepEqual(counted({ server }), { upstream_reset: 1 })
})

test('front() knows no client behind a connection that it is closing', async t => {
  const { harness, server, port, accept } = await raw(t)
  const client = harness.dial(port)
  client.write(V2)
  const { remoteAddress: address, remotePort } = await accept()
  const peer = { address: String(address), port: Number(remotePort) }
  await until(() => server.infoOf(peer) !== undefined)
  for (const connection of server.connections) connection.abort()
  assert.equal(server.infoOf(peer), undefined)
})

test('front() never lets anybody through without a header, or from elsewhere than trust says', async t => {
  const harness = createHarness(t)
  const target = net.createServer(() => assert.fail('it was let in'))
  const open = await serve(harness, target)
  const closed = await serve(harness, target, { trust: ['192.0.2.0/24'] })
  assert.equal((await outcome(harness.dial(open.port).end('GET / HTTP/1.1\r\n\r\n'))).text, '')
  assert.equal((await outcome(harness.dial(closed.port).end(V2))).text, '')
  await over(open, 1)
  await over(closed, 1)
  assert.deepEqual([counted(open), counted(closed)], [{ header_missing: 1 }, { untrusted_peer: 1 }])
})

test('front() knows a socket of its target by its address where nothing tells what is beneath it, as for TLS on Bun', async t => {
  const harness = createHarness(t)
  const target = net.createServer(socket => void socket.once('data', () => socket.end(shownAs(socket))))
  /** What another socket at the same address is shown as. */
  function shownAs(socket: net.Socket): string {
    const port: unknown = Reflect.get(Object.getPrototypeOf(socket) as object, 'remotePort', socket)
    const other = new net.Socket()
    Object.defineProperties(other, {
      remoteAddress: { value: '127.0.0.1', configurable: true },
      remotePort: { value: port, configurable: true },
    })
    target.emit('secureConnection', other)
    other.destroy()
    return `${other.remoteAddress} ${JSON.stringify(connectionInfo(other)?.source)}`
  }
  const { port } = await serve(harness, target)
  const client = harness.dial(port)
  client.end(Buffer.concat([V2, Buffer.from('hi')]))
  assert.equal((await outcome(client)).text, `${SOURCE.address} ${JSON.stringify(SOURCE)}`)
})

test('front() refuses a target that is not a port on loopback', async t => {
  const harness = createHarness(t)
  const open = net.createServer().listen(0, '0.0.0.0')
  await once(open, 'listening')
  const refused = [
    open,
    untyped({}),
    untyped({ address: '127.0.0.1', port: 1n }),
    untyped('/run/app.sock'),
    ...['0.0.0.0', '::', '192.0.2.1', '::2', '1::1', 'localhost', ''].map(address => ({ address, port: 80 })),
    ...[0, 65_536, 1.5].map(port => ({ address: '127.0.0.1', port })),
  ]
  for (const target of refused) {
    assert.throws(() => front(target, { trust: 'anyone' }), {
      name: 'TypeError',
      message: /^target must listen on a port of 127\.0\.0\.1 or ::1, which only this machine reaches, got /,
    })
  }
  open.close()
  await once(open, 'close')
  const late = net.createServer()
  const server = harness.watch(front(late, { trust: 'anyone' }))
  late.listen(0, '0.0.0.0')
  await once(late, 'listening')
  await assert.rejects(server.listen(0), { name: 'TypeError' })
  late.close()
  await once(late, 'close')
  front({ address: '::1', port: 80 }, { trust: 'anyone' })
})

test('front() names the option that is wrong', () => {
  assert.throws(() => front(net.createServer(), untyped({})), { message: /^trust must be/ })
})
