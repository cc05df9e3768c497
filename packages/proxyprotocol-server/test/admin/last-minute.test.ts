// The last sixty seconds of a set of sums.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Minute } from '../../src/admin/last-minute.ts'
import type { Sums } from '../../src/figures/index.ts'

const zero: Sums = { accepted: 0, closed: 0, errors: 0, bytesUp: 0, bytesDown: 0 }

test('each second holds what came since the one before, and there are always sixty', () => {
  const minute = new Minute({ ...zero, accepted: 100, bytesUp: 5_000 })
  assert.deepEqual(minute.view().accepted, new Array(60).fill(0), 'what was before is not part of it')
  const sums: Sums = { accepted: 103, closed: 2, errors: 1, bytesUp: 5_100, bytesDown: 7 }
  minute.add(sums)
  minute.add(sums)
  const { accepted, closed, errors, bytesUp, bytesDown } = minute.view()
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
  for (let i = 0; i < 59; i++) minute.add(sums)
  assert.deepEqual(minute.view().accepted, new Array(60).fill(0))
})

test('a service that is removed does not count as negative traffic', () => {
  const minute = new Minute({ ...zero, bytesUp: 5_000 })
  minute.add(zero)
  assert.equal(minute.view().bytesUp.at(-1), 0)
})
