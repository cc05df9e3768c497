// The past of services, at looks that the test takes.

import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { History } from '../../src/admin/history.ts'
import { noTotals, type ServiceFigures } from '../../src/figures/index.ts'
import { serviceFigures, upstreamFigures } from '../support/figures.ts'
import { atEnd } from '../support/teardown.ts'

/** A service with so many connections, which its upstreams share. */
function service(
  name: string,
  active: number,
  upstreams: Readonly<Record<string, number>> = {},
): ServiceFigures {
  return serviceFigures(name, {
    totals: { ...noTotals, accepted: active, active, bytesUp: 10 * active },
    upstreams: Object.entries(upstreams).map(([each, count]) =>
      upstreamFigures({ name: each, active: count }),
    ),
  })
}

/** A history, and a look at these services. */
async function startHistory(
  t: TestContext,
  first: readonly ServiceFigures[],
): Promise<{ history: History; look: (services: readonly ServiceFigures[]) => Promise<void> }> {
  t.mock.timers.enable({ apis: ['setInterval'] })
  let services = first
  const history = new History(
    () => services,
    error => assert.fail(String(error)),
  )
  atEnd(t, () => {
    history.stop()
  })
  await history.look() // the first one is not over
  await turn()
  return {
    history,
    look: async next => {
      services = next
      await history.look()
    },
  }
}

test('the history of a service has its peaks, those of its upstreams, and a minute', async t => {
  const { history, look } = await startHistory(t, [service('web', 3, { a: 2, b: 1 })])
  await look([service('web', 5, { a: 1, b: 4 }), service('other', 9)])
  const peaks = (now: ServiceFigures): unknown => {
    const { peak, upstreamPeaks } = history.of(now)
    return [peak, ...upstreamPeaks.values()]
  }
  assert.deepEqual(peaks(service('web', 1, { a: 1, b: 0 })), [5, 2, 4])
  const present = service('web', 7, { b: 7, c: 1 })
  assert.deepEqual(peaks(present), [7, 7, 1], 'the present counts, and removed upstreams do not')
  const { lastMinute } = history.of(service('web', 0))
  assert.deepEqual([lastMinute.accepted.slice(-2), lastMinute.bytesUp.at(-1)], [[0, 2], 20])
  assert.deepEqual(history.lastMinute.accepted.slice(-2), [0, 11])
})

test('a new service counts with all that it has, except at the first look', async t => {
  const { history, look } = await startHistory(t, [service('old', 3)])
  await look([service('old', 3), service('new', 2)])
  const accepted = (name: string): unknown => history.of(service(name, 0)).lastMinute.accepted.slice(-2)
  assert.deepEqual(accepted('old'), [0, 0])
  assert.deepEqual(accepted('new'), [0, 2])
})

test('a removed service is forgotten, and a new one has no past', async t => {
  const { history, look } = await startHistory(t, [service('web', 5)])
  await look([])
  const { peak, lastMinute } = history.of(service('web', 1))
  assert.deepEqual([peak, lastMinute.accepted], [1, new Array(60).fill(0)])
})

test('it looks once a second, one look at a time, until it is stopped', async t => {
  t.mock.timers.enable({ apis: ['setInterval'] })
  let reads = 0
  const history = new History(
    () => {
      reads++
      return []
    },
    error => assert.fail(String(error)),
  )
  t.mock.timers.tick(1_000)
  assert.equal(reads, 1, 'the first look is not over')
  for (let seconds = 0; seconds < 3; seconds++) {
    await turn()
    t.mock.timers.tick(1_000)
  }
  assert.equal(reads, 4)
  history.stop()
  await turn()
  t.mock.timers.tick(3_000)
  assert.equal(reads, 4)
  assert.deepEqual(history.lastMinute.accepted, new Array(60).fill(0))
})

test('a look that fails is reported, and the next one is as any', async t => {
  t.mock.timers.enable({ apis: ['setInterval'] })
  const fault = new Error('a bug')
  const errors: unknown[] = []
  let broken = true
  const history = new History(
    () => {
      if (broken) throw fault
      return [service('web', 3)]
    },
    error => errors.push(error),
  )
  atEnd(t, () => {
    history.stop()
  })
  assert.deepEqual(history.lastMinute.accepted, new Array(60).fill(0), 'there was no look')
  await turn()
  assert.deepEqual(errors, [fault])
  broken = false
  await history.look()
  assert.equal(history.of(service('web', 0)).peak, 3)
})
