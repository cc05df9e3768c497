// How servers are asked: in turn, again, over TCP, and until when.

import assert from 'node:assert/strict'
import { createSocket, Socket } from 'node:dgram'
import { Resolver } from 'node:dns'
import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { test, type TestContext } from 'node:test'
import { startHostileServer } from 'test-support/hostile-name-server'
import { framed, hostileKinds, listing, truncated, type HostileKind } from 'test-support/hostile-replies'
import { lookup } from '../../../src/dnsbl/index.ts'
import { parseNameServer, Resolution } from '../../../src/dnsbl/dns/index.ts'
import { ADDRESS, ownQueries, serve } from '../../support/dnsbl.ts'

const NAME = '1.2.0.192.bl.example'
const LISTED = [{ address: '127.0.0.2', ttl: 0 }]

/** Asks these servers; a test that never repeats a query has an hour for an interval. */
function resolve(servers: readonly string[], interval = 3_600_000): Resolution {
  return new Resolution(NAME, { servers: servers.map(parseNameServer), interval })
}

async function hostile(t: TestContext, kind: HostileKind): Promise<string> {
  const server = await startHostileServer(kind)
  t.after(() => server.close())
  return server.address
}

/** The address of a server that is gone. */
async function closedServer(): Promise<string> {
  const server = await startHostileServer({ datagrams: () => [], ends: '' })
  await server.close()
  return server.address
}

test('the next server is asked when one is silent, and the first again behind the last', async t => {
  const first = await serve(t, { [NAME]: 'SILENCE' })
  const second = await serve(t, { [NAME]: 'SILENCE' })
  const resolution = resolve([...first.servers, ...second.servers], 5)
  const ended = assert.rejects(resolution.records, { code: 'ECANCELLED' })
  await Promise.all([first.server.queries(3), second.server.queries(3)])
  resolution.cancel()
  await ended
  assert.ok(Math.abs(first.server.asked.length - second.server.asked.length) <= 2)
})

test('a late answer of the server that was asked first counts', async t => {
  const table: Record<string, readonly string[] | 'SILENCE'> = { [NAME]: 'SILENCE' }
  const first = await serve(t, table)
  const second = await serve(t, { [NAME]: 'SILENCE' })
  const resolution = resolve([...first.servers, ...second.servers], 5)
  await second.server.queries(2)
  table[NAME] = ['127.0.0.2']
  assert.deepEqual(await resolution.records, LISTED)
})

for (const [what, kind] of [
  ['fails', 'SERVFAIL'],
  ['refuses', 'REFUSED'],
] as const) {
  test(`the next server is asked at once when one ${what}`, async t => {
    const first = await serve(t, { [NAME]: kind })
    const second = await serve(t, { [NAME]: ['127.0.0.2'] })
    assert.deepEqual(await resolve([...first.servers, ...second.servers]).records, LISTED)
    assert.deepEqual([first.server.asked, second.server.asked], [[NAME], [NAME]])
  })
}

test('the next server is asked at once when nothing listens at one, or it sends what cannot be read', async t => {
  const { servers } = await serve(t, { [NAME]: ['127.0.0.2'] })
  const cut = await hostile(t, hostileKinds['a record that is cut off'])
  assert.deepEqual(await resolve([await closedServer(), cut, ...servers]).records, LISTED)
})

test('a server that has failed is not asked again, and the last failure is told with its name', async t => {
  const first = await serve(t, { [NAME]: 'SERVFAIL' })
  const second = await serve(t, { [NAME]: 'REFUSED' })
  await assert.rejects(resolve([...first.servers, ...second.servers]).records, {
    message: `queryA EREFUSED ${NAME}`,
    code: 'EREFUSED',
    syscall: 'queryA',
    hostname: NAME,
  })
  assert.deepEqual([first.server.asked, second.server.asked], [[NAME], [NAME]])
})

for (const [reply, code] of [
  ['NXDOMAIN', 'ENOTFOUND'],
  [[], 'ENODATA'],
] as const) {
  test(`${code} is an answer, and no other server is asked`, async t => {
    const first = await serve(t, { [NAME]: reply })
    const second = await serve(t, { [NAME]: ['127.0.0.2'] })
    await assert.rejects(resolve([...first.servers, ...second.servers]).records, { code })
    assert.deepEqual(second.server.asked, [])
  })
}

test('without a server no question is asked', async () => {
  await assert.rejects(resolve([]).records, { code: 'ECONNREFUSED' })
})

test('a truncated reply is asked for again over TCP, in however many pieces it comes', async t => {
  const kind = { datagrams: truncated, stream: (query: Buffer) => framed(listing(query)), ends: '' }
  const expected = [{ address: '127.0.0.2', ttl: 300 }]
  assert.deepEqual(await resolve([await hostile(t, kind)]).records, expected)
  assert.deepEqual(await resolve([await hostile(t, { ...kind, drips: true })]).records, expected)
})

