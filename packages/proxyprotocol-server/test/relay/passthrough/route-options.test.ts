// The options of a route hold for its clients, and those of the service for all others.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { Socket } from 'node:net'
import { test, type TestContext } from 'node:test'
import { decodeHeader } from 'proxyprotocol'
import { closedPort, until } from 'test-support/sockets'
import type { RouteInit, ServiceOptions, UpstreamText } from '../../../src/config/index.ts'
import type { RelayOptions, RelayRecord } from '../../../src/relay/index.ts'
import type { MemberSnapshot, RoutedUpstream } from '../../../src/figures/index.ts'
import { clientHello } from '../../support/client-hello.ts'
import { chunk, dial, keepAliveCalls, listen, type Listener } from '../../support/connections.ts'
import { startRelay, type TestRelay } from '../../support/relay.ts'

const NAME = 'a.example'

interface Scene {
  readonly relay: TestRelay
  /** A client of the route, or one of the service. */
  readonly client: (servername?: string) => Promise<Socket>
}

interface Sides {
  readonly service: ServiceOptions & Pick<RelayOptions, 'resolver'>
  readonly route: Omit<RouteInit, 'upstreams'>
  /** Of the service, and of the route. */
  readonly upstreams: readonly [readonly UpstreamText[], readonly UpstreamText[]]
}

async function scene(t: TestContext, { service, route, upstreams }: Sides): Promise<Scene> {
  const [own, routed] = upstreams
  const relay = await startRelay(t, own, {
    ...service,
    passthrough: { routes: [{ names: [NAME], upstreams: routed, ...route }] },
  })
  return {
    relay,
    client: async servername => {
      const client = dial(t, relay.port)
      client.write(await clientHello(servername === undefined ? {} : { servername }))
      return client
    },
  }
}

function to(
  { port }: Pick<Listener, 'port'>,
  more: Partial<Exclude<UpstreamText, string>> = {},
): UpstreamText {
  return { address: `127.0.0.1:${port}`, ...more }
}

async function two(t: TestContext): Promise<[Listener, Listener]> {
  return [await listen(t), await listen(t)]
}

/** The records of a client of the service, and of one of the route. */
async function records({ relay, client }: Scene): Promise<readonly RelayRecord[]> {
  await client()
  const first = await relay.record(0)
  await client(NAME)
  return [first, await relay.record(1)]
}

function upstreamsOf({ relay }: Scene, route: string): readonly RoutedUpstream[] {
  return relay.upstreams().upstreams.filter(each => each.route === route)
}

function membersOf(made: Scene, route: string): readonly MemberSnapshot[] {
  return upstreamsOf(made, route).flatMap(({ members }) => members)
}

test('a route has its own TLVs, and those of the service', async t => {
  const [own, routed] = await two(t)
  const { client } = await scene(t, {
    service: { tlvs: { '0xE1': 'text:service', '0xE2': 'text:all' } },
    route: { tlvs: { '0xE1': 'text:route' } },
    upstreams: [[to(own)], [to(routed)]],
  })
  const sent = async (listener: Listener): Promise<readonly string[]> => {
    const result = decodeHeader(await chunk(await listener.accept()))
    assert.ok(result.status === 'header')
    const { tlvs } = result.header
    return tlvs.filter(({ type }) => type >= 0xe0).map(({ value }) => Buffer.from(value).toString())
  }
  await client()
  assert.deepEqual(await sent(own), ['service', 'all'])
  await client(NAME)
  assert.deepEqual(await sent(routed), ['all', 'route'])
})

test('a route balances in its own way', async t => {
  const [[one, other], [a, b]] = [await two(t), await two(t)]
  const made = await scene(t, {
    service: {},
    route: { balance: 'source-hash' },
    upstreams: [
      [to(one), to(other)],
      [to(a), to(b)],
    ],
  })
  for (let i = 0; i < 4; i++) {
    await made.client()
    await made.client(NAME)
  }
  await until(() => one.accepted + other.accepted === 4 && a.accepted + b.accepted === 4)
  assert.deepEqual([one.accepted, other.accepted], [2, 2])
  assert.deepEqual([a.accepted, b.accepted].toSorted(), [0, 4])
})

