// Who is at the other end: what the header says, what the socket says, and what each shows in which case.

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { connect, createServer as createNetServer, Socket, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { outcome } from 'test-support/sockets'
import { temporaryFolder } from 'test-support/folder'
import { parseHeader, tlv, tlvType, type Endpoint } from '../../../src/codec/index.ts'
import {
  connectionInfo,
  createServer,
  extensionTlv,
  type Connection,
  type ConnectionInfo,
} from '../../../src/server/index.ts'
import { applyHeader } from '../../../src/server/socket/connection-info.ts'
import { DESTINATION, encode, LOCAL, SOURCE, UNKNOWN, V1, V2 } from '../../support/headers.ts'
import { counted, over, createHarness } from '../../support/harness.ts'

const ADDRESSES = [
  ...(['remoteAddress', 'remotePort', 'remoteFamily'] as const),
  ...(['localAddress', 'localPort', 'localFamily'] as const),
]

interface Seen {
  readonly info: ConnectionInfo
  readonly socket: Socket
  /** The socket's six address properties, remote and local. */
  readonly addresses: readonly unknown[]
}

function look({ info, socket }: Connection): Seen {
  const addresses = ADDRESSES.map(name => socket[name])
  return { info, socket, addresses }
}

/** What the handler of one connection sees that starts with these bytes. */
async function see(t: TestContext, bytes: Uint8Array): Promise<Seen> {
  const harness = createHarness(t)
  const seen: Seen[] = []
  const served = await harness.serve(connection => void seen.push(look(connection)))
  await outcome(harness.dial(served.port).end(bytes))
  await over(served, 1)
  const [first] = seen
  assert.ok(first, 'the handler ran')
  return first
}

function ends(endpoint: Endpoint, family: string): unknown[] {
  return [...(Object.values(endpoint) as unknown[]), family]
}

const proxied: readonly (readonly [
  name: string,
  bytes: Buffer,
  source: Endpoint,
  destination: Endpoint,
  string,
])[] = [
  ['TCP4', V1, SOURCE, DESTINATION, 'IPv4'],
  ['INET', V2, SOURCE, DESTINATION, 'IPv4'],
  [
    'TCP6',
    Buffer.from('PROXY TCP6 2001:DB8::1 2001:db8::2 1 65535\r\n'),
    { address: '2001:db8::1', port: 1 },
    { address: '2001:db8::2', port: 65_535 },
    'IPv6',
  ],
  [
    'INET6',
    encode({
      source: { address: '2001:db8::1', port: 0 },
      destination: { address: '2001:db8::2', port: 443 },
    }),
    { address: '2001:db8::1', port: 0 },
    { address: '2001:db8::2', port: 443 },
    'IPv6',
  ],
  [
    'INET6 with one end mapped',
    encode({ source: SOURCE, destination: { address: '2001:db8::2', port: 443 } }),
    { address: '::ffff:192.0.2.1', port: 56_324 },
    { address: '2001:db8::2', port: 443 },
    'IPv6',
  ],
]

for (const [name, bytes, source, destination, family] of proxied) {
  test(`a header of ${name} gives source and destination, and the socket says the same`, async t => {
    const { info, socket, addresses } = await see(t, bytes)
    assert.deepEqual([info.source, info.destination], [source, destination])
    assert.deepEqual(addresses, [...ends(source, family), ...ends(destination, family)])
    assert.equal(connectionInfo(socket), info)
    assert.ok(info.via.peer && 'port' in info.via.peer && info.via.local && 'port' in info.via.local)
    assert.equal(info.via.peer.address, '127.0.0.1')
    assert.equal(info.via.local.address, '127.0.0.1')
    assert.notEqual(info.via.peer.port, info.via.local.port)
    assert.equal(info.header?.command, 'PROXY')
    assert.deepEqual([info.tlvs.ssl, info.ssl], [undefined, undefined])
  })
}

test('a dual-stack server tells an IPv4 client as IPv4, as the peer and as the source', async t => {
  const harness = createHarness(t)
  const infos: ConnectionInfo[] = []
  const server = harness.watch(createServer({ version: 'none' }, ({ info }) => void infos.push(info)))
  const { port } = (await server.listen(0)) as AddressInfo // on every interface
  const client = harness.dial(port)
  await once(client, 'connect')
  const [peer, local] = [client.localPort, port].map(at => ({ address: '127.0.0.1', port: at }))
  await outcome(client.end())
  assert.deepEqual(
    infos.map(({ via, source, destination }) => [via, source, destination]),
    [[{ peer, local }, peer, local]],
  )
})

test('a header of UNIX gives paths, and the socket has no address', async t => {
  const header = { source: { path: '/run/client' }, destination: { path: '\0server' } }
  const { info, addresses } = await see(t, encode(header))
  assert.deepEqual([info.source, info.destination], [header.source, header.destination])
  assert.deepEqual(addresses, Array.from({ length: 6 }))
})

for (const [name, bytes] of Object.entries({
  LOCAL,
  'PROXY UNKNOWN': UNKNOWN,
  UNSPEC: encode({ family: 'UNSPEC' }),
})) {
  test(`a header of ${name} leaves the addresses that the socket has`, async t => {
    const { info, addresses } = await see(t, bytes)
    assert.deepEqual([info.source, info.destination], [info.via.peer, info.via.local])
    assert.ok(info.source && 'port' in info.source && info.destination && 'port' in info.destination)
    const { source, destination } = info
    assert.deepEqual(addresses, ['127.0.0.1', source.port, 'IPv4', '127.0.0.1', destination.port, 'IPv4'])
    assert.ok(info.header)
  })
}

test('without a header there is only the socket', async t => {
  const harness = createHarness(t)
  const seen: Seen[] = []
  const served = await harness.serve(connection => void seen.push(look(connection)), { version: 'none' })
  await outcome(harness.dial(served.port).end())
  const [{ info } = assert.fail()] = seen
  assert.deepEqual([info.source, info.destination, info.header], [info.via.peer, info.via.local, undefined])
  assert.deepEqual([info.tlvs.authority, info.ssl], [undefined, undefined])
})

test('TLVs are there by name, those about TLS on their own as well', async t => {
  const ssl = tlv.ssl({ version: 'TLSv1.3', cn: 'client', certOnConnection: true })
  const tlvs = [
    tlv.authority('example.org'),
    tlv.alpn('h2'),
    ssl,
    { type: tlvType.netns, value: Buffer.from('blue') },
  ]
  const { info } = await see(
    t,
    encode({ source: SOURCE, destination: DESTINATION, tlvs }, { checksum: true }),
  )
  assert.equal(info.tlvs.authority, 'example.org')
  assert.equal(info.tlvs.netns, 'blue')
  assert.equal(info.ssl, info.tlvs.ssl)
  assert.equal(info.ssl?.version, 'TLSv1.3')
  assert.equal(info.ssl.cn, 'client')
})

test('the real ends are those at the time of the accept, also when the peer is gone by the time of its header', async t => {
  const harness = createHarness(t)
  const refused: (ConnectionInfo | undefined)[] = []
  const validate = (): undefined => {
    for (const { socket } of served.server.connections) socket.destroy()
  }
  const onRejected = (_error: unknown, info: ConnectionInfo | undefined): void => void refused.push(info)
  const served = await harness.serve(() => {}, { validate, onRejected })
  const client = harness.dial(served.port)
  await once(client, 'connect')
  const { localPort } = client
  await outcome(client.end(LOCAL))
  await over(served, 1)
  assert.deepEqual(refused[0]?.source, { address: '127.0.0.1', port: localPort })
  assert.deepEqual(refused[0].destination, { address: '127.0.0.1', port: served.port })
})

test('a client that was gone before it was accepted has a header, but no address of its own', async t => {
  const harness = createHarness(t)
  const seen: Seen[] = []
  const served = await harness.serve(connection => void seen.push(look(connection)))
  const send = `s.write(Buffer.from('${V2.toString('hex')}', 'hex'), () => s.resetAndDestroy())`
  const script = `const s = require('net').connect(${served.port}, '127.0.0.1', () => ${send})`
  assert.equal(spawnSync(process.execPath, ['-e', script]).status, 0)
  await over(served, 1)
  const [{ info, addresses } = assert.fail()] = seen
  assert.deepEqual(info.source, SOURCE)
  assert.deepEqual(info.via, { peer: undefined, local: { address: '127.0.0.1', port: served.port } })
  assert.deepEqual(addresses.slice(0, 2), [SOURCE.address, SOURCE.port])
})

test('a server on a UNIX socket trusts its peers where unix is on the list, and none by an address', async t => {
  const harness = createHarness(t)
  const folder = temporaryFolder(t)
  const seen: Seen[] = []
  for (const [path, trust, reason] of [
    [join(folder, 'a'), ['unix'], 'done'],
    [join(folder, 'b'), ['0.0.0.0/0', '::/0'], 'untrusted_peer'],
  ] as const) {
    const server = harness.watch(createServer({ trust }, connection => void seen.push(look(connection))))
    assert.equal(await server.listen(path), path)
    assert.equal(server.address, path)
    await outcome(harness.dial(path).end(V2))
    await over({ server }, 1)
    assert.deepEqual(counted({ server }), { [reason]: 1 })
  }
  const [{ info, addresses } = assert.fail(), ...more] = seen
  assert.deepEqual(more, [])
  assert.deepEqual(info.source, SOURCE)
  assert.deepEqual(info.via, { peer: undefined, local: undefined })
  assert.deepEqual(addresses.slice(0, 3), [SOURCE.address, SOURCE.port, 'IPv4'])
})

const local: readonly (readonly [name: string, bytes: Uint8Array, fromLocalhost: boolean])[] = [
  ['a client elsewhere', V2, false],
  ['127.0.0.0/8', encode({ source: { address: '127.1.2.3', port: 1 }, destination: DESTINATION }), true],
  ['::1', encode({ source: { address: '::1', port: 1 }, destination: { address: '::2', port: 2 } }), true],
  ['a UNIX socket', encode({ source: { path: '/a' }, destination: { path: '/b' } }), true],
  ['LOCAL, whose peer is on the loopback', LOCAL, true],
]

for (const [name, bytes, fromLocalhost] of local) {
  test(`fromLocalhost is ${fromLocalhost} for ${name}`, async t => {
    assert.equal((await see(t, bytes)).info.fromLocalhost, fromLocalhost)
  })
}

test('fromLocalhost is true for a peer on a UNIX socket, and false for one that is gone', async t => {
  const harness = createHarness(t)
  const folder = temporaryFolder(t)
  const path = join(folder, 'socket')
  const seen: Seen[] = []
  const server = harness.watch(
    createServer({ trust: ['unix'] }, connection => void seen.push(look(connection))),
  )
  await server.listen(path)
  await outcome(harness.dial(path).end(LOCAL))
  await over({ server }, 1)
  assert.equal(seen[0]?.info.fromLocalhost, true)
  const gone = new Socket()
  gone.destroy()
  applyHeader(gone, undefined)
  assert.equal(connectionInfo(gone)?.fromLocalhost, false)
})

test('the unique id and the answer of a block list are there by name', async t => {
  const tlvs = [tlv.uniqueId('request-7'), extensionTlv({ dnsbl: 'zen.example' })]
  const { info } = await see(t, encode({ source: SOURCE, destination: DESTINATION, tlvs }))
  assert.equal(String(Buffer.from(info.uniqueId ?? [])), 'request-7')
  assert.equal(info.dnsbl, 'zen.example')
})

test('connectionInfo() knows nothing of a socket that no server of this library accepted', async t => {
  const server = createNetServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const accepted = once(server, 'connection') as Promise<[Socket]>
  const client = connect((server.address() as { port: number }).port, '127.0.0.1')
  const [socket] = await accepted
  t.after(() => {
    for (const each of [client, socket]) each.destroy()
    server.close()
  })
  assert.equal(connectionInfo(socket), undefined)
  assert.equal(connectionInfo(client), undefined)
})

test('the TLVs of a header are read once, when the program asks for the info, which is plain data', () => {
  const looks: PropertyKey[] = []
  const tlvs = new Proxy([tlv.authority('example.org'), tlv.uniqueId('7'), tlv.ssl({ version: 'TLSv1.3' })], {
    get: (list, key) => {
      if (key === '0') looks.push(key)
      return Reflect.get(list, key) as unknown
    },
  })
  const socket = new Socket()
  applyHeader(socket, { ...parseHeader(V2), tlvs })
  assert.equal(looks.length, 0)
  const info = connectionInfo(socket)
  assert.ok(info)
  const { length } = looks
  assert.notEqual(length, 0)
  assert.equal(connectionInfo(socket), info)
  assert.equal(looks.length, length)
  const copies = [{ ...info }, structuredClone({ ...info, header: undefined })]
  for (const { tlvs: values, ssl, uniqueId, dnsbl } of copies) {
    assert.deepEqual(
      [values.authority, ssl?.version, uniqueId, dnsbl],
      ['example.org', 'TLSv1.3', Uint8Array.of(0x37), undefined],
    )
  }
  assert.match(
    JSON.stringify({ ...info, header: undefined }),
    /"authority":"example.org".*"ssl":\{"client":1/,
  )
})
