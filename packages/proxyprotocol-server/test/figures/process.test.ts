import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sumOfProcesses } from '../../src/figures/index.ts'
import { processFigures as facts } from '../support/figures.ts'

test('processes are shown as one, identified by the first; what one does not know, none does', () => {
  const others = [
    { ...facts, pid: 2, cpu: 5, openFiles: 2, eventLoopDelay: { p50: 9, p99: 1, max: 9 } },
    { ...facts, maxFiles: undefined },
  ]
  assert.deepEqual(others.reduce(sumOfProcesses, facts), {
    ...facts,
    ...{ cpu: 25, residentMemory: 60, heapUsed: 90, openFiles: 82, maxFiles: undefined },
    eventLoopDelay: { p50: 9, p99: 2, max: 9 },
  })
  assert.equal(sumOfProcesses({ ...facts, maxFiles: undefined }, facts).maxFiles, undefined)
})
