// headerFor(): what an accepted socket is to the next hop.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { IncomingMessage } from 'node:http'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { test } from 'node:test'
import { TLSSocket } from 'node:tls'
import { outcome, until } from 'test-support/sockets'
import { untyped } from 'test-support/untyped'
import { temporaryFolder } from 'test-support/folder'
import { headerFor, type HeaderForOptions } from '../../../src/client/index.ts'
import { encodeHeader, parseHeader, readTlvs, tlv, tlvType } from '../../../src/codec/index.ts'
import { DESTINATION, encode, SOURCE } from '../../support/headers.ts'
import { over, createHarness, type Harness } from '../../support/harness.ts'

/** A socket that was accepted there. */
async function accepted(harness: Harness, host: string, to = host): Promise<Socket> {
  const server = createServer()
  if (host.startsWith('/')) server.listen(host)
  else server.listen(0, host)
  await once(server, 'listening')
  const connection = once(server, 'connection') as Promise<[Socket]>
  const client = harness.dial(host.startsWith('/') ? host : (server.address() as AddressInfo).port, to)
  const [socket] = await connection
  socket.on('error', () => {})
  harness.defer(() => {
    client.destroy()
    socket.destroy()
  })
  server.close()
  return socket
}

/** A socket as far as headerFor() looks at it, for addresses that loopback does not have. */
function stub(source: readonly unknown[], destination: readonly unknown[]): Socket {
  const [remoteAddress, remotePort] = source
  const [localAddress, localPort] = destination
  return untyped({ remoteAddress, remotePort, localAddress, localPort })
}

test('headerFor() tells the ends of an IPv4 socket', async t => {
  const socket = await accepted(createHarness(t), '127.0.0.1')
  const { remotePort, localPort } = socket
  assert.deepEqual(headerFor(socket), {
    version: 2,
    source: { address: '127.0.0.1', port: remotePort },
    destination: { address: '127.0.0.1', port: localPort },
    tlvs: [],
  })
  const line = `PROXY TCP4 127.0.0.1 127.0.0.1 ${remotePort} ${localPort}\r\n`
  assert.equal(Buffer.from(encodeHeader(headerFor(socket, { version: 1 }))).toString(), line)
})

test('headerFor() tells the ends of an IPv6 socket', async t => {
  const socket = await accepted(createHarness(t), '::1')
  const { remotePort, localPort } = socket
  const line = `PROXY TCP6 ::1 ::1 ${remotePort} ${localPort}\r\n`
  assert.equal(Buffer.from(encodeHeader(headerFor(socket, { version: 1 }))).toString(), line)
})

test('headerFor() tells IPv4 as IPv4 where a dual-stack socket shows it mapped', async t => {
  const socket = await accepted(createHarness(t), '::', '127.0.0.1')
  assert.equal(socket.remoteAddress, '::ffff:127.0.0.1')
  const header = parseHeader(encodeHeader(headerFor(socket)))
  assert.equal(header.family, 'INET')
  assert.equal(header.source.address, '127.0.0.1')
})

test('headerFor() tells LOCAL, or UNKNOWN, for a UNIX socket', async t => {
  const harness = createHarness(t)
  const folder = temporaryFolder(t)
  const socket = await accepted(harness, join(folder, 'socket'))
  assert.deepEqual(headerFor(socket), { version: 2, command: 'LOCAL', tlvs: [] })
  assert.equal(Buffer.from(encodeHeader(headerFor(socket, { version: 1 }))).toString(), 'PROXY UNKNOWN\r\n')
})

test('headerFor() refuses a socket that is gone: what it left behind has no owner, least of all the proxy', async t => {
  const socket = await accepted(createHarness(t), '127.0.0.1')
  socket.destroy()
  await until(() => socket.closed)
  assert.throws(() => headerFor(socket), { name: 'ProxyProtocolError', code: 'client_reset' })
})

