// What metrics and statistics say of upstreams that get no connections: one route is out, an upstream is drained.

import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { closedPort } from 'test-support/sockets'
import type { StatsDocument } from '../../src/figures/index.ts'
import { runServer } from '../../src/cli/index.ts'
import { configFile } from '../support/config-file.ts'
import { ask } from '../support/http.ts'
import { start } from '../support/program.ts'
import { dial, listen } from '../support/connections.ts'

interface Program {
  readonly port: number
  readonly stats: () => Promise<StatsDocument>
  /** Values of a metric about upstreams, by the rest of its labels. */
  readonly values: (name: string) => Promise<Readonly<Record<string, number>>>
}

/** The program with one service, whose upstreams are checked all the time. */
async function startProgram(t: TestContext, service: object): Promise<Program> {
  const health = { check: { interval: 1, fall: 1 } }
  const services = [{ name: 'web', listen: '127.0.0.1:0', health, ...service }]
  const file = configFile(t, { services, admin: { listen: '127.0.0.1:0' } })
  const { io, ports } = await start(t, runServer, ['--config', file])
  const port = Number(/ admin address=127\.0\.0\.1:(\d+)/.exec(io.written.join(''))?.[1])
  return {
    port: ports[0] ?? assert.fail(),
    stats: async () => JSON.parse((await ask(port, '/stats.json')).body) as StatsDocument,
    values: async name => {
      const { body } = await ask(port, '/metrics')
      const lines = body.matchAll(
        new RegExp(`^proxyprotocol_upstream_${name}\\{service="web",(.*)\\} (.*)$`, 'gm'),
      )
      return Object.fromEntries([...lines].map(([, labels = '', value]) => [labels, Number(value)]))
    },
  }
}

/** Resolves when checks have brought an upstream down. */
async function isDown({ stats }: Program, name: string): Promise<void> {
  for (;;) {
    const { services } = await stats()
    if (services[0]?.upstreams.some(each => each.name === name && each.state === 'down')) return
  }
}

test('connections that wait for an upstream with room are shown by route', async t => {
  const upstream = await listen(t)
  const upstreams = [{ address: `127.0.0.1:${upstream.port}?pp=noop`, maxConnections: 1 }]
  const { port, stats, values } = await startProgram(t, { upstreams, health: {} })
  assert.deepEqual(await values('connections_queued'), { 'route="*"': 0 })
  for (let i = 0; i < 2; i++) dial(t, port)
  for (;;) {
    const [service] = (await stats()).services
    if (service?.queues[0]?.waiting === 1) break
  }
  assert.deepEqual(await values('connections_queued'), { 'route="*"': 1 })
})

test('each metric of an upstream names its route, so that one route without an upstream can be seen', async t => {
  const upstream = `127.0.0.1:${(await listen(t)).port}?pp=noop`
  const routes = [
    {
      names: ['*.a.example', 'a.example'],
      upstreams: [{ name: 'a', address: `127.0.0.1:${await closedPort()}` }],
    },
    { names: ['b.example'], upstreams: [{ name: 'b', address: upstream }] },
  ]
  const upstreams = [{ name: 'rest', address: upstream }]
  const program = await startProgram(t, { upstreams, passthrough: { routes } })
  await isDown(program, 'a')
  assert.deepEqual(await program.values('up'), {
    'route="*",upstream="rest"': 1,
    'route="*.a.example",upstream="a"': 0,
    'route="b.example",upstream="b"': 1,
  })
  for (const name of ['drained', 'connections_active', 'connections_total', 'failures_total']) {
    assert.deepEqual(
      await program.values(name),
      {
        'route="*",upstream="rest"': 0,
        'route="*.a.example",upstream="a"': 0,
        'route="b.example",upstream="b"': 0,
      },
      name,
    )
  }
  const { services } = await program.stats()
  assert.deepEqual(
    services[0]?.upstreams.map(({ name, route }) => [name, route]),
    [
      ['rest', '*'],
      ['a', '*.a.example'],
      ['b', 'b.example'],
    ],
  )
})

test('an upstream with weight 0 is drained and not up, whatever its checks say', async t => {
  const program = await startProgram(t, {
    upstreams: [
      { name: 'used', address: `127.0.0.1:${await closedPort()}` },
      { name: 'good', address: `127.0.0.1:${(await listen(t)).port}`, weight: 0 },
      { name: 'dead', address: `127.0.0.1:${await closedPort()}`, weight: 0 },
    ],
  })
  await isDown(program, 'used')
  assert.deepEqual(Object.values(await program.values('up')), [0, 0, 0])
  assert.deepEqual(Object.values(await program.values('drained')), [0, 1, 1])
  const { services } = await program.stats()
  assert.deepEqual(
    services[0]?.upstreams.map(({ state }) => state),
    ['down', 'drained', 'drained'],
  )
})
