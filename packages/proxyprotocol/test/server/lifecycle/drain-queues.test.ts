// Accepting what waits in the kernel takes its time from the drain.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import type { Connection } from '../../../src/server/lifecycle/connection.ts'
import { Drain } from '../../../src/server/lifecycle/drain.ts'

test('clients that keep coming do not prolong a drain', async t => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  let now = 0
  t.mock.method(performance, 'now', () => now)
  let stopped: number | undefined
  const held = new Set<Connection>()
  const abort = (): void => held.clear()
  held.add({ id: 'a', state: 'open', abort } as Partial<Connection> as Connection) // what a drain uses
  const listener = {
    emptiesQueues: true,
    emptyQueues: async (goesOn: () => boolean) => {
      while (goesOn()) await Promise.resolve(now++)
    },
    close: () => (stopped = now),
  }
  const drain = Drain.closing({ held, abortTimeout: 0, listener, onOver: () => undefined }, { drain: 100 })
  while (stopped === undefined) await turn()
  await turn()
  t.mock.timers.tick(100 - stopped)
  assert.deepEqual(await drain.result, { drained: 0, forced: 1, stuck: [] })
  assert.equal(stopped, 50)
})
