// What has to happen before a handler starts, and where connections go that never come so far (contract 3 and 4).

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { Socket } from 'node:net'
import { test } from 'node:test'
import { encodeHeader } from '../../../src/codec/index.ts'
import {
  createServer,
  diagnosticsChannels,
  type AcceptedMessage,
  type CloseReason,
  type ServerOptions,
} from '../../../src/server/index.ts'
import { DESTINATION, encode, LOCAL, SOURCE, V1, V2 } from '../../support/headers.ts'
import { outcome, turns, until } from '../../support/sockets.ts'
import { counted, over, createHarness } from '../../support/harness.ts'

/** Milliseconds; short, because the tests wait for it to pass. */
const TIMEOUT = 100
const SIGNATURE = encodeHeader({ command: 'LOCAL' }).subarray(0, 12)

interface Refusal {
  readonly name: string
  readonly options?: Partial<ServerOptions>
  readonly bytes: Uint8Array | string
  /** What the client does after its bytes; by default it waits. */
  readonly then?: (client: Socket) => unknown
  readonly reason: CloseReason
  /** What `diagnosticsChannels.rejected` says; undefined where it must stay quiet. */
  readonly message?: RegExp
}

const timeouts = { header: TIMEOUT }

const refusals: readonly Refusal[] = [
  {
    name: 'silence',
    options: { timeouts },
    bytes: '',
    reason: 'header_timeout',
    message: /^no complete header arrived in time: nothing came within 100 ms; .* on_first_ack$/,
  },
  {
    name: 'a part of a header, then silence',
    options: { timeouts },
    bytes: V1.subarray(0, 20),
    reason: 'header_timeout',
    message: /: 20 bytes had come after 100 ms$/,
  },
  {
    name: 'a part of a header, then FIN',
    bytes: V2.subarray(0, 27),
    then: client => client.end(),
    reason: 'header_invalid',
    message: /^the header must be complete/,
  },
  {
    name: 'an HTTP request',
    bytes: 'GET / HTTP/1.1\r\nhost: example.org\r\n\r\n',
    reason: 'header_missing',
    message: /^the connection does not start with a PROXY protocol header .*HTTP request without a header/,
  },
  {
    name: 'a TLS ClientHello',
    bytes: Uint8Array.of(0x16, 0x03, 0x01, 0x02, 0x00, 0x01),
    reason: 'header_missing',
    message: /TLS ClientHello/,
  },
  {
    name: 'a byte that no header starts with',
    bytes: '\0',
    reason: 'header_missing',
    message: /^the connection does not start with a PROXY protocol header/,
  },
  {
    name: 'version 2 where version 1 is wanted',
    options: { version: 'v1' },
    bytes: V2,
    reason: 'header_missing',
    message: /looks like a version 2 header, which is not accepted here/,
  },
  {
    name: 'version 1 where version 2 is wanted',
    options: { version: 'v2' },
    bytes: V1,
    reason: 'header_missing',
    message: /looks like a version 1 header, which is not accepted here/,
  },
  {
    name: 'a version that does not exist',
    bytes: Buffer.concat([SIGNATURE, Uint8Array.of(0x31, 0x11, 0, 12), V2.subarray(16)]),
    reason: 'header_invalid',
    message: /^the version after the signature must be 2/,
  },
  {
    name: 'a header longer than the server accepts',
    bytes: Buffer.concat([SIGNATURE, Uint8Array.of(0x21, 0x11, 0xff, 0xff)]),
    reason: 'header_invalid',
    message: /^the header must fit the limit/,
  },
  {
    name: 'a header longer than the option allows',
    options: { limits: { headerBytes: 27 } },
    bytes: V2,
    reason: 'header_invalid',
    message: /^the header must fit the limit/,
  },
  {
    name: 'a checksum that does not match',
    bytes: flipLast(encode({ source: SOURCE, destination: DESTINATION }, { checksum: true })),
    reason: 'header_invalid',
    message: /^the CRC-32C checksum must match/,
  },
  {
    name: 'addresses of two families',
    bytes: 'PROXY TCP6 2001:db8::1 127.0.0.1 1 2\r\n',
    reason: 'header_invalid',
    message: /mixedFamilies: "promote"/,
  },
  {
    name: 'a bad line with a good one behind it (known bug 14)',
    bytes: Buffer.concat([Buffer.from('PROXY TCP4 192.0.2.256 '), V1, V2]),
    reason: 'header_invalid',
    message: /^an address must be four decimal octets/,
  },
  {
    name: 'a line without an end (known bug 1)',
    bytes: 'PROXY UNKNOWN '.padEnd(100_000, 'x'),
    reason: 'header_invalid',
    message: /^a version 1 line must end with CR LF within its first 107 bytes/,
  },
  {
    name: 'a valid header from a peer that is not trusted',
    options: { trust: ['192.0.2.0/24', 'unix'] },
    bytes: V2,
    reason: 'untrusted_peer',
    message: /^the peer is not trusted to send a PROXY protocol header: 127\.0\.0\.1$/,
  },
  {
    name: 'no header from a peer that is not trusted (known bug 21)',
    options: { trust: [] },
    bytes: 'hello',
    reason: 'untrusted_peer',
    message: /: 127\.0\.0\.1$/,
  },
  {
    name: 'a part of a header, then RST',
    bytes: V1.subarray(0, 20),
    then: client => client.resetAndDestroy(),
    reason: 'client_reset',
    message: /^the client reset the connection$/,
  },
  { name: 'FIN without a byte', bytes: '', then: client => client.end(), reason: 'probe' },
  { name: 'RST without a byte', bytes: '', then: client => client.resetAndDestroy(), reason: 'probe' },
]

