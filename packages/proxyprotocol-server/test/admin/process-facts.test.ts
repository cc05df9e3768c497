// The process itself, at moments that the test chooses.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { until } from 'test-support/sockets'
import { openFiles, ProcessFacts } from '../../src/admin/process-facts.ts'
import { atEnd } from '../support/teardown.ts'

/** Keeps the event loop from coming round. */
function block(milliseconds: number): void {
  const end = performance.now() + milliseconds
  while (performance.now() < end);
}

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
