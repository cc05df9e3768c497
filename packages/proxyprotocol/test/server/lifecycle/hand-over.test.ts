// A listening socket goes from one server to the next. No client notices, and the old server ends with its last connection.

import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import { certificate } from 'test-support/certificates'
import { gate } from 'test-support/gate'
import { content, outcome, turns, until } from 'test-support/sockets'
import { untyped } from 'test-support/untyped'
import { temporaryFolder } from 'test-support/folder'
import { untilAborted } from '../../support/open-connections.ts'
import type { ProxyProtocolError } from '../../../src/codec/index.ts'
import { createServer, type ProxyServer } from '../../../src/server/index.ts'
import { V2 } from '../../support/headers.ts'
import { counted, opened, over, readToEnd, createHarness } from '../../support/harness.ts'
import { HOST, named } from '../../support/handed-over.ts'

/** Connects once after the other, with so many at a time, until it is stopped; gives how each connection went. */
function load(port: number, atOnce: number): { count(): number; stop(): Promise<string[]> } {
  const ends: string[] = []
  let stopped = false
  const worker = async (): Promise<void> => {
    while (!stopped) {
      const socket = connect({ port, host: HOST })
      socket.end(V2)
      const { text: name, end } = await outcome(socket)
      ends.push(end === 'FIN' && /^\d+$/.test(name) ? 'served' : `${name}, ${end}`)
    }
  }
  const workers = Array.from({ length: atOnce }, worker)
  return {
    count: () => ends.length,
    stop: async () => {
      stopped = true
      await Promise.all(workers)
      return ends
    },
  }
}

test('handOver() over 50 servers under load fails not one connection, and binds nothing anew', async t => {
  const harness = createHarness(t)
  let server = named(harness, '0')
  const address = await server.listen(0, HOST)
  const { port } = address as { port: number }
  const clients = load(port, 8)
  const results: Promise<unknown>[] = []
  const servers = [server]
  for (let i = 1; i <= 50; i++) {
    const served = clients.count()
    await until(() => clients.count() >= served + 10)
    const next = named(harness, String(i))
    results.push(server.handOver(next))
    assert.deepEqual([next.state, next.address], ['listening', address])
    assert.deepEqual([server.state, server.address], ['draining', null])
    server = next
    servers.push(next)
  }
  const ends = await clients.stop()
  assert.deepEqual(
    ends.filter(end => end !== 'served'),
    [],
  )
  assert.ok(ends.length >= 500)
  await server.close()
  await Promise.all(results)
  const accepted = servers.map(each => each.stats().accepted)
  assert.equal(
    accepted.reduce((sum, count) => sum + count, 0),
    ends.length,
    'each connection was accepted by one server',
  )
  for (const each of servers) assert.equal(each.stats().closed.done, each.stats().accepted)
})

test('handOver() lets a header that is under way arrive, and its connection be served by the old handler', async t => {
  const harness = createHarness(t)
  const [old, next] = [named(harness, 'old'), named(harness, 'next')]
  const { port } = (await old.listen(0, HOST)) as { port: number }
  const client = harness.dial(port)
  client.write(V2.subarray(0, 20))
  await until(() => old.connections.size === 1)
  const result = old.handOver(next)
  await turns()
  assert.deepEqual([...old.connections][0]?.state, 'header')
  client.end(V2.subarray(20))
  assert.deepEqual(await outcome(client), { text: 'old', end: 'FIN' })
  assert.deepEqual(await result, { drained: 1, forced: 0, stuck: [] })
  assert.equal(old.state, 'closed')
  assert.deepEqual(counted({ server: old }), { done: 1 })
})

test('handOver() leaves headers and handshakes their own deadlines', async t => {
  const harness = createHarness(t)
  const timeouts = { header: 50, handshake: 50 }
  const old = harness.watch(createServer({ trust: 'anyone', timeouts, tls: certificate }, readToEnd))
  const { port } = (await old.listen(0, HOST)) as { port: number }
  const slow = harness.dial(port)
  slow.on('end', () => slow.end())
  const slowHeader = outcome(slow)
  const client = harness.dial(port)
  client.write(V2)
  await until(() => old.connections.size === 2)
  const result = old.handOver(named(harness, 'next'))
  assert.deepEqual(await result, { drained: 2, forced: 0, stuck: [] })
  assert.equal((await slowHeader).end, 'FIN')
  assert.deepEqual(counted({ server: old }), { header_timeout: 1, tls_client_error: 1 })
})

test('handOver() lets those that wait for a place have theirs', async t => {
  const harness = createHarness(t)
  const old = harness.watch(
    createServer({ trust: 'anyone', limits: { connections: 1 }, overLimit: 'pause' }, async ({ socket }) => {
      socket.write('old')
      await content(socket)
    }),
  )
  const { port } = (await old.listen(0, HOST)) as { port: number }
  const clients = [harness.dial(port), harness.dial(port)] as const
  for (const client of clients) client.write(V2)
  await until(() => old.connections.size === 2)
  await opened({ server: old })
  const result = old.handOver(named(harness, 'next'))
  for (const client of clients) client.end()
  for (const client of clients) assert.deepEqual(await outcome(client), { text: 'old', end: 'FIN' })
  assert.deepEqual(await result, { drained: 2, forced: 0, stuck: [] })
})

