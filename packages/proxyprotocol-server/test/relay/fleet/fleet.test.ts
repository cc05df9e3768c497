// Services that change while they run: their sockets, connections, health checks and limits.

import assert from 'node:assert/strict'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { closedPort, content, until } from 'test-support/sockets'
import { parseService, type Service, type UpstreamText } from '../../../src/config/index.ts'
import { connectionLimit, createRelay, type Relay } from '../../../src/relay/index.ts'
import { chunk, dial, listen, outcome } from '../../support/connections.ts'
import { LONG, makeFleet, names, serviceTo } from '../../support/fleet.ts'

function portOf({ server }: Relay): number {
  return (server.address as AddressInfo).port
}

test('what has not changed is left alone, and what has hands its socket over', async t => {
  const upstreams = [await listen(t), await listen(t)] as const
  const fleet = makeFleet(t)
  assert.equal(fleet.state, 'starting')
  const [a, b] = [serviceTo(upstreams[0].port, 'a'), serviceTo(upstreams[0].port, 'b')]
  assert.deepEqual(names(await fleet.apply([a, b])), {
    ...{ added: ['a', 'b'], changed: [], removed: [], unchanged: [] },
  })
  const before = fleet.relays
  const ports = before.map(portOf)
  const second = [serviceTo(upstreams[0].port, 'a'), serviceTo(upstreams[1].port, 'b')]
  assert.deepEqual(names(await fleet.apply(second)), {
    ...{ added: [], changed: ['b'], removed: [], unchanged: ['a'] },
  })
  assert.equal(fleet.state, 'running')
  assert.deepEqual(fleet.relays.map(portOf), ports)
  assert.equal(fleet.relays[0], before[0])
  assert.notEqual(fleet.relays[1], before[1])
  dial(t, ports[1] ?? 0).write('to the second')
  assert.equal(String(await chunk(await upstreams[1].accept())), 'to the second')
})

test('connections of a service that changes go on at the upstream that they have', async t => {
  const upstreams = [await listen(t), await listen(t)] as const
  const fleet = makeFleet(t)
  await fleet.apply([serviceTo(upstreams[0].port, 'a')])
  const [relay] = fleet.relays
  const client = dial(t, portOf(relay as Relay))
  const far = await upstreams[0].accept()
  await fleet.apply([serviceTo(upstreams[1].port, 'a')])
  assert.equal(fleet.connections.size, 1)
  client.end('late')
  assert.equal(String(await content(far)), 'late')
  far.end('too')
  assert.equal(String(await content(client)), 'too')
  await until(() => fleet.connections.size === 0 && fleet.servers.size === 1)
  assert.deepEqual([relay?.server.state, upstreams[1].accepted], ['closed', 0])
})

test('a service that is gone stops listening, and ends its connections by the deadline that it is given', async t => {
  const upstream = await listen(t)
  const fleet = makeFleet(t)
  await fleet.apply([serviceTo(upstream.port, 'a'), serviceTo(upstream.port, 'b')])
  const port = portOf(fleet.relays[1] as Relay)
  const client = dial(t, port)
  await upstream.accept()
  const ended = outcome(client)
  const change = await fleet.apply([serviceTo(upstream.port, 'a')], { drain: 20 })
  assert.deepEqual([change.removed.map(({ service }) => service.name), fleet.relays.length], [['b'], 1])
  assert.equal((await outcome(dial(t, port))).error, 'ECONNREFUSED')
  assert.equal((await ended).error, 'ECONNRESET')
  await until(() => fleet.servers.size === 1)
  assert.equal(fleet.totals().get('b')?.closed.drain_deadline, 1)
})

test('checks of upstreams begin with the relay that takes a socket over, and end with the one that gave it', async t => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  await turn()
  const upstreams = [await listen(t), await listen(t)] as const
  const health = { check: { interval: 1_000 } }
  const [before, after] = upstreams.map(({ port }) =>
    parseService('127.0.0.1:0', `127.0.0.1:${port}`, { name: 'a', health }),
  ) as [Service, Service]
  const fleet = makeFleet(t)
  await fleet.apply([before])
  t.mock.timers.tick(1_000)
  const first = await upstreams[0].accept()
  await fleet.apply([after])
  await until(() => fleet.servers.size === 1)
  await outcome(first)
  t.mock.timers.tick(1_000)
  await upstreams[1].accept()
  assert.equal(upstreams[0].accepted, 1)
})

