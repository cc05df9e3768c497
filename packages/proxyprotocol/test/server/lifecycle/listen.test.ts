// Where a server listens, how that fails, and how a listener in trouble ends (contract 2, 20 and 21).

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { linkSync } from 'node:fs'
import { createServer as createNetServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import { connectedAtOnce, most } from 'test-support/burst'
import { listenRaw, outcome, turns, until } from 'test-support/sockets'
import { untyped } from 'test-support/untyped'
import { temporaryFolder } from 'test-support/folder'
import { createServer, type ProxyServer, type ServerStats } from '../../../src/server/index.ts'
import { SOURCE, V2 } from '../../support/headers.ts'
import { run, support } from '../../support/program.ts'
import { counted, opened, over, readToEnd, createHarness } from '../../support/harness.ts'

const HOST = '127.0.0.1'

function idle(): ProxyServer {
  return createServer({ trust: [HOST] }, () => {})
}

test('contract 20: listen() takes a port and a host, or options, and resolves with what was bound', async t => {
  const harness = createHarness(t)
  for (const listen of [
    (server: ProxyServer) => server.listen(0, HOST),
    (server: ProxyServer) => server.listen(0, HOST, 16),
    (server: ProxyServer) => server.listen({ port: 0, host: HOST }),
  ]) {
    const server = harness.watch(idle())
    assert.deepEqual([server.state, server.address], ['idle', null])
    const address = await listen(server)
    assert.ok(typeof address === 'object' && address.port > 0)
    assert.deepEqual([address.address, address.family], [HOST, 'IPv4'])
    assert.deepEqual(server.address, address)
    assert.equal(server.state, 'listening')
    await outcome(harness.dial(address.port).end(V2))
    await server.close()
    assert.deepEqual([server.state, server.address], ['closed', null])
  }
})

test(`contract 20: of ${most()} connections at once to a server that is busy all wait, unless listen() is told a backlog`, async t => {
  const harness = createHarness(t)
  const folder = temporaryFolder(t)
  const ways: [listen: (server: ProxyServer) => Promise<unknown>, told?: number][] = [
    [server => server.listen(0)],
    [server => server.listen(0, HOST)],
    [server => server.listen({ port: 0, host: HOST })],
    [server => server.listen(join(folder, 'socket'))],
    [server => server.listen(0, HOST, 16), 16],
    [server => server.listen({ port: 0, host: HOST, backlog: 16 }), 16],
  ]
  for (const [listen, told] of ways) {
    const server = harness.watch(createServer({ version: 'none' }, () => {}))
    await listen(server)
    const { address } = server
    const where = typeof address === 'string' ? { path: address } : { host: HOST, port: address?.port ?? 0 }
    const connected = connectedAtOnce(where)
    if (told === undefined) assert.equal(connected, most())
    else assert.ok(connected >= told && connected < 2 * told, `${connected} with a backlog of ${told}`)
    await server.close()
  }
})

test('contract 20: listen() takes the path of a UNIX socket, whose address is gone after close()', async t => {
  const harness = createHarness(t)
  const folder = temporaryFolder(t)
  const path = join(folder, 'socket')
  const server = harness.watch(createServer({ trust: ['unix'] }, () => {}))
  assert.equal(await server.listen({ path }), path)
  assert.equal(server.address, path)
  await server.close()
  assert.equal(server.address, null)
})

test('contract 20: listen() rejects where the address is taken, and may be tried again', async t => {
  const harness = createHarness(t)
  const { port } = await listenRaw(harness)
  const server = harness.watch(idle())
  for (let i = 0; i < 2; i++) {
    await assert.rejects(server.listen(port, HOST), { code: 'EADDRINUSE', syscall: 'listen' })
    assert.deepEqual([server.state, server.address], ['idle', null])
  }
  const address = (await server.listen(0, HOST)) as AddressInfo
  await outcome(harness.dial(address.port).end(V2))
  await over({ server }, 1)
  assert.deepEqual(counted({ server }), { done: 1 })
})

test('contract 20: listen() rejects what it cannot take, and may be tried again', async t => {
  const harness = createHarness(t)
  const server = harness.watch(idle())
  await assert.rejects(server.listen(65_536), RangeError)
  await assert.rejects(server.listen(untyped({})), { code: 'ERR_INVALID_ARG_VALUE' })
  assert.equal(server.state, 'idle')
  await server.listen(0, HOST)
})

test('contract 20: a second listen() rejects, and the first is none the worse', async t => {
  const harness = createHarness(t)
  const server = harness.watch(idle())
  const first = server.listen(0, HOST)
  const second = { message: 'listen() needs a new server, this one is binding already' }
  await assert.rejects(server.listen(0, HOST), second)
  const { port } = (await first) as AddressInfo
  await assert.rejects(server.listen(0, HOST), { message: /this one is listening already$/ })
  assert.deepEqual(server.address, { address: HOST, family: 'IPv4', port })
  await outcome(harness.dial(port).end(V2))
})

test('contract 2: listen() after close() rejects', async t => {
  const server = createHarness(t).watch(idle())
  const closing = server.close()
  assert.equal(server.state, 'draining')
  await assert.rejects(server.listen(0, HOST), { message: /this one is draining already$/ })
  assert.deepEqual(await closing, { drained: 0, forced: 0, stuck: [] })
  await assert.rejects(server.listen(0, HOST), { message: /this one is closed already$/ })
})

for (const [name, ...args] of [
  ['a port', 0],
  ['a port and a host', 0, HOST],
] as const) {
  test(`contract 2: close() while listen() is binding ${name} makes it reject, and nothing listens`, async t => {
    const server = createHarness(t).watch(idle())
    const listening = server.listen(...(args as [number]))
    const closing = server.close()
    await assert.rejects(listening, { message: 'the server was closed before it could listen' })
    assert.deepEqual(await closing, { drained: 0, forced: 0, stuck: [] })
    await turns(20)
    assert.deepEqual([server.state, server.address], ['closed', null])
  })
}

test('contract 2: close() with a delay while listen() is binding makes it reject too', async t => {
  const server = createHarness(t).watch(idle())
  const listening = server.listen(0, HOST)
  const closing = server.close({ readyDelay: 10 })
  await assert.rejects(listening, { message: 'the server was closed before it could listen' })
  await closing
  assert.deepEqual([server.state, server.address], ['closed', null])
})

test('contract 20: the signal of ListenOptions, aborted before, makes listen() reject', async t => {
  const server = createHarness(t).watch(idle())
  const signal = AbortSignal.abort()
  await assert.rejects(server.listen({ port: 0, host: HOST, signal }), { message: /before it could listen$/ })
  await server.close()
})

test('contract 20: the signal of ListenOptions, aborted later, ends the server with its last connection', async t => {
  const harness = createHarness(t)
  const server = harness.watch(createServer({ trust: [HOST] }, readToEnd))
  const controller = new AbortController()
  const { port } = (await server.listen({ port: 0, host: HOST, signal: controller.signal })) as AddressInfo
  const client = harness.dial(port)
  const ended = outcome(client)
  client.write(V2)
  await opened({ server })
  controller.abort()
  assert.equal(server.address, null)
  client.end()
  await ended
  await until(() => server.state === 'closed')
  assert.deepEqual(counted({ server }), { done: 1 })
})

/** The server inside: only Node itself makes it fail, so the test does it in its place. */
function innerServer(server: ProxyServer): Server {
  const [connection] = server.connections
  return (connection?.socket as Socket & { server: Server }).server // as Node sets it
}

test('contract 20: a later error of the listener goes to onError without a connection, and drains', async t => {
  const harness = createHarness(t)
  const served = await harness.serve(readToEnd)
  const client = harness.dial(served.port)
  const ended = outcome(client)
  client.write(V2)
  await opened(served)
  const fault = new Error('listener')
  innerServer(served.server).emit('error', fault)
  assert.equal(served.server.state, 'draining')
  await turns()
  assert.equal(served.server.address, null)
  assert.equal(served.server.stats().active, 1, 'its connections end by themselves')
  client.end()
  await ended
  assert.deepEqual(await served.server.close(), { drained: 1, forced: 0, stuck: [] })
  assert.deepEqual(served.errors.splice(0), [{ error: fault, connection: undefined }])
})

test('contract 8: a later error of the listener is one warning without an onError', async t => {
  const harness = createHarness(t)
  const served = await harness.serve(readToEnd, { onError: undefined })
  const client = harness.dial(served.port)
  client.write(V2)
  await opened(served)
  innerServer(served.server).emit('error', new Error('listener'))
  const [warning, ...more] = await harness.warnings()
  assert.match(warning?.message ?? '', /^the listener failed without an onError: Error: listener/)
  assert.equal((warning as NodeJS.ErrnoException).code, undefined, 'no handler failed')
  assert.deepEqual(more, [])
  client.end()
  await served.server.close()
})

test('contract 21: an accept that fails for want of a descriptor is counted, and the server goes on', async t => {
  const harness = createHarness(t)
  const served = await harness.serve(readToEnd)
  const clients = [harness.dial(served.port), harness.dial(served.port)]
  clients[0]?.write(V2)
  await until(() => served.server.connections.size > 0)
  const error = Object.assign(new Error('accept EMFILE'), { code: 'EMFILE', syscall: 'accept', errno: -24 })
  innerServer(served.server).emit('error', error)
  clients[1]?.write(V2)
  await until(() => served.server.connections.size === 2)
  assert.equal(served.server.state, 'listening')
  assert.deepEqual(counted(served), { limit_fds: 1 })
  assert.equal(served.server.stats().accepted, 3)
  for (const client of clients) client.end()
})

test('contract 21: a server without a descriptor left turns clients away and serves again when it has some', async t => {
  const harness = createHarness(t)
  const script = 'ulimit -n 64; exec "$0" --import tsx "$1"'
  const command = ['sh', '-c', script, process.execPath, support('scarce-descriptors')]
  const { child, next, exited } = run(harness, command)
  const { port } = (await next()) as AddressInfo
  child.send('fill')
  assert.equal(await next(), 'EMFILE')
  const away = Array.from({ length: 5 }, () => outcome(harness.dial(port).end(V2)))
  for (const { text } of await Promise.all(away)) assert.equal(text, '')
  child.send('free')
  assert.equal(await next(), 'freed')
  const served = await outcome(harness.dial(port).end(Buffer.concat([V2, Buffer.from('hello')])))
  assert.deepEqual(served, { text: 'hello', end: 'FIN' })
  child.send('stop')
  const { state, stats } = (await next()) as { state: string; stats: ServerStats }
  assert.equal(state, 'listening')
  assert.equal(stats.active, 0)
  assert.ok(stats.closed.done >= 1) // one of those turned away may have caught a descriptor
  assert.deepEqual(await exited, [0, null])
})

test('contract 20: listen() takes the descriptor of a UNIX socket, whose path Node does not know', async t => {
  const harness = createHarness(t)
  const folder = temporaryFolder(t)
  const path = join(folder, 'linked')
  const parent = createNetServer().listen(join(folder, 'socket'))
  await once(parent, 'listening')
  linkSync(join(folder, 'socket'), path) // the parent takes its own path with it
  const { fd } = (parent as unknown as { _handle: { fd: number } })._handle // no other way to a descriptor to pass on
  const { child, next, exited } = run(
    harness,
    [process.execPath, '--import', 'tsx', support('inherited-listener')],
    fd,
  )
  parent.close()
  assert.deepEqual(await next(), { address: '', same: '' })
  const client = harness.dial(path)
  const ended = outcome(client)
  client.write(V2)
  assert.deepEqual(await next(), { source: SOURCE, via: {} })
  child.send('abort')
  const { result, stats } = (await next()) as { result: unknown; stats: ServerStats }
  assert.deepEqual(result, { drained: 0, forced: 1, stuck: [] })
  assert.deepEqual([stats.active, stats.closed.aborted], [0, 1])
  client.end()
  await ended
  assert.deepEqual(await exited, [0, null])
})
