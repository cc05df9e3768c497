// Services that change while they run: whose sockets go on, whose connections, whose counters, and that it is all or nothing.

import assert from 'node:assert/strict'
import type { AddressInfo } from 'node:net'
import { test, type TestContext } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { encodeHeader } from 'proxyprotocol'
import { createServer } from 'proxyprotocol/server'
import { parseConfig, parseService, type Service, type UpstreamText } from '../../src/config/index.ts'
import {
  connectionLimit,
  createRelay,
  Fleet,
  type FleetChange,
  type FleetOptions,
  type Relay,
  type RelayTotals,
} from '../../src/relay/index.ts'
import { clientHello } from '../support/client-hello.ts'
import { assertBalanced } from '../support/relay.ts'
import { chunk, closedPort, content, dial, listen, outcome, until, warnings } from '../support/sockets.ts'
import { atEnd } from '../support/teardown.ts'

/** Milliseconds that no test waits for. */
const LONG = 60_000

/** A fleet that leaves nothing behind at the test's end. */
function makeFleet(t: TestContext, options: Partial<FleetOptions> = {}): Fleet {
  const made: Relay[] = []
  const fleet = new Fleet({
    ...options,
    create: service => {
      const relay = (options.create ?? createRelay)(service)
      made.push(relay)
      return relay
    },
  })
  warnings(t)
  atEnd(t, async () => {
    await fleet.abort()
    assert.equal(fleet.connections.size, 0)
    for (const stats of fleet.totals().values()) assertBalanced(stats)
    for (const { server } of made) assert.equal(server.state, 'closed')
  })
  return fleet
}

function portOf({ server }: Relay): number {
  return (server.address as AddressInfo).port
}

function names({ added, changed, removed, unchanged }: FleetChange): Record<string, string[]> {
  const all = { added, changed, removed, unchanged }
  const named = Object.entries(all).map(([what, relays]) => [what, relays.map(({ service }) => service.name)])
  return Object.fromEntries(named) as Record<string, string[]>
}

/** A service at a port of the system's choice. */
function serviceTo(port: number, name: string, idle = LONG): Service {
  return parseService('127.0.0.1:0', `127.0.0.1:${port}?pp=noop`, { name, timeouts: { idle } })
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
  const change = await fleet.apply([serviceTo(upstream.port, 'a')], { drain: 20 })
  assert.deepEqual([change.removed.map(({ service }) => service.name), fleet.relays.length], [['b'], 1])
  assert.equal((await outcome(dial(t, port))).error, 'ECONNREFUSED')
  assert.equal((await outcome(client)).error, 'ECONNRESET')
  await until(() => fleet.servers.size === 1)
  assert.equal(fleet.totals().get('b')?.closed.drain_deadline, 1)
})

test('counters of a service are those of all its relays, and never go back', async t => {
  const upstream = await listen(t)
  const fleet = makeFleet(t)
  const seen: number[] = []
  const look = (): unknown => seen.push(fleet.totals().get('a')?.accepted ?? -1)
  look()
  await fleet.apply([serviceTo(upstream.port, 'a')])
  const port = portOf(fleet.relays[0] as Relay)
  for (let i = 0; i < 3; i++) {
    look()
    dial(t, port).end()
    ;(await upstream.accept()).resume().end()
    look()
    await fleet.apply([serviceTo(upstream.port, 'a', LONG + i)])
    look()
    await until(() => fleet.connections.size === 0)
    look()
  }
  assert.deepEqual(seen, [-1, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3])
  await until(() => fleet.servers.size === 1)
  assert.equal(fleet.totals().get('a')?.closed.done, 3)
  await fleet.apply([serviceTo(upstream.port, 'b')])
  assert.equal(fleet.totals().get('a')?.accepted, 3)
})

test('an address that cannot be bound leaves everything as it was', async t => {
  const upstream = await listen(t)
  const fleet = makeFleet(t)
  await fleet.apply([serviceTo(upstream.port, 'a'), serviceTo(upstream.port, 'b')])
  const before = fleet.relays
  const free = await closedPort()
  const wrong = [
    serviceTo(upstream.port, 'a', LONG + 1),
    parseService(`127.0.0.1:${free}`, '127.0.0.1:1'),
    parseService(`127.0.0.1:${upstream.port}`, '127.0.0.1:1'),
  ]
  await assert.rejects(fleet.apply(wrong), { code: 'EADDRINUSE', port: upstream.port })
  assert.deepEqual(fleet.relays, before)
  assert.deepEqual(
    before.map(({ server }) => server.state),
    ['listening', 'listening'],
  )
  assert.equal((await outcome(dial(t, free))).error, 'ECONNREFUSED')
  dial(t, portOf(before[1] as Relay))
  await upstream.accept()
})

