// What has to happen before a handler starts (contract 3 and 4).

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { test } from 'node:test'
import { outcome, turns, until } from 'test-support/sockets'
import { encodeHeader } from '../../../src/codec/index.ts'
import { createServer, diagnosticsChannels, type AcceptedMessage } from '../../../src/server/index.ts'
import { DESTINATION, encode, LOCAL, V1, V2 } from '../../support/headers.ts'
import { counted, over, createHarness } from '../../support/harness.ts'

/** Milliseconds; short, because the tests wait for it to pass. */
const TIMEOUT = 100
const SIGNATURE = encodeHeader({ command: 'LOCAL' }).subarray(0, 12)
const timeouts = { header: TIMEOUT }

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
  const localPort = served.port
  assert.deepEqual(asked, [{ address: '127.0.0.1', transport: 'tcp', localAddress: '127.0.0.1', localPort }])
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