test('headerFor() tells what a header said before (spec 4.1)', async t => {
  const harness = createHarness(t)
  const headers: unknown[] = []
  const served = await harness.serve(({ socket }) => void headers.push(headerFor(socket)))
  await outcome(harness.dial(served.port).end(encode({ source: SOURCE, destination: DESTINATION })))
  await outcome(
    harness.dial(served.port).end(encode({ source: { path: '/a' }, destination: { path: '/b' } })),
  )
  await over(served, 2)
  assert.deepEqual(headers, [
    { version: 2, source: SOURCE, destination: DESTINATION, tlvs: [] },
    { version: 2, command: 'LOCAL', tlvs: [] },
  ])
})

const cases: readonly (readonly [
  name: string,
  remote: string,
  local: string,
  family: string,
  ...ends: string[],
])[] = [
  ['both mapped', '::ffff:192.0.2.1', '::ffff:198.51.100.7', 'INET', '192.0.2.1', '198.51.100.7'],
  ['mapped in hexadecimal', '::ffff:c000:201', '::ffff:c633:6407', 'INET', '192.0.2.1', '198.51.100.7'],
  ['one mapped', '::ffff:192.0.2.1', '2001:db8::1', 'INET6', '::ffff:192.0.2.1', '2001:db8::1'],
  ['mixed', '192.0.2.1', '2001:db8::1', 'INET6', '::ffff:192.0.2.1', '2001:db8::1'],
  ['with a zone', 'fe80::1%eth0', 'fe80::2%eth0', 'INET6', 'fe80::1', 'fe80::2'],
  ['compatible, not mapped', '::192.0.2.1', '::1', 'INET6', '::c000:201', '::1'],
]

for (const [name, remote, local, family, source, destination] of cases) {
  test(`headerFor() tells addresses that are ${name} so that they can be sent`, () => {
    const header = parseHeader(encodeHeader(headerFor(stub([remote, 1], [local, 2]))))
    assert.ok(header.family === 'INET' || header.family === 'INET6')
    assert.equal(header.family, family)
    assert.deepEqual([header.source.address, header.destination.address], [source, destination])
  })
}

/** How an address that a socket shows is sent beside another: IPv4 as itself, unless the other end is IPv6 (spec 4.2). */
const ends = {
  v4: { address: '192.0.2.1', as4: '192.0.2.1', as6: '::ffff:192.0.2.1' },
  v6: { address: '2001:db8::1', as4: undefined, as6: '2001:db8::1' },
  mapped: { address: '::ffff:192.0.2.9', as4: '192.0.2.9', as6: '::ffff:192.0.2.9' },
  unix: { address: undefined, as4: undefined, as6: undefined },
} as const

for (const [sourceKind, source] of Object.entries(ends)) {
  for (const [destinationKind, destination] of Object.entries(ends)) {
    test(`headerFor() tells ${sourceKind} to ${destinationKind} in one family, in both versions`, () => {
      const socket = stub([source.address, 1], [destination.address, 2])
      if (source.address === undefined && destination.address === undefined) {
        assert.equal(encode(headerFor(socket)).toString('hex', 12), '20000000', 'LOCAL, UNSPEC, length 0')
        assert.equal(encode(headerFor(socket, { version: 1 })).toString(), 'PROXY UNKNOWN\r\n')
        return
      }
      if (source.address === undefined || destination.address === undefined) {
        for (const version of [1, 2] as const) {
          assert.throws(() => headerFor(socket, { version }), { code: 'client_reset' })
        }
        return
      }
      const in4 = source.as4 !== undefined && destination.as4 !== undefined
      const pair = in4 ? [source.as4, destination.as4] : [source.as6, destination.as6]
      const header = parseHeader(encodeHeader(headerFor(socket)))
      assert.ok(header.family === 'INET' || header.family === 'INET6')
      assert.equal(header.family, in4 ? 'INET' : 'INET6')
      assert.deepEqual([header.source.address, header.destination.address], pair)
      const line = encode(headerFor(socket, { version: 1 })).toString()
      assert.equal(line, `PROXY TCP${in4 ? 4 : 6} ${pair.join(' ')} 1 2\r\n`)
    })
  }
}