test('a route has its own number of retries', async t => {
  const refused = await Promise.all(Array.from({ length: 4 }, async () => to({ port: await closedPort() })))
  const made = await scene(t, {
    service: { retries: 1 },
    route: { retries: 0 },
    upstreams: [refused.slice(0, 2), refused.slice(2)],
  })
  assert.deepEqual(
    (await records(made)).map(({ attempts }) => attempts),
    [2, 1],
  )
})

test('a route has its own health checks', async t => {
  const refused = await Promise.all([closedPort(), closedPort()])
  const made = await scene(t, {
    service: {},
    route: { health: { check: { interval: 1, fall: 1 } } },
    upstreams: [[to({ port: refused[0] })], [to({ port: refused[1] })]],
  })
  await until(() => upstreamsOf(made, NAME)[0]?.state === 'down')
  assert.deepEqual([upstreamsOf(made, '*')[0]?.state, membersOf(made, '*')[0]?.checks], ['up', undefined])
})

test('a route has its own settings of its queue', async t => {
  const [own, routed] = await two(t)
  const { relay, client } = await scene(t, {
    service: { queue: { size: 1 } },
    route: { queue: { size: 0 } },
    upstreams: [[to(own, { maxConnections: 1 })], [to(routed, { maxConnections: 1 })]],
  })
  for (const name of [undefined, NAME]) await client(name)
  await Promise.all([own.accept(), routed.accept()])
  await client(NAME)
  assert.equal((await relay.record(0)).reason, 'limit_upstream')
  await client()
  await until(() => relay.upstreams().queues[0]?.waiting === 1)
})

test('a route resolves names by its own settings', async t => {
  const addresses = ['127.0.0.1', '127.0.0.2'].map(address => ({ address, family: 4 }))
  const made = await scene(t, {
    service: { resolver: async () => addresses, health: { check: {} } },
    route: { resolve: { maxMembers: 1 } },
    upstreams: [['own.test:80'], ['routed.test:80']],
  })
  await until(() => membersOf(made, '*').length === 2 && membersOf(made, NAME).length === 1)
})

test('a route has its own time for connecting', async t => {
  const own = await listen(t)
  const made = await scene(t, {
    service: { resolver: () => new Promise(() => undefined), timeouts: { connect: 1_000_000 } },
    route: { timeouts: { connect: 10 } },
    upstreams: [[to(own)], ['silent.test:80']],
  })
  await made.client(NAME)
  assert.equal((await made.relay.record(0)).reason, 'connect_timeout')
  await made.client()
  await own.accept()
})

test('a route has an idle timeout of its own, shorter or longer', async t => {
  for (const [service, route] of [
    [1_000_000, 50],
    [50, 'never'],
  ] as const) {
    const [own, routed] = await two(t)
    const { relay, client } = await scene(t, {
      service: { timeouts: { idle: service } },
      route: { timeouts: { idle: route } },
      upstreams: [[to(own)], [to(routed)]],
    })
    const clients = [await client(), await client(NAME)]
    await Promise.all([own.accept(), routed.accept()])
    const { reason, upstream } = await relay.record(0)
    assert.deepEqual(
      [reason, upstream],
      ['idle_timeout', `127.0.0.1:${route === 'never' ? own.port : routed.port}`],
    )
    assert.equal(relay.server.connections.size, 1)
    for (const each of clients) each.destroy()
  }
})

test('a route has its own time for the silence after an end', async t => {
  const [own, routed] = await two(t)
  const { relay, client } = await scene(t, {
    service: { timeouts: { halfClose: 1_000_000 } },
    route: { timeouts: { halfClose: 20 } },
    upstreams: [[to(own)], [to(routed)]],
  })
  for (const [name, listener] of [
    [undefined, own],
    [NAME, routed],
  ] as const) {
    const ended = once((await client(name)).resume(), 'end')
    ;(await listener.accept()).resume().end()
    await ended
  }
  const { reason, upstream } = await relay.record(0)
  assert.deepEqual([reason, upstream], ['half_close_timeout', `127.0.0.1:${routed.port}`])
})

test('a route has its own time until the kernel asks after silent peers', async t => {
  const [own, routed] = await two(t)
  const { client } = await scene(t, {
    service: {},
    route: { timeouts: { keepAlive: 9_000 } },
    upstreams: [[to(own)], [to(routed)]],
  })
  const calls = keepAliveCalls(t)
  await client(NAME)
  await until(() => calls.length === 2)
  assert.deepEqual(calls, [
    [true, 9_000],
    [true, 9_000],
  ])
})
