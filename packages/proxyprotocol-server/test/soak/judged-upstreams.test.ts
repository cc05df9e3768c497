// Upstreams that fail in each of their ways, under clients that come all the time: how many of them notice, and for how long.

import assert from 'node:assert/strict'
import type { AddressInfo } from 'node:net'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { test, type TestContext } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { closedPort, until } from 'test-support/sockets'
import { parseService } from '../../src/config/index.ts'
import { checkDefaults, healthDefaults } from '../../src/config/health.ts'
import { createRelay, Fleet, type RelayRecord, type RoutedEvent } from '../../src/relay/index.ts'
import { blackHole } from '../support/black-hole.ts'
import { startRelay } from '../support/relay.ts'
import { soaking, soakSeconds } from '../support/soak-length.ts'
import { dial, outcome } from '../support/connections.ts'
import { atEnd } from '../support/teardown.ts'
import { echo, startUpstream } from '../support/upstream.ts'

/** One client, and when it came. */
interface Client {
  readonly at: number
  readonly record: RelayRecord
}

/** Clients that come every so many milliseconds, for so long. */
interface Load {
  readonly every: number
  readonly milliseconds: number
}

/** Each sends a few bytes, and waits for them to come back. */
async function load(t: TestContext, port: number, { every, milliseconds }: Load): Promise<number> {
  const ends: Promise<unknown>[] = []
  const start = performance.now()
  while (performance.now() - start < milliseconds) {
    const client = dial(t, port)
    client.end('hello')
    ends.push(outcome(client))
    await pause(every)
  }
  await Promise.all(ends)
  return ends.length
}

/** Records of a relay with the times at which their clients came. */
function watched(): { clients: Client[]; onClosed: (record: RelayRecord) => void } {
  const clients: Client[] = []
  return {
    clients,
    onClosed: record => clients.push({ at: performance.now() - record.age, record }),
  }
}

/** Those that a bad upstream has cost time or the connection. */
function hurt(clients: readonly Client[]): Client[] {
  return clients.filter(({ record }) => record.attempts > 1 || record.reason !== 'done')
}

/** Those that wait under a load; all have come within so many milliseconds. */
async function onlyEarlyClientsWait(
  t: TestContext,
  { port, clients }: { readonly port: number; readonly clients: readonly Client[] },
  { bar, ...plan }: Load & { readonly bar: number },
): Promise<readonly Client[]> {
  const from = performance.now()
  const count = await load(t, port, plan)
  await until(() => clients.length === count)
  const waited = hurt(clients)
  const last = Math.max(0, ...waited.map(({ at }) => at - from))
  t.diagnostic(`${waited.length} of ${count} clients waited, the last one came after ${Math.round(last)} ms`)
  assert.ok(last < bar, `${last} ms`)
  return waited
}

/** The defaults, and in the gate a fifth of them: what is forgotten too early depends on how they relate. */
const scale = soaking ? 1 : 1 / 5
const check = { interval: scale * checkDefaults.interval, timeout: scale * checkDefaults.timeout }
/** Milliseconds by which no client may wait any more. */
const bar = (check.interval + check.timeout) * checkDefaults.fall + scale * 5_000
const checked: Load = {
  every: scale * 250,
  milliseconds: soaking ? Math.max(60, soakSeconds) * 1_000 : 1.7 * bar,
}
const unchecked: Load = { every: 50, milliseconds: soaking ? soakSeconds * 1_000 : 4_000 }

test(`a black-holed upstream of two, checks every ${check.interval} ms and a client every ${checked.every} ms: none waits that comes after ${bar} ms`, async t => {
  const hole = await blackHole(t)
  const good = await startUpstream(t, echo)
  const { clients, onClosed } = watched()
  const upstreams = [hole.port, good.port].map(port => `127.0.0.1:${port}?pp=noop`)
  const relay = await startRelay(t, upstreams, {
    health: { check, cooldown: scale * healthDefaults.cooldown },
    timeouts: { connect: scale * 5_000 },
    onClosed,
  })
  await hole.swallow()
  const waited = await onlyEarlyClientsWait(t, { port: relay.port, clients }, { ...checked, bar: bar })
  assert.ok(waited.length > 0)
  await hole.revive()
  await until(() => relay.upstreams().upstreams.every(({ state }) => state === 'up'))
})

