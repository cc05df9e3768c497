// A relay with several upstreams: what clients notice of one that fails, and what the records say of it.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type Server } from 'node:net'
import { test, type TestContext } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { closedPort, until } from 'test-support/sockets'
import { startRelay } from '../support/relay.ts'
import { chunk, dial, listen, outcome } from '../support/connections.ts'
import { atEnd } from '../support/teardown.ts'

/** An echo server that can stop listening and come back at its port; tells how many connections it has served. */
interface Flapping {
  readonly port: number
  readonly served: () => number
  stop(): Promise<void>
  start(): Promise<void>
}

async function flapping(t: TestContext): Promise<Flapping> {
  const port = await closedPort()
  let server: Server | undefined
  let served = 0
  async function start(): Promise<void> {
    server = createServer({ allowHalfOpen: true }, socket => {
      served++
      socket.on('error', () => {}).pipe(socket)
    }).listen(port, '127.0.0.1')
    await once(server, 'listening')
  }
  async function stop(): Promise<void> {
    if (server === undefined) return
    const closed = once(server, 'close')
    server.close()
    server = undefined
    await closed
  }
  await start()
  atEnd(t, stop)
  return { port, served: () => served, start, stop }
}

/** One client that wants its bytes back. */
async function echoed(t: TestContext, port: number, text: string): Promise<boolean> {
  const client = dial(t, port)
  client.end(text)
  const { bytes, fin } = await outcome(client)
  return fin && bytes.toString() === text
}

test('600 connections in 6 phases over an upstream that is up, down, up, ... : 0 fail while another is up', async t => {
  const [first, second] = [await flapping(t), await flapping(t)]
  const relay = await startRelay(
    t,
    [first, second].map(({ port }) => `127.0.0.1:${port}?pp=noop`),
    { health: { fails: 2, window: 10_000, cooldown: 100 } },
  )
  const state = (): string | undefined => relay.upstreams().upstreams[0]?.state
  let failed = 0
  for (let phase = 0; phase < 6; phase++) {
    const before = first.served()
    if (phase % 2 === 1) await first.stop()
    for (let batch = 0; batch < 5; batch++) {
      const clients = Array.from({ length: 20 }, (_, n) => echoed(t, relay.port, `${phase} ${batch} ${n}`))
      failed += (await Promise.all(clients)).filter(good => !good).length
    }
    assert.equal(state(), phase % 2 === 1 ? 'down' : 'up', `phase ${phase}`)
    assert.equal(first.served() > before, phase % 2 === 0, `phase ${phase}`)
    if (phase % 2 === 1) await first.start()
    await until(() => state() === 'up') // the relay finds out by itself
  }
  assert.equal(failed, 0)
  await relay.record(599)
  const reasons = new Set(relay.records.map(({ reason }) => reason))
  assert.deepEqual(reasons, new Set(['done']))
  assert.ok(relay.records.some(({ attempts }) => attempts === 2))
  assert.ok(relay.records.every(({ attempts }) => attempts <= 2))
  const { upstreams } = relay.upstreams()
  assert.equal(
    upstreams.reduce((sum, { total }) => sum + total, 0),
    600,
  )
  const retried = relay.records.filter(({ attempts }) => attempts === 2).length
  assert.equal(retried, upstreams[0]?.failures.connect_refused)
  assert.equal(upstreams[1]?.total, second.served())
  assert.equal(upstreams[0]?.total, first.served() - 3, 'it was tried once after each outage')
})

test('the record says which upstream served, at which address, and how many were tried', async t => {
  const far = await listen(t)
  const refused = await closedPort()
  const relay = await startRelay(t, [`127.0.0.1:${refused}`, `localhost:${far.port}?pp=noop`])
  const client = dial(t, relay.port)
  client.end('hello')
  const socket = await far.accept()
  assert.equal((await chunk(socket)).toString(), 'hello')
  socket.end()
  client.resume()
  const { upstream, upstreamAddress, attempts, bytesUp } = await relay.record()
  assert.deepEqual(
    { upstream, upstreamAddress, attempts, bytesUp },
    {
      upstream: `localhost:${far.port}`,
      upstreamAddress: { address: '127.0.0.1', port: far.port },
      attempts: 2,
      bytesUp: 5,
    },
  )
})

test('where every upstream has failed its checks the client is reset, and the reason is no_upstream', async t => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  await turn() // their first use is a warning
  const relay = await startRelay(t, `127.0.0.1:${await closedPort()}`, {
    health: { check: { interval: 1_000, fall: 1 } },
  })
  t.mock.timers.tick(1_000)
  await until(() => relay.upstreams().upstreams[0]?.state === 'down')
  const { fin } = await outcome(dial(t, relay.port))
  assert.equal(fin, false)
  const { reason, error, upstream, attempts } = await relay.record()
  assert.deepEqual([reason, error?.code, upstream, attempts], ['no_upstream', 'no_upstream', undefined, 0])
  await until(() => relay.server.stats().active === 0)
  assert.equal(relay.server.stats().closed.no_upstream, 1)
})

for (const way of ['close', 'abort', 'asyncDispose'] as const) {
  test(`checks begin when the relay listens and end with its server, by ${way}`, async t => {
    t.mock.timers.enable({ apis: ['setTimeout'] })
    await turn()
    const far = await listen(t)
    const relay = await startRelay(t, `127.0.0.1:${far.port}`, {
      health: { check: { interval: 1_000 } },
    })
    assert.equal(far.accepted, 0)
    t.mock.timers.tick(1_000)
    const checking = await far.accept()
    if (way === 'asyncDispose') await relay.server[Symbol.asyncDispose]()
    else await relay.server[way]()
    await outcome(checking)
    t.mock.timers.tick(100_000)
    await turn()
    assert.equal(far.accepted, 1)
  })
}

test('a server that is told to close wrongly goes on with its checks', async t => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  await turn()
  const far = await listen(t)
  const relay = await startRelay(t, `127.0.0.1:${far.port}`, {
    health: { check: { interval: 1_000 } },
  })
  await assert.rejects(relay.server.close({ drain: -1 }), RangeError)
  t.mock.timers.tick(1_000)
  await far.accept()
})