test('a service that cannot be made leaves everything as it was', async t => {
  const upstream = await listen(t)
  const fault = new Error('no such certificate')
  const fleet = makeFleet(t, {
    create: service => {
      if (service.name === 'bad') throw fault
      return createRelay(service)
    },
  })
  await assert.rejects(fleet.apply([serviceTo(upstream.port, 'bad')]), fault)
  assert.deepEqual([fleet.state, fleet.relays], ['starting', []])
  await fleet.apply([serviceTo(upstream.port, 'a')])
  const before = fleet.relays
  await assert.rejects(
    fleet.apply([serviceTo(upstream.port, 'a', 5), serviceTo(upstream.port, 'bad')]),
    fault,
  )
  assert.deepEqual(fleet.relays, before)
})

test('a service whose listener has failed listens anew', async t => {
  const upstream = await listen(t)
  const fleet = makeFleet(t)
  await fleet.apply([serviceTo(upstream.port, 'a')])
  const [relay] = fleet.relays
  await relay?.server.close()
  const change = await fleet.apply([serviceTo(upstream.port, 'a')])
  assert.deepEqual(names(change), { added: ['a'], changed: [], removed: ['a'], unchanged: [] })
  dial(t, portOf(fleet.relays[0] as Relay))
  await upstream.accept()
})

test('a listener that fails during a change makes the change fail', async t => {
  const upstream = await listen(t)
  const fleet = makeFleet(t, {
    listen: async relay => {
      await relay.listen()
      if (relay.service.name === 'b') void fleet.relays[0]?.server.close()
    },
  })
  await fleet.apply([serviceTo(upstream.port, 'a')])
  await assert.rejects(fleet.apply([serviceTo(upstream.port, 'a'), serviceTo(upstream.port, 'b')]), {
    message: 'the service a has stopped listening in the meantime',
  })
})

test('close() during a change waits for it, and the change fails', async t => {
  const upstream = await listen(t)
  const fleet = makeFleet(t)
  await fleet.apply([serviceTo(upstream.port, 'a')])
  dial(t, portOf(fleet.relays[0] as Relay))
  const far = outcome(await upstream.accept())
  const failed = assert.rejects(fleet.apply([serviceTo(upstream.port, 'a'), serviceTo(upstream.port, 'b')]), {
    message: 'the fleet was closed before it could change',
  })
  const closing = fleet.close({ drain: 10 })
  assert.equal(fleet.state, 'draining')
  assert.deepEqual(await closing, { drained: 0, forced: 1, stuck: [] })
  await failed
  assert.equal((await far).error, 'ECONNRESET')
  await assert.rejects(fleet.apply([]), { message: 'apply() needs a fleet that is not draining' })
})

test('close() ends the connections of changed services by its deadline, too', async t => {
  const upstream = await listen(t)
  const fleet = makeFleet(t)
  await fleet.apply([serviceTo(upstream.port, 'a')])
  dial(t, portOf(fleet.relays[0] as Relay))
  await upstream.accept()
  await fleet.apply([serviceTo(upstream.port, 'a', LONG + 1)])
  assert.equal(fleet.servers.size, 2)
  assert.deepEqual(await fleet.close({ drain: 10 }), { drained: 0, forced: 1, stuck: [] })
})

test('two changes at a time are refused', async t => {
  const upstream = await listen(t)
  const fleet = makeFleet(t)
  const first = fleet.apply([serviceTo(upstream.port, 'a')])
  await assert.rejects(fleet.apply([]), { message: 'apply() needs the change before it to be over' })
  await first
})

