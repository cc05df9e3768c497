// Which changes of a member are reported, and how often.

import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { ChangeNotices, type Notice } from '../../../../src/relay/upstreams/health/change-notices.ts'

const failure = { code: 'connect_refused', message: 'refused' } as const

interface Harness {
  readonly notices: ChangeNotices
  readonly told: Notice[]
  readonly down: (at: number) => void
  readonly up: (at: number) => void
  readonly pass: (milliseconds: number) => void
}

function harness(t: TestContext): Harness {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const told: Notice[] = []
  const notices = new ChangeNotices(notice => told.push(notice))
  return {
    ...{ notices, told },
    down: at => notices.changed({ isUp: false, at, failure }),
    up: at => notices.changed({ isUp: true, at }),
    pass: milliseconds => t.mock.timers.tick(milliseconds),
  }
}

test('each change is told at once where nothing was told within a second', t => {
  const { told, down, up, pass } = harness(t)
  down(1)
  assert.deepEqual(told, [{ kind: 'down', failure }])
  pass(1_000)
  up(5_001)
  assert.deepEqual(told.slice(1), [{ kind: 'up', downFor: 5_000 }])
})

test('a member that flaps a thousand times within a second is reported once, and then as it is', t => {
  const { told, down, up, pass } = harness(t)
  for (let i = 0; i < 1_000; i++) {
    down(2 * i)
    up(2 * i + 1)
  }
  assert.equal(told.length, 1)
  pass(1_000)
  assert.deepEqual(told.slice(1), [{ kind: 'up', downFor: 1_999 }])
  pass(10_000)
  assert.equal(told.length, 2)
})

test('one that has its reported state when the second is over is not reported again', t => {
  const { told, down, up, pass } = harness(t)
  down(1)
  up(2)
  down(3)
  pass(10_000)
  assert.equal(told.length, 1)
  up(20_000)
  assert.deepEqual(told.slice(1), [{ kind: 'up', downFor: 19_999 }])
})

test('the end tells what was held back, and nothing after it', t => {
  const { notices, told, down, up, pass } = harness(t)
  notices.stop()
  assert.deepEqual(told, [])
  notices.begin(undefined)
  down(1)
  up(2)
  notices.stop()
  assert.equal(told.length, 2)
  down(3)
  pass(10_000)
  assert.equal(told.length, 2)
})

test('what was told elsewhere is not told again', t => {
  const { notices, told, down, up } = harness(t)
  notices.begin(100)
  down(200)
  assert.deepEqual(told, [])
  up(400)
  assert.deepEqual(told, [{ kind: 'up', downFor: 300 }])
})
