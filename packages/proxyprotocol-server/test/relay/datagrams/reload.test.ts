// Flows over a change of their service: the fleet hands the socket over, and each flow keeps its upstream.

import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { encodeDatagram, type InetEndpoint } from 'proxyprotocol'
import { until } from 'test-support/sockets'
import { closeConnections } from '../../../src/cli/services/close-connections.ts'
import { parseService, type Service, type ServiceOptions } from '../../../src/config/index.ts'
import type { LiveConnection } from '../../../src/figures/index.ts'
import { DatagramRelay, Fleet } from '../../../src/relay/index.ts'
import { answering, assertBalanced, peer } from '../../support/datagrams.ts'
import { atEnd } from '../../support/teardown.ts'

interface Running {
  readonly fleet: Fleet<DatagramRelay>
  readonly port: number
  readonly change: (upstream: number, options?: Options) => Promise<void>
}

interface Options extends ServiceOptions {
  readonly pp?: string
}

async function running(t: TestContext, upstream: number, options: Options = {}): Promise<Running> {
  const fleet = new Fleet({ create: service => new DatagramRelay(service, {}) })
  atEnd(t, async () => {
    await fleet.abort()
    for (const { datagrams } of fleet.figures()) if (datagrams) assertBalanced(datagrams)
    assert.equal(fleet.connections.size, 0)
  })
  const service = (to: number, { pp = 'noop', ...given }: Options): Service =>
    parseService(`udp://127.0.0.1:0?pp=${pp}`, `udp://127.0.0.1:${to}?pp=noop`, given)
  await fleet.apply([service(upstream, options)])
  const [relay] = fleet.relays
  return {
    fleet,
    port: relay?.server.address?.port ?? 0,
    change: async (to, changed = options) => {
      await fleet.apply([service(to, changed)])
    },
  }
}

function at({ port }: { readonly port: number }): InetEndpoint {
  return { address: '127.0.0.1', port }
}

const destination = { address: '192.0.2.1', port: 53 }

function claim(address: string): Uint8Array {
  return encodeDatagram({ source: { address, port: 5_353 }, destination }, Buffer.from('x'))
}

test('a flow keeps its upstream over a reload, and a new flow gets the new one', async t => {
  const [before, after] = [await answering(t, () => 'before'), await answering(t, () => 'after')]
  const { fleet, port, change } = await running(t, before.port, { replies: 2 })
  const [known, other] = [await peer(t), await peer(t)]
  await known.send('one', port)
  assert.equal(await known.text(), 'before')
  await change(after.port)
  await other.send('one', port)
  assert.equal(await other.text(), 'after')
  assert.equal(fleet.connections.size, 2)
  await known.send('two', port)
  assert.equal(await known.text(), 'before')
  await until(() => fleet.servers.size === 1)
  await known.send('three', port)
  assert.equal(await known.text(), 'after')
  const [figures] = [...fleet.figures()]
  assert.deepEqual([figures?.datagrams?.received, figures?.state], [8, 'listening'])
})

test('a flow lives on over two reloads, and a removed service drains it', async t => {
  const upstream = await answering(t)
  const { fleet, port, change } = await running(t, upstream.port)
  const client = await peer(t)
  await client.send('one', port)
  await client.text()
  await change(upstream.port, { replyFactor: 2 })
  await change(upstream.port, { replyFactor: 3 })
  await client.send('two', port)
  assert.equal(await client.text(), 'two')
  await fleet.apply([])
  await client.send('three', port)
  assert.equal(await client.text(), 'three')
  const closed = await fleet.close({ drain: 0 })
  assert.deepEqual([closed.forced, fleet.connections.size], [1, 0])
})

test('a reload does not wait for the flows of a service that it removes', async t => {
  const upstream = await answering(t)
  const { fleet, port } = await running(t, upstream.port)
  const client = await peer(t)
  await client.send('one', port)
  await client.text()
  await fleet.apply([], { drain: 60_000 })
  await client.send('two', port)
  assert.equal(await client.text(), 'two')
  assert.equal(fleet.connections.size, 1)
})

