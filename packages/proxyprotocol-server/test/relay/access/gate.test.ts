// A relay that limits how fast a client may connect, and how many connections it has.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { until } from 'test-support/sockets'
import type { ServiceOptions } from '../../../src/config/index.ts'
import { startRelay } from '../../support/relay.ts'
import { dial, listen, outcome } from '../../support/connections.ts'

for (const [overLimit, end] of [
  ['close', { fin: true, error: undefined }],
  ['pause', { fin: true, error: undefined }],
  ['reset', { fin: false, error: 'ECONNRESET' }],
] as const) {
  test(`a connection above the rate follows overLimit "${overLimit}", is counted as limit_rate, and never reaches the upstream`, async t => {
    const upstream = await listen(t)
    const rate = { connections: 1, per: '1h', burst: 2 }
    const relay = await startRelay(t, `127.0.0.1:${upstream.port}?pp=noop`, { rate, overLimit })
    for (let i = 0; i < 2; i++) {
      dial(t, relay.port)
      await upstream.accept()
    }
    const { fin, error } = await outcome(dial(t, relay.port))
    assert.deepEqual({ fin, error }, end)
    await until(() => relay.server.stats().closed.limit_rate === 1)
    assert.equal(upstream.accepted, 2)
  })
}

test('a client that allow and deny refuse takes nothing of its rate', async t => {
  const upstream = await listen(t)
  const options: ServiceOptions = { deny: ['127.0.0.1'], rate: { connections: 1, per: '1h' } }
  const relay = await startRelay(t, `127.0.0.1:${upstream.port}?pp=noop`, options)
  for (let i = 0; i < 3; i++) await outcome(dial(t, relay.port))
  await until(() => relay.server.stats().closed.denied_acl === 3)
})

test('rate.exempt frees a network of the rate and of limits.perSource', async t => {
  const upstream = await listen(t)
  const options: ServiceOptions = {
    rate: { connections: 1, per: '1h', exempt: ['127.0.0.0/8'] },
    limits: { perSource: 1 },
  }
  const relay = await startRelay(t, `127.0.0.1:${upstream.port}?pp=noop`, options)
  for (let i = 0; i < 3; i++) {
    dial(t, relay.port)
    await upstream.accept()
  }
})

test('totals() shows the connections of the busiest source while limits.perSource counts them', async t => {
  const upstream = await listen(t)
  const relay = await startRelay(t, `127.0.0.1:${upstream.port}?pp=noop`, { limits: { perSource: 9 } })
  for (let i = 0; i < 2; i++) {
    dial(t, relay.port)
    await upstream.accept()
  }
  assert.equal(relay.totals().busiestSource, 2)
})