for (const { name, options = {}, bytes, then, reason, message } of refusals) {
  test(`contract 4: ${name} is closed and counted as ${reason}, and no handler starts`, async t => {
    const harness = createHarness(t)
    const served = await harness.serve(() => assert.fail('the handler started'), options)
    const client = harness.dial(served.port)
    const ended = outcome(client)
    client.write(bytes)
    const arrived = (): boolean =>
      [...served.server.connections].some(({ socket }) => socket.bytesRead >= bytes.length)
    await until(() => arrived() || served.closed.length > 0)
    then?.(client)
    await over(served, 1)
    client.end()
    assert.equal((await ended).text, '')
    assert.deepEqual(counted(served), { [reason]: 1 })
    assert.deepEqual(
      served.closed.map(closed => closed.reason),
      [reason],
    )
    const [rejected, ...more] = served.rejected
    assert.deepEqual(more, [])
    if (message === undefined) assert.equal(rejected, undefined)
    else assert.match(rejected?.error.message ?? '', message)
    assert.equal(rejected?.connection?.reason ?? reason, reason)
  })
}

function flipLast(bytes: Buffer): Buffer {
  bytes.writeUInt8(bytes.readUInt8(bytes.length - 1) ^ 1, bytes.length - 1)
  return bytes
}

test('contract 22: the deadline of a header is absolute, however steadily bytes drip (known bug 2)', async t => {
  const harness = createHarness(t)
  const options = { timeouts, limits: { headerBytes: 65_551 } }
  const served = await harness.serve(() => assert.fail('the handler started'), options)
  const client = harness.dial(served.port)
  const ended = outcome(client)
  client.write(Buffer.concat([SIGNATURE, Uint8Array.of(0x21, 0x11, 0xff, 0xff)]))
  let dripped = 16
  await until(() => {
    client.write('x')
    dripped++
    return served.server.stats().closed.header_timeout > 0 || client.destroyed
  })
  client.end()
  await ended
  await over(served, 1)
  assert.deepEqual(counted(served), { header_timeout: 1 })
  assert.ok(dripped > 16 && dripped < 65_551, 'it dripped, and did not come to the end of the header')
  assert.match(served.rejected[0]?.error.message ?? '', /: \d+ bytes had come after 100 ms$/)
})

test('contract 22: a connection that waits for its header does not keep the process alive', async t => {
  const harness = createHarness(t)
  const { server, port } = await harness.serve(() => {})
  harness.dial(port)
  await until(() => server.connections.size === 1)
  assert.equal(process.getActiveResourcesInfo().includes('Timeout'), false)
})

test('contract 4: a check that resets before it is accepted is a quiet probe, not an untrusted peer', async t => {
  const harness = createHarness(t)
  const served = await harness.serve(() => assert.fail('the handler started'), { trust: ['127.0.0.1'] })
  // This process accepts nothing while it waits for the other one.
  const script = `const s = require('net').connect(${served.port}, '127.0.0.1', () => s.resetAndDestroy())`
  assert.equal(spawnSync(process.execPath, ['-e', script]).status, 0)
  await over(served, 1)
  assert.deepEqual(counted(served), { probe: 1 })
  assert.equal(served.closed[0]?.info.source, undefined)
  assert.deepEqual(served.rejected, [])
})

test('contract 4: a trust predicate that throws fails closed, and onError hears of it once', async t => {
  const harness = createHarness(t)
  const fault = new Error('predicate')
  const served = await harness.serve(() => assert.fail('the handler started'), {
    trust: () => {
      throw fault
    },
  })
  const client = harness.dial(served.port).end(V2)
  await outcome(client)
  await over(served, 1)
  assert.deepEqual(counted(served), { untrusted_peer: 1 })
  const [reported, ...more] = served.errors.splice(0)
  assert.equal(reported?.error, fault)
  assert.equal(reported.connection, served.rejected[0]?.connection)
  assert.deepEqual(more, [])
  assert.equal(served.rejected[0]?.error.cause, fault)
  assert.match(served.rejected[0].error.message, /: the trust predicate threw$/)
})

