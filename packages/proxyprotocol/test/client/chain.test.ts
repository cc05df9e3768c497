// From hop to hop: what this library has accepted is passed on by headerFor() and connect(), and arrives as the first client.

import assert from 'node:assert/strict'
import dns from 'node:dns'
import { once } from 'node:events'
import http from 'node:http'
import net, { type AddressInfo, type Server, type Socket } from 'node:net'
import { text as textOf } from 'node:stream/consumers'
import { test, type TestContext } from 'node:test'
import tls from 'node:tls'
import { certificate } from 'test-support/certificates'
import { listenRaw, turns } from 'test-support/sockets'
import { connect, HeaderAgent, headerFor, type HeaderRequestOptions } from '../../src/client/index.ts'
import type { HeaderInit } from '../../src/codec/index.ts'
import type { ConnectionInfo } from '../../src/server/index.ts'
import { listenAttached } from '../support/attached.ts'
import { DESTINATION, encode, LOCAL, SOURCE } from '../support/headers.ts'
import { readToEnd, createHarness, type Served, type Harness } from '../support/harness.ts'

const HOST = '127.0.0.1'
const HEADER: HeaderInit = { source: SOURCE, destination: DESTINATION }

/** The last hop, and what it saw. */
async function lastHop(harness: Harness): Promise<Served & { readonly seen: ConnectionInfo[] }> {
  const seen: ConnectionInfo[] = []
  const served = await harness.serve(async connection => {
    seen.push(connection.info)
    await readToEnd(connection)
  })
  return { ...served, seen }
}

/** Passes an accepted socket on, and closes it when that is done. */
async function passOn(socket: Socket, port: number, options = {}): Promise<void> {
  const upstream = await connect({ host: HOST, port }, headerFor(socket, options))
  upstream.end()
  await once(upstream.resume(), 'close')
  socket.destroy()
}

/** Sends these bytes to a port and waits for the connection's end. */
async function send(harness: Harness, port: number, bytes: Uint8Array): Promise<Socket> {
  const client = harness.dial(port).end(bytes)
  await once(client.resume(), 'close')
  return client
}

test('a client passes through createServer(), headerFor() and connect() as itself, replaced and not stacked (spec 4.1)', async t => {
  const harness = createHarness(t)
  const last = await lastHop(harness)
  const middle = await harness.serve(({ socket }) => passOn(socket, last.port))
  await send(harness, middle.port, encode(HEADER))
  assert.deepEqual(
    last.seen.map(({ source, destination }) => [source, destination]),
    [[SOURCE, DESTINATION]],
  )
})

for (const [name, create] of [
  ['net', (onSocket: (socket: Socket) => void): Server => net.createServer(onSocket)],
  [
    'http',
    (onSocket: (socket: Socket) => void): Server => http.createServer(({ socket }) => onSocket(socket)),
  ],
] as const) {
  test(`a client passes through attach() on ${name}, headerFor() and connect() as itself`, async t => {
    const harness = createHarness(t)
    const last = await lastHop(harness)
    const passed: Promise<void>[] = []
    const { port } = await listenAttached(
      harness,
      create(socket => void passed.push(passOn(socket, last.port))),
    )
    await send(
      harness,
      port,
      Buffer.concat([encode(HEADER), Buffer.from('GET / HTTP/1.1\r\nhost: a\r\n\r\n')]),
    )
    await Promise.all(passed)
    assert.deepEqual(
      [last.seen.length, last.seen[0]?.source, last.seen[0]?.destination],
      [1, SOURCE, DESTINATION],
    )
  })
}

test('a client whose TLS ends at attach() is passed on with its facts', async t => {
  const harness = createHarness(t)
  const last = await lastHop(harness)
  const server = tls.createServer(certificate, socket => void passOn(socket, last.port, { tls: true }))
  const { port } = await listenAttached(harness, server)
  const socket = await connect({ host: 'localhost', port, family: 4, tls: { ca: certificate.cert } }, HEADER)
  await once(socket.on('error', () => {}).resume(), 'close')
  const [info] = last.seen
  assert.deepEqual([info?.source, info?.tlvs.authority, info?.ssl?.version], [SOURCE, 'localhost', 'TLSv1.3'])
})

test('TLVs of the first hop are passed on where they are given on, with the checksum computed anew', async t => {
  const harness = createHarness(t)
  const last = await lastHop(harness)
  const middle = await harness.serve(({ socket, info }) =>
    passOn(socket, last.port, { uniqueId: 'hop 2', tlvs: info.header?.tlvs }),
  )
  const first = { ...HEADER, tlvs: [{ type: 0xe0, value: Uint8Array.of(1) }] }
  await send(harness, middle.port, encode(first, { checksum: true }))
  const [info] = last.seen
  assert.ok(info?.tlvs.uniqueId)
  assert.equal(Buffer.from(info.tlvs.uniqueId).toString(), 'hop 2')
  assert.deepEqual(
    info.header?.tlvs.map(({ type }) => type),
    [0x05, 0x03, 0xe0],
  )
})

test("LOCAL is passed on as the sender's own connection, whole (CVE-2024-23327)", async t => {
  const harness = createHarness(t)
  const last = await lastHop(harness)
  const middle = await harness.serve(({ socket }) => passOn(socket, last.port))
  const client = harness.dial(middle.port)
  client.end(LOCAL)
  await once(client, 'connect')
  const source = { address: HOST, port: client.localPort }
  await once(client.resume(), 'close')
  const [info] = last.seen
  assert.deepEqual([info?.source, info?.destination], [source, { address: HOST, port: middle.port }])
})

test('what UNIX sockets and UNKNOWN said is never passed on as UNIX or UNSPEC, which receivers drop', async t => {
  const harness = createHarness(t)
  const commands: unknown[] = []
  const middle = await harness.serve(({ socket }) => {
    commands.push(encode(headerFor(socket)).toString('hex', 12, 14))
    socket.destroy()
  })
  await send(harness, middle.port, encode({ source: { path: '/a' }, destination: { path: '/b' } }))
  await send(harness, middle.port, encode({ family: 'UNSPEC' }))
  assert.deepEqual(commands, ['2000', '2111'], 'LOCAL, and the TCP connection that there is')
})

test('a header too long for its length field is refused before anything is opened (CVE-2026-47692)', async t => {
  const harness = createHarness(t)
  const server = net.createServer(() => assert.fail('something was opened')).listen(0, HOST)
  await once(server, 'listening')
  harness.defer(() => server.close())
  const { port } = server.address() as AddressInfo
  const merged = Array.from({ length: 2 }, () => ({ type: 0xe0, value: new Uint8Array(40_000) }))
  await assert.rejects(connect({ host: HOST, port }, { ...HEADER, tlvs: merged }), RangeError)
  const agent = new HeaderAgent()
  const options: HeaderRequestOptions = { agent, host: HOST, port, header: { ...HEADER, tlvs: merged } }
  assert.throws(() => http.get(options), RangeError)
  await turns()
})

function refuseLookups(t: TestContext): void {
  t.mock.method(dns, 'lookup', () => assert.fail('a name was looked up'))
}

test('addresses in a header are neither looked up nor bound, whatever families the host has (CVE-2024-23325)', async t => {
  const harness = createHarness(t)
  const { port, accept } = await listenRaw(harness)
  refuseLookups(t)
  const header = {
    source: { address: '2001:db8::1', port: 1 },
    destination: { address: '2001:db8::2', port: 2 },
  }
  const socket = await connect({ host: HOST, port }, header)
  socket.end()
  assert.equal(await textOf(await accept()), encode(header).toString())
  socket.destroy()
})