test('while TCP is under way no datagram is sent, and other servers are asked', async t => {
  const connections: unknown[] = []
  const dripping = await hostile(t, {
    ...hostileKinds['a reply that drips over TCP'],
    stream: query => {
      connections.push(query)
      return Buffer.alloc(4_000, 1)
    },
  })
  const { server, servers } = await serve(t, { [NAME]: 'SILENCE' })
  const resolution = resolve([dripping, ...servers], 5)
  const ended = assert.rejects(resolution.records, { code: 'ECANCELLED' })
  await server.queries(4)
  resolution.cancel()
  await ended
  assert.equal(connections.length, 1)
})

test('cancelling closes connections too', async () => {
  const tcp = createServer().listen(0, '127.0.0.1')
  await once(tcp, 'listening')
  const closed = new Promise(resolve => {
    tcp.once('connection', socket => {
      socket.on('error', () => {}).resume()
      socket.once('data', () => resolution.cancel()).once('close', resolve)
    })
  })
  const { port } = tcp.address() as AddressInfo
  const udp = createSocket('udp4')
  udp.on('message', (query, from) => {
    for (const reply of truncated(query)) udp.send(reply, from.port, from.address)
  })
  udp.bind(port, '127.0.0.1')
  await once(udp, 'listening')
  const resolution = resolve([`127.0.0.1:${port}`])
  await assert.rejects(resolution.records, { code: 'ECANCELLED' })
  await closed
  udp.close()
  tcp.close()
})

test('cancelling closes sockets that are not connected yet', async t => {
  const { server, servers } = await serve(t, { [NAME]: ['127.0.0.2'] })
  const queries = ownQueries(t)
  const resolution = resolve(servers)
  resolution.cancel()
  resolution.cancel()
  await assert.rejects(resolution.records, { code: 'ECANCELLED' })
  await Promise.all(queries)
  assert.deepEqual(server.asked, [])
})

test('a server is asked over IPv6, however its address is written', async t => {
  const { server } = await serve(t, { [NAME]: ['127.0.0.2'] }, '::1')
  const { port } = parseNameServer(server.address)
  for (const address of ['::1', '0:0::0001', '::1%lo']) {
    assert.deepEqual(await resolve([`[${address}]:${port}`]).records, LISTED, address)
  }
})

test('replies from elsewhere do not count, also where connected sockets get them', async t => {
  const { server, servers } = await serve(t, { [NAME]: 'SILENCE' })
  const { address, port } = parseNameServer(server.address)
  const sent = t.mock.method(Socket.prototype, 'send')
  const resolution = resolve(servers)
  await server.queries(1)
  const { this: own, arguments: parameters } = callOf(sent.mock.calls[0] ?? assert.fail())
  const reply = listing(parameters[0])
  let settled = false
  const records = resolution.records.finally(() => (settled = true))
  own.emit('message', reply, { address: '127.0.0.9', port })
  own.emit('message', reply, { address, port: port ^ 1 })
  await new Promise(setImmediate)
  assert.equal(settled, false)
  own.emit('message', reply, { address, port })
  assert.deepEqual(await records, [{ address: '127.0.0.2', ttl: 300 }])
})

test('each query has an id and a port of its own', async t => {
  const ids = new Set<number>()
  const ports = new Set<number>()
  const { server, servers } = await serve(t, { [NAME]: 'SILENCE' })
  const sent = t.mock.method(Socket.prototype, 'send')
  const resolutions = Array.from({ length: 20 }, () => resolve(servers))
  await server.queries(20)
  for (const { this: own, arguments: parameters } of sent.mock.calls.map(callOf)) {
    ids.add(parameters[0].readUInt16BE(0))
    ports.add(own.address().port)
  }
  for (const resolution of resolutions) {
    resolution.cancel()
    await assert.rejects(resolution.records)
  }
  assert.deepEqual([ports.size, ids.size > 17], [20, true])
})

test("lookup() asks the system's name servers where it is given none", async t => {
  const { server } = await serve(t, { [NAME]: ['127.0.0.2'] })
  t.mock.method(Resolver.prototype, 'getServers', () => [server.address])
  assert.equal((await lookup(ADDRESS, 'bl.example')).status, 'listed')
  assert.deepEqual(server.asked, [NAME])
})

test('lookup() asks each of many servers before its deadline', async t => {
  const scenes = await Promise.all(Array.from({ length: 6 }, () => serve(t, { [NAME]: 'SILENCE' })))
  const last = await serve(t, { [NAME]: ['127.0.0.2'] })
  const servers = [...scenes, last].flatMap(scene => scene.servers)
  const set = t.mock.method(globalThis, 'setInterval')
  const { status } = await lookup(ADDRESS, 'bl.example', { servers, timeout: 1_400 })
  assert.deepEqual([status, set.mock.calls[0]?.arguments[1]], ['listed', 200])
})

interface SendCall {
  readonly this: Socket
  readonly arguments: readonly [query: Buffer]
}

/** A call of a socket's send(), with the query as bytes that can be read. */
function callOf(call: { readonly this: unknown; readonly arguments: readonly unknown[] }): SendCall {
  const [query] = call.arguments as readonly [Uint8Array] // it is called with the query alone
  return { this: call.this as Socket, arguments: [Buffer.from(query)] } // a method of sockets
}
