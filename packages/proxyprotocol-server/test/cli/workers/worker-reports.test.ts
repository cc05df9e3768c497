// What several workers report, as one; with reports that no program of a test comes to by itself.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { WorkerReport } from '../../../src/cli/workers/worker-messages.ts'
import { WorkerReports } from '../../../src/cli/workers/worker-reports.ts'
import { noTotals, type ServiceFigures } from '../../../src/figures/index.ts'
import { Tally } from '../../../src/relay/datagrams/tally.ts'
import { liveConnection, processFigures, refusal, serviceFigures } from '../../support/figures.ts'

/** A service with so many connections that are open. */
function service(name: string, active: number, more: Partial<ServiceFigures> = {}): ServiceFigures {
  return serviceFigures(name, { totals: { ...noTotals, accepted: active, active }, ...more })
}

function report(services: readonly ServiceFigures[], more: Partial<WorkerReport> = {}): WorkerReport {
  return {
    ...{ readiness: 'ready', services, connections: undefined, refusals: [], lostLogLines: 1 },
    process: processFigures,
    ...more,
  }
}

function only(services: Iterable<ServiceFigures>): ServiceFigures {
  const [one, ...others] = services
  assert.deepEqual(others, [])
  return one ?? assert.fail()
}

test('each configured service is the sum over all workers that report it', () => {
  const reports = new WorkerReports<number>()
  reports.add(1, report([service('a', 3), service('b', 1)]))
  reports.add(2, report([service('a', 4)]))
  assert.equal(only(reports.services([{ name: 'a' }])).totals.active, 7)
  assert.deepEqual([...reports.services([{ name: 'unknown' }])], [])
  assert.deepEqual([reports.active, reports.lostLogLines], [8, 2])
})

test('the counters of a worker stay when it has ended', () => {
  const reports = new WorkerReports<number>()
  for (const worker of [1, 2]) {
    reports.add(worker, report([service('a', 3)]))
    reports.remove(worker)
  }
  reports.remove(3) // it never reported
  reports.add(4, report([service('a', 4)]))
  const { accepted, active, closed } = only(reports.services([{ name: 'a' }])).totals
  assert.deepEqual([accepted, active, closed.aborted], [10, 4, 6])
  assert.deepEqual([reports.active, reports.lostLogLines], [4, 3])
  assert.equal(reports.allProcesses(processFigures).cpu, 40)
  reports.remove(4)
  const { totals, state } = only(reports.services([{ name: 'a' }]))
  assert.deepEqual([totals.accepted, state, reports.readiness()], [10, 'closed', 'starting'])
})

test('refusals of all workers are one list by time, and stay when a worker has ended', () => {
  const reports = new WorkerReports<number>()
  const refusals = (...times: readonly number[]) => times.map(time => refusal({ time }))
  const times = (): readonly number[] => reports.refusals.map(({ time }) => time)
  reports.add(1, report([], { refusals: refusals(8, 3) }))
  reports.add(2, report([], { refusals: refusals(9, 5) }))
  assert.deepEqual(times(), [9, 8, 5, 3])
  reports.remove(1)
  assert.deepEqual(times(), [9, 8, 5, 3])
  reports.add(2, report([], { refusals: refusals(10, 9, 5) }))
  assert.deepEqual(times(), [10, 9, 8, 5, 3])
})

test('all workers are ready as soon as one is, and drain as soon as one does', () => {
  const reports = new WorkerReports<number>()
  const readiness = (...states: readonly WorkerReport['readiness'][]): unknown => {
    for (const [worker, each] of states.entries()) reports.add(worker, report([], { readiness: each }))
    return reports.readiness()
  }
  assert.equal(readiness('starting', 'starting'), 'starting')
  assert.equal(readiness('starting', 'ready'), 'ready')
  assert.equal(readiness('no_upstream', 'ready'), 'ready')
  assert.equal(readiness('starting', 'no_upstream'), 'no_upstream')
  assert.equal(readiness('draining', 'ready'), 'draining')
})

test('a service of UDP that is needed and has no upstream makes all not ready, because one worker serves it', () => {
  const reports = new WorkerReports<number>()
  const datagrams = new Tally().figures({ opened: 0, active: 0, confirmed: 0, ended: {} as never }) // not looked at
  const dns = service('dns/udp://:53', 0, {
    datagrams: { ...datagrams, kernelDrops: undefined },
    upstreams: [],
  })
  reports.add(1, report([service('web', 0, { upstreams: [] })]))
  reports.add(2, report([service('web', 0), dns], { readiness: 'no_upstream' }))
  assert.equal(reports.readiness(['web']), 'ready')
  assert.equal(reports.readiness(['web', 'dns']), 'no_upstream')
  reports.add(2, report([{ ...dns, upstreams: service('web', 0).upstreams }]))
  assert.equal(reports.readiness(['dns']), 'ready')
})

test('a report without connections keeps those that were listed last, the oldest first', () => {
  const reports = new WorkerReports<number>()
  const list = (age: number): Partial<WorkerReport> => ({
    connections: new Map([['a', [liveConnection({ age })]]]),
  })
  reports.add(1, report([service('a', 1)], list(5)))
  reports.add(1, report([service('a', 1)]))
  reports.add(2, report([service('a', 1)], list(9)))
  reports.add(3, report([service('a', 1)]))
  assert.deepEqual(
    reports.connections('a').map(({ age }) => age),
    [9, 5],
  )
  assert.deepEqual(reports.connections('b'), [])
})
