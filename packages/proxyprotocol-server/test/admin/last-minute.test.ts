// The last sixty seconds and the process, at moments that the test chooses.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { until } from 'test-support/sockets'
import { MinuteWatch } from '../../src/admin/last-minute.ts'
import { openFiles, ProcessFacts } from '../../src/admin/process-facts.ts'
import type { Sums } from '../../src/figures/index.ts'
import { atEnd } from '../support/teardown.ts'

/** Keeps the event loop from coming round. */
function block(milliseconds: number): void {
  const end = performance.now() + milliseconds
  while (performance.now() < end);
}

const zero: Sums = { accepted: 0, closed: 0, errors: 0, bytesUp: 0, bytesDown: 0 }

test('each second holds what came since the one before, and there are always sixty', t => {
  let sums: Sums = { ...zero, accepted: 100, bytesUp: 5_000 }
  const watch = new MinuteWatch(() => sums)
  atEnd(t, () => {
    watch.stop()
  })
  assert.deepEqual(watch.view().accepted, new Array(60).fill(0), 'what was before the watch is no part of it')
  sums = { accepted: 103, closed: 2, errors: 1, bytesUp: 5_100, bytesDown: 7 }
  watch.look()
  watch.look()
  const { accepted, closed, errors, bytesUp, bytesDown } = watch.view()
  const lasts = [accepted, closed, errors, bytesUp, bytesDown].map(series => [
    series.length,
    series.at(-2),
    series.at(-1),
  ])
  assert.deepEqual(lasts, [
    [60, 3, 0],
    [60, 2, 0],
    [60, 1, 0],
    [60, 100, 0],
    [60, 7, 0],
  ])
  for (let i = 0; i < 59; i++) watch.look()
  assert.deepEqual(watch.view().accepted, new Array(60).fill(0))
})

test('a service that is taken away is no negative traffic', t => {
  let sums: Sums = { ...zero, bytesUp: 5_000 }
  const watch = new MinuteWatch(() => sums)
  atEnd(t, () => {
    watch.stop()
  })
  sums = zero
  watch.look()
  assert.equal(watch.view().bytesUp.at(-1), 0)
})

test('it looks once a second, until it is stopped', t => {
  t.mock.timers.enable({ apis: ['setInterval'] })
  let reads = 0
  const watch = new MinuteWatch(() => {
    reads++
    return zero
  })
  t.mock.timers.tick(3_000)
  assert.equal(reads, 4)
  watch.stop()
  t.mock.timers.tick(3_000)
  assert.equal(reads, 4)
})

test('the process tells its age, memory and open files, and how late its event loop came round', async t => {
  const facts = new ProcessFacts()
  atEnd(t, () => {
    facts.stop()
  })
  for (let max = 0; max < 100; max = (await facts.view()).eventLoopDelay.max) {
    block(200)
    await turn()
  }
  const { pid, node, startedAt, uptime, cpu, residentMemory, heapUsed, eventLoopDelay } = await facts.view()
  assert.deepEqual([pid, node], [process.pid, process.version])
  assert.ok(Math.abs(Date.parse(startedAt) + uptime - Date.now()) < 1_000)
  assert.ok(cpu > 0 && residentMemory > heapUsed && heapUsed > 0)
  const { p50, p99, max } = eventLoopDelay
  assert.ok(max >= 100 && p99 <= max && p50 <= p99 && p50 >= 0, JSON.stringify(eventLoopDelay))
})

test('where the memory cannot be read, for want of a descriptor, it is what was read last', async t => {
  const facts = new ProcessFacts()
  atEnd(t, () => {
    facts.stop()
  })
  const { residentMemory, heapUsed } = await facts.view()
  t.mock.method(process, 'memoryUsage', () => {
    throw Object.assign(new Error('EMFILE: too many open files, uv_resident_set_memory'), { code: 'EMFILE' })
  })
  const view = await facts.view()
  assert.deepEqual([view.residentMemory, view.heapUsed], [residentMemory, heapUsed])
})

test('the event loop is measured anew each minute, and nothing is told before the first look', async t => {
  const facts = new ProcessFacts(1)
  const first = new ProcessFacts()
  atEnd(t, () => {
    facts.stop()
    first.stop()
  })
  assert.deepEqual((await first.view()).eventLoopDelay, { p50: 0, p99: 0, max: 0 })
  for (let max = 0; max === 0; max = (await first.view()).eventLoopDelay.max) {
    block(100)
    await turn()
  }
  const end = performance.now() + 50
  await until(() => performance.now() > end)
  assert.ok((await facts.view()).eventLoopDelay.max < (await first.view()).eventLoopDelay.max)
})

test('the number of open files is undefined where the system does not tell', async () => {
  assert.equal(await openFiles('/nonexistent'), undefined)
})
