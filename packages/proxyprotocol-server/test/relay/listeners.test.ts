// How many listeners a relay has, and what that must not change.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { test } from 'node:test'
import { parseService, type Service } from '../../src/config/index.ts'
import { listenersFor, listenForClients } from '../../src/relay/listen-at.ts'
import { createRelay } from '../../src/relay/index.ts'
import { dial, outcome } from '../support/connections.ts'
import { makeFleet } from '../support/fleet.ts'
import { atEnd } from '../support/teardown.ts'
import { echo, startUpstream } from '../support/upstream.ts'

const HOST = '127.0.0.1'
/** As Node 20 takes it as well; its types do not know it. */
const SHARED: object = { reusePort: true }

function serviceWith(connections: number | undefined, listen = `${HOST}:0`): Service {
  return parseService(listen, `${HOST}:1`, { limits: { connections } })
}

test('several listeners need Linux, a Node with reusePort, TCP, a process that is no worker, and room', () => {
  const here = { isWorker: false, platform: 'linux', version: '24.0.0' }
  const many = serviceWith(10_000)
  assert.equal(listenersFor(many, here), 8)
  assert.equal(listenersFor(many, { ...here, version: '22.12.0' }), 8)
  assert.equal(listenersFor(many, { ...here, version: '22.11.0' }), 1)
  assert.equal(listenersFor(many, { ...here, version: '20.20.2' }), 1)
  assert.equal(listenersFor(many, { ...here, platform: 'darwin' }), 1)
  assert.equal(listenersFor(many, { ...here, isWorker: true }), 1)
  assert.equal(listenersFor(serviceWith(10_000, 'unix:/tmp/socket'), here), 1)
  assert.deepEqual(
    [undefined, 1_000, 999, 100].map(limit => listenersFor(serviceWith(limit), here)),
    [8, 4, 3, 1],
  )
  assert.deepEqual(
    [4_096, 1_024, 16].map(backlog => listenersFor({ ...many, backlog }, here)),
    [8, 2, 1],
  )
})

test('an address that another program would share is in use', async t => {
  const other = createServer().listen({ port: 0, host: HOST, ...SHARED })
  await once(other, 'listening')
  atEnd(t, () => other.close())
  const { port } = other.address() as AddressInfo
  const service = serviceWith(undefined, `${HOST}:${port}`)
  const { server } = createRelay(service)
  const message = `listen EADDRINUSE: address already in use ${HOST}:${port}`
  await assert.rejects(listenForClients(server, service, 8), { code: 'EADDRINUSE', message })
  other.close()
  await once(other, 'close')
  const bound = await listenForClients(server, service, 8)
  assert.deepEqual(bound, { address: HOST, family: 'IPv4', port })
  await server.close()
})

test('clients that wait in the kernel are served when their service is changed, removed or closed', async t => {
  const upstream = await startUpstream(t, echo)
  const fleet = makeFleet(t)
  const service = (name: string, connect = 5_000): Service =>
    parseService(`${HOST}:0`, `${HOST}:${upstream.port}?pp=noop`, { name, timeouts: { connect } })
  const { added } = await fleet.apply([service('kept'), service('removed')])
  const [kept = 0, removed = 0] = added.map(({ server }) => (server.address as AddressInfo).port)
  /** All at once, so that most of them wait when all are connected. */
  const dialMany = async (...ports: number[]): Promise<ReturnType<typeof outcome>[]> => {
    const sockets = ports.flatMap(port => Array.from({ length: 50 }, () => dial(t, port).end('hello')))
    const outcomes = sockets.map(outcome)
    await Promise.all(sockets.map(socket => once(socket, 'connect')))
    return outcomes
  }
  const served = async (clients: ReturnType<typeof outcome>[]): Promise<void> => {
    for (const { bytes, fin } of await Promise.all(clients))
      assert.deepEqual([String(bytes), fin], ['hello', true])
  }
  const changes = await dialMany(kept, removed)
  await fleet.apply([service('kept', 4_000)])
  await served(changes)
  const last = await dialMany(kept)
  const closed = fleet.close()
  await served(last)
  await closed
})