test('a reload with unsafe-first never parses the later payload of a peer', async t => {
  const upstream = await answering(t)
  const options = { pp: 'unsafe-first', trust: 'anyone', replies: 1 } as const
  const { fleet, port, change } = await running(t, upstream.port, options)
  const proxy = await peer(t)
  await proxy.send(claim('203.0.113.66'), port)
  await proxy.take()
  await change(upstream.port, { ...options, replyFactor: 100 })
  await proxy.send(claim('10.0.0.1'), port)
  assert.deepEqual((await proxy.take())[0], Buffer.from(claim('10.0.0.1')))
  const other = await peer(t)
  await other.send(claim('203.0.113.67'), port)
  assert.equal(await other.text(), 'x')
  await until(() => fleet.connections.size === 0)
})

test('a reload with unsafe-first gives known peers its limit and its timeouts', async t => {
  t.mock.timers.enable({ apis: ['setInterval'] })
  const upstream = await answering(t)
  const options = { pp: 'unsafe-first', trust: 'anyone', replies: 1 } as const
  const short = { timeouts: { flow: '1s', confirmed: '1s' }, limits: { flows: 1 } } as const
  const { port, change } = await running(t, upstream.port, { ...options, ...short })
  const [proxy, other] = [await peer(t), await peer(t)]
  await proxy.send(claim('203.0.113.66'), port)
  assert.equal(await proxy.text(), 'x')
  await change(upstream.port, { ...options, timeouts: { confirmed: '1h' } })
  for (let second = 0; second < 4; second++) t.mock.timers.tick(1_000)
  await proxy.send(claim('10.0.0.1'), port)
  assert.deepEqual((await proxy.take())[0], Buffer.from(claim('10.0.0.1')))
  await other.send(claim('203.0.113.67'), port)
  assert.equal(await other.text(), 'x')
})

test('a drain after a reload with unsafe-first leaves the flows of before their peers', async t => {
  const upstream = await answering(t)
  const options = { pp: 'unsafe-first', trust: 'anyone' } as const
  const { fleet, port, change } = await running(t, upstream.port, options)
  const proxy = await peer(t)
  await proxy.send(claim('203.0.113.66'), port)
  assert.equal(await proxy.text(), 'x')
  await change(upstream.port, { ...options, replyFactor: 100 })
  const closed = fleet.close({ drain: Infinity })
  await until(() => fleet.relays[0]?.server.state === 'closed')
  await proxy.send('two', port)
  assert.equal(await proxy.text(), 'two')
  await fleet.abort()
  assert.equal((await closed).forced, 1)
})

test('a change that fails leaves the service as it was, and one that listens already is not bound twice', async t => {
  const upstream = await answering(t)
  const { fleet, port } = await running(t, upstream.port)
  const [relay] = fleet.relays
  assert.ok(relay)
  const taken = parseService(`udp://127.0.0.1:${upstream.port}`, 'udp://192.0.2.1:53')
  await assert.rejects(fleet.apply([relay.service, taken]), { code: 'EADDRINUSE' })
  const client = await peer(t)
  await client.send('one', port)
  assert.equal(await client.text(), 'one')
  const closed = new DatagramRelay(taken)
  const { server } = closed
  await Promise.all([assert.rejects(closed.listen(), { code: 'EADDRINUSE' }), server.abort()])
  assert.equal(server.state, 'closed')
  const late = new DatagramRelay(parseService('udp://127.0.0.1:0', 'udp://192.0.2.1:53'))
  const listening = assert.rejects(late.listen(), { message: 'the server was closed before it could listen' })
  await Promise.all([listening, late.server.abort()])
})

test('flows are listed, also those from before a reload, and each can be ended', async t => {
  const [before, after] = [await answering(t, () => 'before'), await answering(t, () => 'after')]
  const { fleet, port, change } = await running(t, before.port)
  const [one, two] = [await peer(t), await peer(t)]
  await one.send('one', port)
  await one.text()
  await change(after.port)
  await two.send('twice', port)
  await two.text()
  const flows = (): LiveConnection[] => [...fleet.connectionsOf(fleet.relays[0]?.service.name ?? '')]
  assert.deepEqual(
    flows().map(({ source, upstream, bytesUp, bytesDown }) => [source, upstream, bytesUp, bytesDown]),
    [
      [at(one), at(before), 3, 6],
      [at(two), at(after), 5, 5],
    ],
  )
  const [first] = flows()
  assert.equal(closeConnections(fleet, { id: first?.id }), 1)
  assert.equal(closeConnections(fleet, { upstream: `127.0.0.1:${after.port}` }), 1)
  assert.deepEqual([flows(), fleet.connections.size], [[], 0])
})