test('headerFor() sends a checksum where it is asked to, and leaves one out that came along', () => {
  const socket = stub(['192.0.2.1', 1], ['192.0.2.2', 2])
  const old = { type: tlvType.checksum, value: Uint8Array.of(1, 2, 3, 4) }
  const types = (options: HeaderForOptions): unknown =>
    parseHeader(encodeHeader(headerFor(socket, options))).tlvs.map(({ type }) => type) // which verifies the sum
  const { checksum, authority } = tlvType
  const tlvs = [tlv.authority('example.org'), old]
  assert.deepEqual(types({ checksum: true }), [checksum])
  assert.deepEqual(types({ checksum: true, tlvs }), [checksum, authority])
  assert.deepEqual(types({ checksum: false, tlvs }), [authority])
  assert.deepEqual(types({ tlvs }), [authority, checksum], 'passed on with its sum computed anew')
  assert.throws(() => encodeHeader(headerFor(socket, { version: 1, checksum: true })), TypeError)
})

test('headerFor() names an option that it does not know', () => {
  assert.throws(() => headerFor(stub([], []), untyped({ uniqueID: 'abc' })), {
    name: 'TypeError',
    message: 'options must have only version, tls, checksum, uniqueId, tlvs, got "uniqueID"',
  })
})

test('headerFor() refuses a socket of which only one end is known, as is that of a peer that left at once', () => {
  for (const socket of [
    stub([undefined, undefined], ['192.0.2.1', 1]),
    stub(['192.0.2.1', 1], []),
    stub(['192.0.2.1', undefined], ['192.0.2.2', 1]),
    stub(['nonsense', 1], ['192.0.2.1', 1]),
  ]) {
    assert.throws(() => headerFor(socket), { code: 'client_reset' })
  }
})

test('headerFor() puts a unique id before the TLVs that it is given', () => {
  const socket = stub(['192.0.2.1', 1], ['192.0.2.2', 2])
  for (const each of [socket, stub([], [])]) {
    const { tlvs } = headerFor(each, { uniqueId: 'abc', tlvs: [tlv.authority('example.org')] })
    assert.deepEqual(tlvs, [tlv.uniqueId('abc'), tlv.authority('example.org')])
  }
  const header = parseHeader(encodeHeader(headerFor(socket, { uniqueId: Uint8Array.of(1, 2) })))
  assert.deepEqual(readTlvs(header).uniqueId, Uint8Array.of(1, 2))
  assert.throws(() => headerFor(socket, { uniqueId: 'x'.repeat(129) }), RangeError)
  assert.throws(() => encodeHeader(headerFor(socket, { version: 1, uniqueId: 'abc' })), TypeError)
})

test('headerFor() refuses what is not a socket, and says where a request has one', async t => {
  const harness = createHarness(t)
  const socket = await accepted(harness, '127.0.0.1')
  const request = new IncomingMessage(socket)
  for (const [value, message] of [
    [{}, 'socket must be a socket, which has addresses, got an object that has none'],
    [
      request,
      'socket must be a socket, which has addresses, got an object that has none; did you mean its "socket"?',
    ],
    [new PassThrough(), 'socket must be a socket, which has addresses, got an object that has none'],
    [
      { remoteAddress: '192.0.2.1' },
      'socket must be a socket, which has addresses, got an object that has none',
    ],
    [undefined, 'socket must be a socket, which has addresses, got undefined'],
    ['192.0.2.1', "socket must be a socket, which has addresses, got '192.0.2.1'"],
  ] as const) {
    assert.throws(() => headerFor(untyped(value)), { name: 'TypeError', message })
  }
  assert.ok('source' in headerFor(request.socket))
})

test('headerFor() takes the address below TLS where TLS runs over a stream that shows one', async t => {
  const harness = createHarness(t)
  const [address, port] = ['192.0.2.1', 1]
  const ends = { remoteAddress: address, remotePort: port, localAddress: address, localPort: 2 }
  const secure = new TLSSocket(Object.assign(new PassThrough(), ends), { isServer: true })
  harness.defer(() => secure.destroy())
  assert.deepEqual(headerFor(secure), {
    version: 2,
    source: { address, port },
    destination: { address, port: 2 },
    tlvs: [],
  })
})
