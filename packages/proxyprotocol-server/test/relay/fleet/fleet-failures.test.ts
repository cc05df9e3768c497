// Changes that fail leave every service as it was.

import assert from 'node:assert/strict'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { closedPort } from 'test-support/sockets'
import { parseService } from '../../../src/config/index.ts'
import { createRelay, type Relay } from '../../../src/relay/index.ts'
import { dial, listen, outcome } from '../../support/connections.ts'
import { LONG, makeFleet, names, serviceTo } from '../../support/fleet.ts'

function portOf({ server }: Relay): number {
  return (server.address as AddressInfo).port
}

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

test('a listener that fails while others hand over is made anew by the next change', async t => {
  const fleet = makeFleet(t)
  await fleet.apply([serviceTo(1, 'a'), serviceTo(1, 'b')])
  const [{ server }, failing] = fleet.relays as [Relay, Relay]
  const handOver = server.handOver.bind(server)
  server.handOver = (...args) => {
    void failing.server.close()
    return handOver(...args)
  }
  const next = [serviceTo(1, 'a', LONG + 1), serviceTo(1, 'b', LONG + 1)]
  await fleet.apply(next)
  assert.deepEqual(
    fleet.relays.map(each => each.server.state),
    ['listening', 'idle'],
  )
  const { added, unchanged } = names(await fleet.apply(next))
  assert.deepEqual({ added, unchanged }, { added: ['b'], unchanged: ['a'] })
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

test('abort() during a change leaves nothing that listens', async t => {
  const fleet = makeFleet(t)
  const failed = assert.rejects(fleet.apply([serviceTo(1, 'a')]), { message: /before it could change$/ })
  await fleet.abort()
  await failed
  assert.deepEqual([fleet.relays, fleet.servers.size], [[], 0])
})
