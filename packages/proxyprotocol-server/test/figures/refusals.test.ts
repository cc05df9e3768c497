// The ring of the clients that were turned away last.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { closeReasons } from 'proxyprotocol/server'
import { adviceOn, isRefusal, LatestRefusals, mergedRefusals } from '../../src/figures/index.ts'
import { refusal } from '../support/figures.ts'

test('the latest refusals are kept, the newest first, and no more than 50', () => {
  const latest = new LatestRefusals()
  assert.deepEqual(latest.list, [])
  for (let time = 1; time <= 60; time++) latest.add(refusal({ time }))
  assert.deepEqual(
    latest.list.map(({ time }) => time),
    Array.from({ length: 50 }, (_, n) => 60 - n),
  )
})

test('a message is cut, because it may quote what the client has sent', () => {
  const latest = new LatestRefusals()
  latest.add(refusal({ message: 'x'.repeat(10_000) }))
  assert.equal(latest.list[0]?.message.length, 200)
})

test('the refusals of several processes are one list by time, and no more than 50', () => {
  const times = (...list: readonly number[]) => list.map(time => refusal({ time }))
  const merged = mergedRefusals([times(9, 5, 1), [], times(7, 6), times(...Array<number>(60).fill(2))])
  assert.deepEqual(
    merged.slice(0, 6).map(({ time }) => time),
    [9, 7, 6, 5, 2, 2],
  )
  assert.equal(merged.length, 50)
})

test('a refusal is an end by a rule or a limit of the service, and each has its advice', () => {
  const refusals = closeReasons.filter(isRefusal)
  assert.deepEqual(
    ['done', 'probe', 'client_reset', 'connect_refused', 'aborted'].filter(each =>
      refusals.includes(each as never),
    ),
    [],
  )
  const texts = refusals.map(reason => adviceOn(refusal({ reason })))
  assert.equal(new Set(texts).size, refusals.length)
  for (const text of texts) assert.match(text, /^[A-Z].*\.$/)
})
