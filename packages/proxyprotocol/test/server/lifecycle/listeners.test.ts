// Several listeners at one address, and what waits in the kernel when they close.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, Server } from 'node:net'
import { test, type TestContext } from 'node:test'
import { content, outcome } from 'test-support/sockets'
import { listenersKey } from '../../../src/node-internals/index.ts'
import { createServer, type ProxyServer } from '../../../src/server/index.ts'
import { HOST, named } from '../../support/handed-over.ts'
import { V2 } from '../../support/headers.ts'
import { createHarness, type Harness } from '../../support/harness.ts'

/** All lines of Node can then have several: each further one gets a port of its own. */
function portForEach(
  t: TestContext,
  ready: (servers: readonly Server[]) => Promise<unknown>,
): readonly Server[] {
  const servers: Server[] = []
  // eslint-disable-next-line @typescript-eslint/unbound-method -- it is called with its server
  const { listen } = Server.prototype
  t.mock.method(Server.prototype, 'listen', function (this: Server, options: object, ...rest: unknown[]) {
    servers.push(this)
    void ready(servers).then(() => Reflect.apply(listen, this, [{ ...options, port: 0 }, ...rest]) as Server)
    return this
  })
  return servers
}

function portOf(server: Server | undefined): number {
  return (server?.address() as { port: number }).port
}

function listenTimes(server: ProxyServer, listeners: number, port = 0): ReturnType<ProxyServer['listen']> {
  const options = { port, host: HOST, [listenersKey]: listeners }
  return server.listen(options)
}

interface Clients {
  /** How their connections ended. */
  readonly ends: Promise<readonly string[]>
}

/** All at once, so that most of them wait in the kernel when all are connected. */
async function dialMany(t: TestContext, port: number, count: number): Promise<Clients> {
  const sockets = Array.from({ length: count }, () => connect({ port, host: HOST }))
  const outcomes = Promise.all(sockets.map(outcome))
  for (const socket of sockets) t.after(() => socket.destroy())
  await Promise.all(sockets.map(socket => once(socket.end(V2), 'connect')))
  return { ends: outcomes.then(all => [...new Set(all.map(({ text, end }) => `${text}, ${end}`))]) }
}

test('each of several listeners serves, all go to a successor, and all close', async t => {
  const harness = createHarness(t)
  const all = portForEach(t, () => Promise.resolve())
  const [one, two] = [named(harness, 'one'), named(harness, 'two')]
  await listenTimes(one, 3)
  const ports = all.map(portOf)
  assert.equal(new Set(ports).size, 3)
  const served = async (): Promise<readonly (readonly string[])[]> =>
    Promise.all(ports.map(async port => (await dialMany(t, port, 2)).ends))
  assert.deepEqual(await served(), [['one, FIN'], ['one, FIN'], ['one, FIN']])
  const over = one.handOver(two)
  assert.deepEqual(await served(), [['two, FIN'], ['two, FIN'], ['two, FIN']])
  await over
  await two.close()
  assert.deepEqual(
    all.map(({ listening }) => listening),
    [false, false, false],
  )
})

test('one listener serves where the address cannot be shared', async t => {
  const harness = createHarness(t)
  const server = named(harness, 'one')
  const { port } = (await listenTimes(server, 3)) as { port: number }
  const { ends } = await dialMany(t, port, 5)
  assert.deepEqual(await ends, ['one, FIN'])
})

test('a server that is closed while it binds its second listener leaves none of them', async t => {
  const harness = createHarness(t)
  const server = named(harness, 'one')
  const all = portForEach(t, async servers => {
    if (servers.length === 2) await server.close()
  })
  await assert.rejects(listenTimes(server, 3), { message: 'the server was closed before it could listen' })
  assert.deepEqual(
    all.map(({ listening }) => listening),
    [false, false],
  )
})

/** Without a header, so that it is open at once. */
function plain(harness: Harness): ProxyServer {
  return harness.watch(
    createServer({ version: 'none' }, async ({ socket }) => {
      socket.end('served')
      await content(socket)
    }),
  )
}

test('with listeners asked for, close() serves the clients that wait in the kernel', async t => {
  const harness = createHarness(t)
  const server = plain(harness)
  const { port } = (await listenTimes(server, 1)) as { port: number }
  const { ends } = await dialMany(t, port, 100)
  const result = server.close()
  assert.equal(server.state, 'draining')
  assert.deepEqual(await ends, ['served, FIN'])
  const { forced } = await result
  assert.deepEqual([server.stats().accepted, forced], [100, 0])
})

test('abort() ends a server at once, also while clients wait', async t => {
  const harness = createHarness(t)
  const server = plain(harness)
  const { port } = (await listenTimes(server, 1)) as { port: number }
  const { ends } = await dialMany(t, port, 100)
  await server.abort()
  assert.deepEqual([server.state, server.connections.size], ['closed', 0])
  await ends
})
