// How the weight of a member rises.

import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { SlowStart } from '../../../../src/relay/upstreams/health/index.ts'

function harness(t: TestContext, duration: number) {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const shares: number[] = []
  const slowStart = new SlowStart(duration, share => shares.push(share))
  /** One by one, because a timer that is set meanwhile counts from the end of a tick. */
  function pass(milliseconds: number): void {
    for (let passed = 0; passed < milliseconds; passed++) t.mock.timers.tick(1)
  }
  return { shares, slowStart, pass }
}

const STEPS = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1]

test('a slow start begins with a tenth, and has the whole at the end of its time', t => {
  const { shares, slowStart, pass } = harness(t, 900)
  slowStart.begin()
  assert.deepEqual(shares, [0.1])
  pass(899)
  assert.equal(shares.at(-1), 0.9)
  pass(1)
  assert.deepEqual(shares, STEPS)
  pass(10_000)
  assert.equal(shares.length, STEPS.length)
})

test('without a duration nothing changes', t => {
  const { shares, slowStart } = harness(t, 0)
  slowStart.begin()
  slowStart.continue(slowStart)
  assert.deepEqual(shares, [])
})

test('a slow start that begins again begins with a tenth', t => {
  const { shares, slowStart, pass } = harness(t, 900)
  slowStart.begin()
  pass(300)
  slowStart.begin()
  pass(99)
  assert.deepEqual(shares, [0.1, 0.2, 0.3, 0.4, 0.1])
})

test('a slow start goes on where another one, or itself, was stopped', t => {
  const { shares, slowStart, pass } = harness(t, 900)
  slowStart.begin()
  pass(200)
  slowStart.stop()
  pass(10_000)
  assert.deepEqual(shares, [0.1, 0.2, 0.3])
  slowStart.continue(slowStart)
  pass(100)
  assert.deepEqual(shares.slice(3), [0.3, 0.4])
  const other: number[] = []
  const successor = new SlowStart(900, share => other.push(share))
  successor.continue(slowStart)
  pass(10_000)
  assert.deepEqual(other, STEPS.slice(3))
})

test('one that never began has its whole weight for its successor too', t => {
  const { shares, slowStart } = harness(t, 900)
  slowStart.continue(new SlowStart(900, () => undefined))
  assert.deepEqual(shares, [1])
})