test('a server with a stuck handler stays in sight after its service has changed', async t => {
  let release: (() => void) | undefined
  const held = new Promise<void>(resolve => (release = resolve))
  const fleet = makeFleet(t, {
    create: service => {
      const relay = createRelay(service)
      if (service.timeouts.idle !== LONG) return relay
      const server = createServer({ version: 'none', timeouts: { abort: 10 } }, () => held)
      const totals = (): RelayTotals => ({ ...relay.totals(), ...server.stats() })
      return { ...relay, server, totals, listen: () => server.listen(0, '127.0.0.1') }
    },
  })
  await fleet.apply([serviceTo(1, 'a')])
  const [{ server } = assert.fail()] = fleet.relays
  dial(t, (server.address as AddressInfo).port)
  await until(() => server.connections.size === 1)
  await fleet.apply([serviceTo(1, 'a', LONG + 1)])
  const { stuck } = await server.abort()
  assert.deepEqual([stuck.length, fleet.connections.size, fleet.servers.has(server)], [1, 1, true])
  release?.()
  await until(() => fleet.connections.size === 0)
  assert.deepEqual([fleet.totals().get('a')?.accepted, fleet.totals().get('a')?.closed.aborted], [1, 1])
})

test('abort() during a change leaves nothing that listens', async t => {
  const fleet = makeFleet(t)
  const failed = assert.rejects(fleet.apply([serviceTo(1, 'a')]), { message: /before it could change$/ })
  await fleet.abort()
  await failed
  assert.deepEqual([fleet.relays, fleet.servers.size], [[], 0])
})

test('reported() shows the connections of relays that were before, and sums what all have counted', async t => {
  const upstream = await listen(t)
  const fleet = makeFleet(t)
  const service = (idle: number): Service =>
    parseService('127.0.0.1:0?pp=detect', `127.0.0.1:${upstream.port}?pp=noop`, {
      ...{ name: 'a', trust: 'anyone', timeouts: { idle } },
    })
  await fleet.apply([service(LONG)])
  const port = portOf(fleet.relays[0] as Relay)
  const open = async (header: Uint8Array): Promise<void> => {
    dial(t, port).write(header)
    await upstream.accept()
  }
  const ends = { source: { address: '192.0.2.1', port: 1 }, destination: { address: '192.0.2.2', port: 2 } }
  await open(encodeHeader(ends))
  await fleet.apply([service(LONG + 1)])
  await open(encodeHeader(ends))
  await open(encodeHeader({ ...ends, version: 1 }))
  const [reported = assert.fail()] = fleet.reported()
  const { accepted, active, headers } = reported.totals()
  assert.deepEqual([accepted, active], [3, 3])
  assert.deepEqual(headers, [
    { version: 2, command: 'PROXY', count: 2 },
    { version: 1, command: 'PROXY', count: 1 },
  ])
  assert.equal([...reported.connections()].length, 3)
  assert.deepEqual(
    [...fleet.servers].map(server => fleet.nameOf(server)),
    ['a', 'a'],
  )
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
      (fleet.reported()[0] ?? assert.fail())
        .upstreams()
        .upstreams.map(({ name, state, failures }) => [name, state, failures])
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

test('what is known of the upstreams of a route goes on, whatever else its route has by now', async t => {
  const refused = await closedPort()
  const fleet = makeFleet(t)
  const address = `127.0.0.1:${refused}`
  const service = (idle: number, routes: Readonly<Record<string, string[]>>): Service => {
    const { services } = parseConfig({
      services: [
        {
          ...{ name: 'a', listen: '127.0.0.1:0', upstream: address, timeouts: { idle } },
          health: { fails: 1, cooldown: LONG },
          passthrough: {
            routes: Object.entries(routes).map(([name, names]) => ({
              names,
              upstreams: [{ address, name }],
            })),
          },
        },
      ],
    })
    return services[0] ?? assert.fail()
  }
  const states = (): unknown[] =>
    (fleet.relays[0] ?? assert.fail()).upstreams().upstreams.map(({ name, state }) => [name, state])
  await fleet.apply([service(LONG, { one: ['a.example'], two: ['b.example'] })])
  const client = dial(t, portOf(fleet.relays[0] ?? assert.fail()))
  client.write(await clientHello({ servername: 'b.example' }))
  await outcome(client)
  assert.deepEqual(states(), [
    [address, 'up'],
    ['one', 'up'],
    ['two', 'down'],
  ])
  await fleet.apply([service(LONG + 1, { two: ['c.example', 'b.example'], three: ['d.example'] })])
  assert.deepEqual(states(), [
    [address, 'up'],
    ['two', 'down'],
    ['three', 'up'],
  ])
})

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
