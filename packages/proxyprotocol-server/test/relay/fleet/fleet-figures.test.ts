// Counters, connections and upstreams stay known when their service changes.

import assert from 'node:assert/strict'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { encodeHeader } from 'proxyprotocol'
import { createServer } from 'proxyprotocol/server'
import { closedPort, until } from 'test-support/sockets'
import { parseConfig, parseService, type Service } from '../../../src/config/index.ts'
import type { RelayTotals } from '../../../src/figures/index.ts'
import { createRelay, type Relay } from '../../../src/relay/index.ts'
import { clientHello } from '../../support/client-hello.ts'
import { dial, listen, outcome } from '../../support/connections.ts'
import { LONG, makeFleet, serviceTo } from '../../support/fleet.ts'

function portOf({ server }: Relay): number {
  return (server.address as AddressInfo).port
}

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
    dial(t, port).end('x')
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

test('figures() and connectionsOf() include the former relays of a service', async t => {
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
  const [{ totals } = assert.fail()] = fleet.figures()
  const { accepted, active, headers } = totals
  assert.deepEqual([accepted, active], [3, 3])
  assert.deepEqual(headers, [
    { version: 2, command: 'PROXY', count: 2 },
    { version: 1, command: 'PROXY', count: 1 },
  ])
  assert.equal([...fleet.connectionsOf('a')].length, 3)
  assert.deepEqual([...fleet.connectionsOf('unknown')], [])
  assert.deepEqual(
    [...fleet.servers].map(server => fleet.nameOf(server)),
    ['a', 'a'],
  )
})

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
