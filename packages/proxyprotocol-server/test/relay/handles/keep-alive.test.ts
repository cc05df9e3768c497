// Keep-alive of connections on handles, in a process whose timer has not begun.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { chunk, dial, listen } from '../../support/connections.ts'
import { flowsOf, startOnHandles } from '../../support/handles.ts'

test('keep-alive starts on both sides of a connection that lasts', async t => {
  t.mock.timers.enable({ apis: ['setInterval'] })
  const upstream = await listen(t)
  const relay = await startOnHandles(t, `127.0.0.1:${upstream.port}?pp=noop`)
  const client = dial(t, relay.port)
  const far = await upstream.accept()
  far.write('hello')
  await chunk(client)
  const { up, down } = flowsOf(relay)
  const calls: unknown[][] = []
  for (const { from } of [up, down]) {
    assert.ok(from)
    t.mock.method(from, 'setKeepAlive', (...args: unknown[]) => calls.push(args))
  }
  t.mock.timers.tick(1_000)
  assert.deepEqual(calls, [])
  t.mock.timers.tick(1_000)
  assert.deepEqual(calls, [
    [true, 60],
    [true, 60],
  ])
  t.mock.timers.tick(1_000)
})