test('contract 4: a trust predicate is asked once for each connection, before a byte is read', async t => {
  const harness = createHarness(t)
  const asked: unknown[] = []
  const served = await harness.serve(() => {}, {
    trust: peer => {
      asked.push(peer)
      return true
    },
  })
  await outcome(harness.dial(served.port).end(V2))
  await over(served, 1)
  assert.deepEqual(asked, [{ address: '127.0.0.1', transport: 'tcp' }])
})

test('contract 4: without subscribers nothing is published, and the connection is refused all the same', async t => {
  const harness = createHarness(t)
  const server = harness.watch(createServer({ trust: 'anyone' }, () => assert.fail('the handler started')))
  const { port } = (await server.listen(0, '127.0.0.1')) as { port: number }
  await outcome(harness.dial(port).end('junk'))
  await over({ server }, 1)
  assert.deepEqual(counted({ server }), { header_missing: 1 })
})

test('contract 3: the handler starts once, at open, when its header is complete and not before', async t => {
  const harness = createHarness(t)
  const states: string[] = []
  const served = await harness.serve(connection => void states.push(connection.state))
  const client = harness.dial(served.port)
  const ended = outcome(client)
  client.write(V2.subarray(0, 27))
  await until(() => served.server.connections.size === 1)
  await turns()
  const [connection] = served.server.connections
  assert.equal(connection?.state, 'header')
  assert.deepEqual(states, [])
  client.write(V2.subarray(27))
  await until(() => states.length > 0)
  assert.equal(connection.state, 'closing')
  client.end(LOCAL)
  await ended
  await over(served, 1)
  assert.equal(connection.state, 'closed')
  assert.deepEqual(states, ['open'])
})

test('contract 3: a connection that is aborted in the moment its header is complete does not start', async t => {
  const harness = createHarness(t)
  const started: unknown[] = []
  const aborting = (): undefined => {
    for (const connection of served.server.connections) connection.abort('denied_acl')
  }
  const options = { validate: aborting }
  const served = await harness.serve(connection => void started.push(connection), options)
  const client = harness.dial(served.port)
  const ended = outcome(client)
  client.write(V2)
  assert.equal((await ended).end, 'ECONNRESET')
  await over(served, 1)
  assert.deepEqual(counted(served), { denied_acl: 1 })
  assert.deepEqual([started, served.rejected], [[], []])
})

test('contract 3: a connection that is aborted as it arrives stays closing, and does not come to wait for its header', async t => {
  const harness = createHarness(t)
  const served = await harness.serve(() => assert.fail('the handler started'))
  const states: unknown[] = []
  const onAccepted = (message: unknown): void => {
    const { server, connection } = message as AcceptedMessage // only this library publishes there
    if (server !== served.server) return
    states.push(connection?.state)
    connection?.abort()
    process.nextTick(() => states.push(connection?.state))
  }
  subscribe(diagnosticsChannels.accepted, onAccepted)
  harness.defer(() => unsubscribe(diagnosticsChannels.accepted, onAccepted))
  assert.equal((await outcome(harness.dial(served.port))).end, 'ECONNRESET')
  await over(served, 1)
  assert.deepEqual(states, ['accepted', 'closing'])
  assert.deepEqual(counted(served), { aborted: 1 })
})

test('contract 3: with version none the handler starts at once and sees every byte', async t => {
  const harness = createHarness(t)
  const seen: unknown[] = []
  const served = await harness.serve(
    async ({ socket, info }) => {
      seen.push(info.header, socket.remoteAddress)
      for await (const chunk of socket) seen.push(String(chunk))
    },
    { version: 'none' },
  )
  await outcome(harness.dial(served.port).end(V1))
  await over(served, 1)
  assert.deepEqual(seen, [undefined, '127.0.0.1', V1.toString()])
  assert.deepEqual(counted(served), { done: 1 })
})

test('the reader keeps nothing of one connection for another (known bug 15)', async t => {
  const harness = createHarness(t)
  const sources = new Set<string>()
  const served = await harness.serve(
    ({ socket }) => void sources.add(`${socket.remoteAddress} ${socket.remotePort}`),
  )
  const headers = [1, 2].map(n =>
    encode({ source: { address: `192.0.2.${n}`, port: n }, destination: DESTINATION }),
  )
  const clients = headers.map(() => harness.dial(served.port))
  const ended = clients.map(client => outcome(client))
  for (let at = 0; at < V2.length; at++) {
    clients.forEach((client, index) => client.write(headers[index]?.subarray(at, at + 1) ?? ''))
    await until(
      () => [...served.server.connections].filter(({ socket }) => socket.bytesRead > at).length === 2,
    )
  }
  for (const client of clients) client.end()
  await Promise.all(ended)
  assert.deepEqual(sources, new Set(['192.0.2.1 1', '192.0.2.2 2']))
})
