import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Distribution } from '../../src/figures/index.ts'

test('a distribution counts each value in the first range that takes it, bounds included', () => {
  const distribution = new Distribution([1, 10])
  for (const value of [0, 1, 1.5, 10, 11, 1_000]) distribution.add(value)
  const { bounds, counts, sum } = distribution.view()
  assert.deepEqual({ bounds, counts, sum }, { bounds: [1, 10], counts: [2, 2, 2], sum: 1_023.5 })
})