test('after handOver() the old handlers see draining, and those of the successor do not', async t => {
  const harness = createHarness(t)
  const seen: unknown[] = []
  const release = gate()
  const server = (name: string): ProxyServer =>
    harness.watch(
      createServer({ trust: 'anyone' }, async connection => {
        await release.promise
        seen.push([name, connection.draining, connection.signal.aborted])
      }),
    )
  const [old, next] = [server('old'), server('next')]
  const { port } = (await old.listen(0, HOST)) as { port: number }
  harness.dial(port).end(V2)
  await opened({ server: old })
  const result = old.handOver(next)
  harness.dial(port).end(V2)
  await opened({ server: next })
  release.open()
  await result
  await over({ server: next }, 1)
  assert.deepEqual(seen, [
    ['old', true, false],
    ['next', false, false],
  ])
})

test('handOver() with a drain aborts what is left after it with drain_deadline', async t => {
  const harness = createHarness(t)
  const reasons: unknown[] = []
  const old = harness.watch(
    createServer({ trust: 'anyone' }, async connection => {
      await untilAborted(connection)
      reasons.push((connection.signal.reason as ProxyProtocolError).code)
    }),
  )
  const { port } = (await old.listen(0, HOST)) as { port: number }
  const clients = [harness.dial(port), harness.dial(port)] as const
  clients[0].write(V2)
  await opened({ server: old })
  await until(() => old.connections.size === 2)
  const ended = clients.map(outcome)
  assert.deepEqual(await old.handOver(named(harness, 'next'), { drain: 20 }), {
    drained: 0,
    forced: 2,
    stuck: [],
  })
  for (const { end } of await Promise.all(ended)) assert.equal(end, 'ECONNRESET')
  assert.deepEqual(reasons, ['drain_deadline'])
  assert.deepEqual(counted({ server: old }), { drain_deadline: 2 })
})

test('handOver() passes a UNIX socket on, whose connections stay UNIX connections on both sides', async t => {
  const harness = createHarness(t)
  const folder = temporaryFolder(t)
  const path = join(folder, 'socket')
  const servers = ['old', 'next'].map(name =>
    harness.watch(createServer({ trust: ['unix'] }, ({ socket }) => void socket.end(name))),
  )
  const [old, next] = servers
  assert.ok(old && next)
  await old.listen(path)
  const early = harness.dial(path)
  await until(() => old.connections.size === 1)
  const result = old.handOver(next)
  assert.equal(next.address, path)
  assert.ok(existsSync(path))
  const late = harness.dial(path)
  early.end(V2)
  late.end(V2)
  assert.deepEqual(await outcome(early), { text: 'old', end: 'FIN' })
  assert.deepEqual(await outcome(late), { text: 'next', end: 'FIN' })
  await result
})

test('the successor reads no further than its own header, also if the old server reads no header', async t => {
  const harness = createHarness(t)
  const held: number[] = []
  const old = harness.watch(createServer({ version: 'none' }, readToEnd))
  const next = harness.watch(
    createServer({ trust: 'anyone' }, async connection => {
      held.push(connection.socket.readableLength)
      await readToEnd(connection)
    }),
  )
  const { port } = (await old.listen(0, HOST)) as { port: number }
  await old.handOver(next)
  const client = harness.dial(port)
  client.end(Buffer.concat([V2, Buffer.alloc(50_000)]))
  await outcome(client)
  assert.ok(held.length === 1 && held.every(length => length <= 17), `it holds ${held.join()} bytes`)
})

test('handOver() waits for handlers that are stuck, and tells of them', async t => {
  const harness = createHarness(t)
  const release = gate()
  const old = harness.watch(createServer({ trust: 'anyone', timeouts: { abort: 10 } }, () => release.promise))
  const { port } = (await old.listen(0, HOST)) as { port: number }
  harness.dial(port).resume().write(V2)
  await opened({ server: old })
  const { stuck } = await old.handOver(named(harness, 'next'), { drain: 0 })
  assert.equal(stuck.length, 1)
  release.open()
})

test('handOver() names what it got in place of a server, and not all that is in it', async t => {
  const server = named(createHarness(t), 'a')
  assert.throws(() => server.handOver(untyped({ port: 1, options: { secret: 'word' } })), {
    name: 'TypeError',
    message: 'successor must be a ProxyServer, got { port: 1, options: [Object] }',
  })
})

test('handOver() is refused by a server that does not listen, and for a successor that has', async t => {
  const harness = createHarness(t)
  const server = (): ProxyServer => named(harness, 'a')
  const mustListen = { message: 'handOver() needs a server that listens and is not draining' }
  assert.throws(() => server().handOver(server()), mustListen)
  const [closing, binding, other, old] = [server(), server(), server(), server()]
  for (const each of [closing, other, old]) await each.listen(0, HOST)
  const closed = closing.close({ readyDelay: 10 })
  assert.throws(() => closing.handOver(server()), mustListen)
  const bound = binding.listen(0, HOST)
  for (const [successor, state] of [
    [old, 'listening'],
    [other, 'listening'],
    [closing, 'draining'],
    [binding, 'binding'],
  ] as const) {
    const message = `handOver() needs a successor that has not listened, this one is ${state} already`
    assert.throws(() => old.handOver(successor), { message })
  }
  await Promise.all([closed, bound])
  assert.throws(() => old.handOver(closing), { message: /this one is closed already$/ })
  assert.throws(() => old.handOver(untyped({})), {
    name: 'TypeError',
    message: 'successor must be a ProxyServer, got {}',
  })
  const next = server()
  assert.throws(() => old.handOver(next, { drain: -1 }), { name: 'RangeError', message: /^drain must be / })
  assert.throws(() => old.handOver(next, untyped({ readyDelay: 1 })), {
    message: /^options must have only drain, got "readyDelay"$/,
  })
  assert.deepEqual([old.state, next.state], ['listening', 'idle'])
  await old.handOver(next)
  assert.throws(() => old.handOver(server()), mustListen)
  assert.equal(next.state, 'listening')
})