test('a black-holed upstream of two without checks: only the first clients wait, and the relay finds out by itself when it is back', async t => {
  const hole = await blackHole(t)
  const good = await startUpstream(t, echo)
  const { clients, onClosed } = watched()
  const upstreams = [hole.port, good.port].map(port => `127.0.0.1:${port}?pp=noop`)
  const options = { health: { cooldown: 200 }, timeouts: { connect: 1_000 }, onClosed }
  const relay = await startRelay(t, upstreams, options)
  await hole.swallow()
  const waited = await onlyEarlyClientsWait(t, { port: relay.port, clients }, { ...unchecked, bar: 2_000 })
  const [state] = relay.upstreams().upstreams
  assert.equal(state?.state, 'down')
  await hole.revive()
  await until(() => relay.upstreams().upstreams[0]?.state === 'up')
  assert.equal(hurt(clients).length, waited.length)
})

test('a name with a black-holed address of two: only the first clients wait, its member is down, and up when it is back', async t => {
  const hole = await blackHole(t, '127.0.0.2')
  const server = createServer({ allowHalfOpen: true }, socket => {
    echo(socket.on('error', () => {}))
  }).listen(hole.port, '127.0.0.3')
  await once(server, 'listening')
  atEnd(t, () => server.close())
  const events: RoutedEvent[] = []
  const { clients, onClosed } = watched()
  const relay = await startRelay(t, `app.test:${hole.port}?pp=noop`, {
    resolver: async () => ['127.0.0.2', '127.0.0.3'].map(address => ({ address, family: 4 })),
    ...{ health: { cooldown: 200 }, timeouts: { connect: 1_000 }, onClosed },
    onUpstream: event => events.push(event),
  })
  await hole.swallow()
  await onlyEarlyClientsWait(t, { port: relay.port, clients }, { ...unchecked, bar: 2_000 })
  assert.ok(clients.every(({ record }) => record.reason === 'done'))
  const [upstream] = relay.upstreams().upstreams
  assert.deepEqual([upstream?.state, upstream?.members.map(({ state }) => state)], ['up', ['down', 'up']])
  await hole.revive()
  await until(() => relay.upstreams().upstreams[0]?.members[0]?.state === 'up')
  const address = `127.0.0.2:${hole.port}`
  assert.deepEqual(
    events.map(event => [event.kind, 'address' in event && event.address]),
    [
      ['down', address],
      ['up', address],
    ],
  )
})

test('an upstream of two that refuses, without retries: three clients are reset, and no other', async t => {
  const good = await startUpstream(t, echo)
  const { clients, onClosed } = watched()
  const upstreams = [await closedPort(), good.port].map(port => `127.0.0.1:${port}?pp=noop`)
  const relay = await startRelay(t, upstreams, { retries: 0, health: { cooldown: 100 }, onClosed })
  const count = await load(t, relay.port, unchecked)
  await until(() => clients.length === count)
  t.diagnostic(`${hurt(clients).length} of ${count} clients were reset`)
  assert.equal(hurt(clients).length, 3)
})

const RELOADS = soaking ? 100 : 10

test(`${RELOADS} reloads beside a black-holed upstream: no client waits because of them`, async t => {
  const hole = await blackHole(t)
  const good = await startUpstream(t, echo)
  const { clients, onClosed } = watched()
  const upstreams = [hole.port, good.port].map(port => `127.0.0.1:${port}?pp=noop`)
  const fleet = new Fleet({ create: service => createRelay(service, { onClosed }) })
  atEnd(t, () => fleet.abort())
  const apply = (idle: number): Promise<unknown> =>
    fleet.apply([
      parseService('127.0.0.1:0', upstreams, {
        ...{ name: 'a', health: { cooldown: 1_000 }, timeouts: { connect: 1_000, idle } },
      }),
    ])
  await apply(60_000)
  const { port } = fleet.relays[0]?.server.address as AddressInfo
  await hole.swallow()
  let count = await load(t, port, { every: 50, milliseconds: 1_000 })
  await until(() => clients.length === count)
  const before = hurt(clients).length
  for (let i = 1; i <= RELOADS; i++) {
    await apply(60_000 + i)
    count += await load(t, port, { every: 20, milliseconds: 200 })
  }
  await until(() => clients.length === count)
  t.diagnostic(`${before} clients waited before, ${hurt(clients).length - before} of ${count} at reloads`)
  assert.ok(before >= 3)
  assert.equal(hurt(clients).length, before)
})
