// What happens to open connections when checks find their upstream down, or its address leaves its name.

import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { until } from 'test-support/sockets'
import type { ServiceOptions } from '../../src/config/index.ts'
import { dial, listen, outcome } from '../support/connections.ts'
import { startRelay } from '../support/relay.ts'

/** A relay with one open connection, whose upstream fails its next check. */
async function opened(t: TestContext, onDown: 'keep' | 'reset') {
  const [upstream, checked] = [await listen(t), await listen(t)]
  const check = { type: 'redis', port: checked.port, interval: 1, fall: 1 } as const
  const health: ServiceOptions['health'] = { onDown, check }
  const relay = await startRelay(t, `127.0.0.1:${upstream.port}?pp=noop`, { health })
  const client = dial(t, relay.port)
  const far = await upstream.accept()
  const socket = await checked.accept()
  socket.end('-LOADING\r\n')
  await until(() => relay.upstreams().upstreams[0]?.state === 'down')
  return { relay, client, far }
}

test('onDown reset: connections of an upstream that its checks find down are reset, reason aborted', async t => {
  const { relay, client, far } = await opened(t, 'reset')
  const ends = await Promise.all([outcome(client), outcome(far)])
  assert.deepEqual(
    ends.map(({ error }) => error),
    ['ECONNRESET', 'ECONNRESET'],
  )
  const { reason, error } = await relay.record()
  assert.equal(reason, 'aborted')
  assert.match(String(error?.message), /the upstream is down, expected \+PONG, got "-LOADING"$/)
})

test('onDown keep: connections of an upstream that its checks find down go on', async t => {
  const { client, far } = await opened(t, 'keep')
  client.end('still here')
  far.end()
  assert.equal(String((await outcome(far)).bytes), 'still here')
})

test('resolve.drain: connections to an address that has left its name are reset, reason upstream_removed', async t => {
  const upstream = await listen(t)
  let address = '127.0.0.1'
  const relay = await startRelay(t, `app.test:${upstream.port}?pp=noop`, {
    resolve: { interval: 1, drain: 1 },
    resolver: async () => [{ address, family: 4 }],
  })
  const client = dial(t, relay.port)
  const far = await upstream.accept()
  address = '127.0.0.2'
  const ends = await Promise.all([outcome(client), outcome(far)])
  assert.deepEqual(
    ends.map(({ error }) => error),
    ['ECONNRESET', 'ECONNRESET'],
  )
  assert.equal((await relay.record()).reason, 'upstream_removed')
})
