// The admin listener as the program wires it to its relays.

import assert from 'node:assert/strict'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { closedPort, until } from 'test-support/sockets'
import type { StatsDocument } from '../../../src/figures/index.ts'
import { shownOf, startAdmin } from '../../../src/cli/services/admin.ts'
import { parseConfig } from '../../../src/config/index.ts'
import { createRelay, Fleet, type Relay, type Resolve } from '../../../src/relay/index.ts'
import { portIn } from '../../support/child.ts'
import { ask } from '../../support/http.ts'
import { fakeIo } from '../../support/program.ts'
import { dial, listen } from '../../support/connections.ts'
import { atEnd } from '../../support/teardown.ts'

test('/readyz says starting without a relay, and ready with one', async t => {
  const { admin: settings, services } = parseConfig({
    admin: { listen: '127.0.0.1:0' },
    services: [{ listen: '127.0.0.1:0', upstream: '127.0.0.1:1' }],
  })
  const fleet = new Fleet({ create: service => createRelay(service) })
  const io = fakeIo()
  const admin = await startAdmin(io, settings ?? assert.fail(), shownOf(io, fleet))
  atEnd(t, () => admin.close())
  const url = `http://127.0.0.1:${portIn(await io.line(/ admin /))}/readyz`
  const before = await fetch(url)
  assert.deepEqual([before.status, await before.json()], [503, { status: 'starting' }])
  atEnd(t, () => fleet.abort())
  await fleet.apply(services)
  const after = await fetch(url)
  assert.deepEqual([after.status, await after.json()], [200, { status: 'ready' }])
})

test('/readyz says no_upstream while a service that is needed has no upstream that is up, whatever others have', async t => {
  const far = await listen(t)
  const check = { interval: 1, fall: 1, rise: 1 }
  const down = { upstream: `127.0.0.1:${await closedPort()}`, health: { check } }
  const up = { upstream: `127.0.0.1:${far.port}?pp=noop` }
  const lists = { listen: ['127.0.0.1:0', '127.0.0.1:0'] }
  for (const [needs, status] of [
    [[], 'ready'],
    [['up'], 'ready'],
    [['up', 'down'], 'no_upstream'],
  ] as const) {
    const { services } = parseConfig({
      services: [
        { name: 'up', ...lists, ...up },
        { name: 'down', ...lists, ...down },
      ],
    })
    const fleet = new Fleet({ create: service => createRelay(service) })
    const { readiness } = shownOf(fakeIo(), fleet, { needs })
    assert.equal(readiness(), 'starting')
    await fleet.apply(services)
    await until(() => fleet.relays.every(isSettled))
    assert.equal(readiness(), status)
    await fleet.abort()
    assert.equal(readiness(), 'draining')
  }
})

/** Whether the checks have brought the upstream down, where there are any. */
function isSettled({ service, upstreams }: Relay): boolean {
  const isChecked = service.pool.upstreams.some(({ check }) => check)
  return !isChecked || upstreams().upstreams.every(({ state }) => state === 'down')
}

test('/stats.json and /metrics show the addresses of a name: each with its state, and none of them as a label', async t => {
  const far = await listen(t)
  const { admin: settings, services } = parseConfig({
    admin: { listen: '127.0.0.1:0' },
    services: [
      {
        ...{ name: 'web', listen: '127.0.0.1:0', upstream: `app.test:${far.port}?pp=noop` },
        health: { fails: 1, check: { interval: 1_000_000 } },
      },
    ],
  })
  const resolver: Resolve = async () => ['127.0.0.1', '127.0.0.2'].map(address => ({ address, family: 4 }))
  const fleet = new Fleet({ create: service => createRelay(service, { resolver }) })
  atEnd(t, () => fleet.abort())
  const io = fakeIo()
  const admin = await startAdmin(io, settings ?? assert.fail(), shownOf(io, fleet))
  atEnd(t, () => admin.close())
  await fleet.apply(services)
  const { port } = fleet.relays[0]?.server.address as AddressInfo
  for (let i = 0; i < 2; i++) {
    dial(t, port)
    await far.accept()
  }
  const at = portIn(await io.line(/ admin /))
  const stats = JSON.parse((await ask(at, '/stats.json')).body) as StatsDocument
  const [upstream = assert.fail()] = stats.services[0]?.upstreams ?? []
  const counts = { weight: 1, checks: { type: 'tcp', passed: 0, failed: 0 } }
  const [one, two] = upstream.members.map(({ lastFailure, ...member }) => ({
    ...member,
    code: lastFailure?.code,
  }))
  const good = { state: 'up', active: 2, total: 2, failures: 0, code: undefined }
  assert.deepEqual(one, { address: `127.0.0.1:${far.port}`, ...good, ...counts })
  const bad = { state: 'down', active: 0, total: 0, failures: 1, code: 'connect_refused' }
  assert.deepEqual(two, { address: `127.0.0.2:${far.port}`, ...bad, ...counts })
  const { age, ...resolution } = upstream.resolution ?? assert.fail()
  assert.equal(typeof age, 'number')
  assert.deepEqual(resolution, { answers: 1, failures: 0, lastFailure: null })
  const metrics = (await ask(at, '/metrics')).body
  const label = `service="web",route="*",upstream="app.test:${far.port}"`
  for (const [state, count] of Object.entries({ up: 1, probing: 0, drained: 0, down: 1, leaving: 0 })) {
    assert.ok(metrics.includes(`proxyprotocol_upstream_members{${label},state="${state}"} ${count}\n`), state)
  }
  assert.match(metrics, /\nproxyprotocol_upstream_answer_age_seconds\{.*\} [\d.e-]+\n/)
  assert.ok(metrics.includes(`proxyprotocol_upstream_member_changes_total{${label}} 0\n`))
  assert.ok(!metrics.includes('127.0.0.2'))
})