test('a share of the open files that has changed is applied in place, and a limit that a service has itself stays', async t => {
  const upstream = await listen(t)
  const fleet = makeFleet(t)
  const limited = parseService('127.0.0.1:0', `127.0.0.1:${upstream.port}?pp=noop`, {
    ...{ name: 'limited', limits: { connections: 7 } },
  })
  const names3 = ['a', 'b', 'c'].map(name => serviceTo(upstream.port, name))
  await fleet.apply([limited, ...names3.slice(0, 1)])
  const before = fleet.relays
  const limits = (): unknown[] => fleet.relays.map(({ service }) => service.limits.connections)
  assert.deepEqual(limits(), [7, connectionLimit(2)])
  assert.deepEqual(names(await fleet.apply([limited, ...names3])), {
    ...{ added: ['b', 'c'], changed: [], removed: [], unchanged: ['limited', 'a'] },
  })
  assert.deepEqual(limits(), [7, ...[1, 2, 3].map(() => connectionLimit(4))])
  assert.deepEqual(fleet.relays.slice(0, 2), before)
  await fleet.apply([limited, ...names3.slice(0, 1)])
  assert.deepEqual(limits(), [7, connectionLimit(2)])
})

test('limitConnections() holds for connections to come, and ends none', async t => {
  const upstream = await listen(t)
  const fleet = makeFleet(t)
  await fleet.apply([serviceTo(upstream.port, 'a')])
  const [relay = assert.fail()] = fleet.relays
  const clients = [dial(t, portOf(relay)), dial(t, portOf(relay))]
  await upstream.accept()
  await upstream.accept()
  relay.limitConnections(1)
  assert.equal((await outcome(dial(t, portOf(relay)))).fin, true)
  assert.deepEqual(
    [relay.server.connections.size, clients.map(({ destroyed }) => destroyed)],
    [2, [false, false]],
  )
})

for (const [what, listen2] of [
  ['changes', '127.0.0.1:0'],
  ['moves to another address', '127.0.0.1:PORT'],
] as const) {
  test(`a service that ${what} keeps what is known of upstreams with the same name and address`, async t => {
    const upstream = await listen(t)
    const refused = await closedPort()
    const events: string[] = []
    const fleet = makeFleet(t, {
      create: each =>
        createRelay(each, { onUpstream: ({ kind, upstream: name }) => events.push(`${kind} ${name}`) }),
    })
    const service = (at: string, upstreams: UpstreamText[], idle = LONG): Service =>
      parseService(at, upstreams, { name: 'a', timeouts: { idle }, health: { fails: 1, cooldown: LONG } })
    const bad = { address: `127.0.0.1:${refused}?pp=noop`, name: 'bad' }
    const good = { address: `127.0.0.1:${upstream.port}?pp=noop`, name: 'good' }
    await fleet.apply([service('127.0.0.1:0', [bad, good])])
    dial(t, portOf(fleet.relays[0] ?? assert.fail()))
    await upstream.accept()
    const listenAt = listen2.replace('PORT', String(await closedPort()))
    const moved = { ...bad, address: `127.0.0.1:${await closedPort()}?pp=noop` }
    await fleet.apply([service(listenAt, [good, bad, { ...moved, name: 'new' }], LONG + 1)])
    const states = (): unknown[] =>
      [...fleet.figures()]
        .flatMap(({ upstreams }) => upstreams)
        .map(({ name, state, failures }) => [name, state, failures])
    assert.deepEqual(states(), [
      ['good', 'up', {}],
      ['bad', 'down', { connect_refused: 1 }],
      ['new', 'up', {}],
    ])
    assert.deepEqual(events, ['down bad'], 'it is told once')
    await fleet.apply([service(listenAt, [good, moved], LONG + 1)])
    assert.deepEqual(states(), [
      ['good', 'up', {}],
      ['bad', 'up', {}],
    ])
  })
}

test('a relay that has given its socket away checks no more, while its connections go on', async t => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  await turn()
  const upstream = await listen(t)
  const service = (idle: number): Service =>
    parseService('127.0.0.1:0', `127.0.0.1:${upstream.port}?pp=noop`, {
      ...{ name: 'a', timeouts: { idle }, health: { check: { interval: 1_000 } } },
    })
  const fleet = makeFleet(t)
  await fleet.apply([service(LONG)])
  dial(t, portOf(fleet.relays[0] ?? assert.fail()))
  await upstream.accept()
  await fleet.apply([service(LONG + 1)])
  assert.equal(fleet.servers.size, 2)
  t.mock.timers.tick(1_000)
  await upstream.accept()
  for (let i = 0; i < 50; i++) await turn()
  assert.equal(upstream.accepted, 2)
})

test('a change that takes long serves connections between its services', async t => {
  const served: string[] = []
  const fleet = makeFleet(t, {
    create: service => {
      const end = performance.now() + 3
      while (performance.now() < end); // as long as a service with many routes takes
      setImmediate(() => served.push(service.name))
      return createRelay(service)
    },
    listen: async relay => {
      served.push('listen')
      await relay.listen()
    },
  })
  await fleet.apply([serviceTo(1, 'a'), serviceTo(1, 'b'), serviceTo(1, 'c')])
  assert.deepEqual(served.slice(0, 3), ['a', 'b', 'listen'])
})
