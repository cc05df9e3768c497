// What is thought of a member, with a clock that stands until the test moves it.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { settlePool, parseAddress, type PoolInit } from '../../../../src/config/index.ts'
import { Judge, type Failure, type JudgeChange } from '../../../../src/relay/upstreams/health/judge.ts'

const HEALTH = { fails: 3, window: 1_000, cooldown: 5_000 }
const CHECKED = { ...HEALTH, check: { interval: 5_000, timeout: 2_000, rise: 2, fall: 3 } }
const REFUSED: Failure = { code: 'connect_refused', message: 'refused' }
const SILENT: Failure = { code: 'connect_timeout', message: 'silent' }

interface Harness {
  readonly judge: Judge
  readonly clock: { now: number }
  readonly changes: readonly JudgeChange[]
  /** f and p: a check has failed or passed; F and P: a connection has. Gives the first letter of the state after each. */
  readonly feed: (results: string) => string
}

function harness(health: PoolInit['health'] = HEALTH): Harness {
  const upstreams = [{ address: parseAddress('192.0.2.1:80', { role: 'upstream' }) }]
  const settled = settlePool({ upstreams, health })
  const check = settled.upstreams[0]?.check
  const clock = { now: 1 }
  const changes: JudgeChange[] = []
  const judge = new Judge({
    ...settled,
    check,
    now: () => clock.now,
    onChange: change => changes.push(change),
  })
  const act: Readonly<Record<string, () => void>> = {
    f: () => judge.checked(SILENT),
    p: () => judge.checked(undefined),
    F: () => judge.failed(REFUSED),
    P: () => judge.connected(),
  }
  return {
    ...{ judge, clock, changes },
    feed: results =>
      [...results]
        .map(result => {
          act[result]?.()
          return judge.state[0]
        })
        .join(''),
  }
}

test('a member is up until so many connections in a row have failed', () => {
  assert.equal(harness().feed('FFF'), 'uud')
})

test('a connection that stands ends the row', () => {
  assert.equal(harness().feed('FFPFFP'), 'uuuuuu')
})

test('failures that lie further apart than the window are no row', () => {
  const { feed, clock } = harness()
  for (const at of [0, 600, 1_200, 1_800]) {
    clock.now = at
    assert.equal(feed('F'), 'u', `${at}`)
  }
  clock.now = 2_000
  assert.equal(feed('F'), 'd')
})

test('with fails 0 nothing marks a member, and its last failure is known all the same', () => {
  const { judge, feed } = harness({ ...HEALTH, fails: 0 })
  assert.equal(feed('FFFFf'), 'uuuuu')
  assert.deepEqual([judge.evidence.lastFailure?.at, judge.evidence.failedAt], [1, 1])
})

test('time alone takes no mark away: without checks one good try does, or a connection that stands', () => {
  for (const good of ['p', 'P']) {
    const { feed, clock, judge } = harness()
    feed('FFF')
    clock.now = 1_000_000
    assert.equal(judge.state, 'down')
    assert.equal(feed(`fF${good}`), 'ddu')
  }
})

test('failed checks in a row bring a member down, good ones up again; the first good one is probing', () => {
  assert.equal(harness({ ...CHECKED, fails: 0 }).feed('ffpfffpfpp'), 'uuuuudpdpu')
})

test('a failed connection counts toward the fall, and only a check completes it', () => {
  assert.equal(harness({ ...CHECKED, fails: 0 }).feed('FFFFF'), 'uuuuu')
  assert.equal(harness({ ...CHECKED, fails: 0 }).feed('FFf'), 'uud')
  assert.equal(harness({ ...CHECKED, fails: 0 }).feed('fFf'), 'uud')
})

test('a connection that stands, or a good check, takes failed connections out of the fall', () => {
  assert.equal(harness({ ...CHECKED, fails: 0 }).feed('FFPff'), 'uuuuu')
  assert.equal(harness({ ...CHECKED, fails: 0 }).feed('FFpff'), 'uuuuu')
  assert.equal(harness({ ...CHECKED, fails: 0 }).feed('fPff'), 'uuud', 'but no check')
})

test('a failed check counts toward the mark, and a good one ends its row', () => {
  assert.equal(harness({ ...CHECKED, check: { fall: 100 } }).feed('FfF'), 'uud')
  assert.equal(harness({ ...CHECKED, check: { fall: 100 } }).feed('FfpFf'), 'uuuuu')
})

test('a mark does not reset the row of failed checks', () => {
  const { judge, feed } = harness(CHECKED)
  assert.equal(feed('ffF'), 'uud')
  assert.deepEqual([judge.evidence.marked, judge.evidence.verdict], [true, 'up'])
  feed('f')
  assert.equal(judge.evidence.verdict, 'down')
})

test('good checks take a mark away, those before it left out', () => {
  assert.equal(harness(CHECKED).feed('pppppFFFpp'), 'uuuuuuudpu')
})

test('a connection that stands takes a mark away, and does not overrule the checks', () => {
  assert.equal(harness(CHECKED).feed('FFFP'), 'uudu')
  assert.equal(harness({ ...CHECKED, fails: 0 }).feed('fffPP'), 'uuddd')
})

test('a member that is condemned is down whatever comes, until it is acquitted', () => {
  const { judge, feed } = harness(CHECKED)
  judge.condemn({ code: 'dns_error', message: 'stale' })
  assert.equal(judge.isHealthy, false)
  assert.equal(feed('Ppp'), 'dpp')
  judge.acquit()
  assert.deepEqual([judge.state, judge.isHealthy, judge.evidence.lastFailure], ['up', true, undefined])
})

test('each change is told once, with what has caused it', () => {
  const { feed, clock, changes } = harness(CHECKED)
  feed('FFF')
  clock.now = 500
  feed('fff')
  clock.now = 9_000
  feed('ppp')
  const [down, up, ...others] = changes
  assert.ok(down && !down.isUp)
  assert.deepEqual([down.at, down.failure.code], [1, 'connect_refused'])
  assert.deepEqual([up, others], [{ isUp: true, at: 9_000 }, []])
})

test('a successor begins with what was known, without telling of it', () => {
  const before = harness(CHECKED)
  before.feed('FFFff')
  const { judge, feed, changes } = harness(CHECKED)
  judge.inherit(before.judge.evidence)
  assert.deepEqual([judge.state, judge.evidence, changes], ['down', before.judge.evidence, []])
  assert.equal(feed('pp'), 'pu')
  assert.deepEqual(changes, [{ isUp: true, at: 1 }])
})

test('a successor does not take over what its own rules could never take back', () => {
  const before = harness(CHECKED)
  before.feed('FFFfff')
  const unchecked = harness()
  unchecked.judge.inherit(before.judge.evidence)
  assert.deepEqual([unchecked.judge.evidence.marked, unchecked.judge.isHealthy], [true, true])
  const neither = harness({ ...HEALTH, fails: 0 })
  neither.judge.inherit(before.judge.evidence)
  assert.deepEqual([neither.judge.state, neither.judge.evidence.downSince], ['up', undefined])
})
