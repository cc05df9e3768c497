// What several workers report, as one; with reports that no program of a test comes to by itself.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ProcessView, ServiceView, UpstreamView } from '../../../src/admin/index.ts'
import type { ServiceReport, WorkerReport } from '../../../src/cli/workers/worker-messages.ts'
import { WorkerReports } from '../../../src/cli/workers/worker-reports.ts'
import { sumOfProcesses } from '../../../src/cli/workers/worker-sums.ts'
import { parseService } from '../../../src/config/index.ts'
import { createRelay } from '../../../src/relay/index.ts'

const { totals } = createRelay(parseService('127.0.0.1:0', '127.0.0.1:1'))

const facts: ProcessView = {
  ...{ pid: 1, node: 'v0', startedAt: '', uptime: 5, cpu: 10, residentMemory: 20, heapUsed: 30 },
  ...{ openFiles: 40, maxFiles: 50, eventLoopDelay: { p50: 1, p99: 2, max: 3 } },
}

/** A service with so many connections open and done. */
function service(name: string, count: number, more: Partial<ServiceReport> = {}): ServiceReport {
  const zero = totals()
  const upstream = { name: 'app', route: '*', address: '192.0.2.1:80', weight: 1, backup: false, state: 'up' }
  const counts = { active: count, total: 2 * count, failures: 1 }
  const member = { address: '192.0.2.1:80', weight: 1, state: 'up', ...counts }
  return {
    ...{ name, address: '127.0.0.1:1', upstream: 'app', sends: 'v2', expects: undefined, trust: [] },
    ...{ state: 'listening', timeouts: { idle: 7 }, dnsbl: { listed: count, clear: 0 } },
    limits: { connections: 100, perSource: Infinity, pendingHeaders: 10, headerBytes: 4_096 },
    totals: {
      ...zero,
      ...{ accepted: 2 * count, active: count, pending: 1, bytesUp: count },
      closed: { ...zero.closed, done: count },
    },
    connections: undefined,
    certificates: [],
    upstreams: [
      { ...upstream, ...counts, members: [member], memberChanges: 0, leftOut: 0, resolution: undefined },
    ],
    ...more,
  }
}

function report(services: readonly ServiceReport[], more: Partial<WorkerReport> = {}): WorkerReport {
  return { readiness: 'ready', services, lostLogLines: 1, process: facts, ...more }
}

function only(views: readonly ServiceView[]): ServiceView {
  assert.equal(views.length, 1)
  return views[0] ?? assert.fail()
}

test('what two workers count is added, and what is the same for both is shown once', () => {
  const reports = new WorkerReports<number>()
  reports.add(1, report([service('a', 3), service('b', 1)]))
  reports.add(2, report([service('a', 4)]))
  const view = only(reports.services([{ name: 'a' }]))
  const { accepted, active, closed, bytesUp } = view.totals()
  assert.deepEqual([accepted, active, closed.done, bytesUp], [14, 7, 7, 7])
  assert.deepEqual(view.limits, {
    connections: 200,
    perSource: Infinity,
    pendingHeaders: 20,
    headerBytes: 4_096,
  })
  assert.deepEqual(view.timeouts, { idle: 7 })
  assert.deepEqual(view.dnsbl, { listed: 7, clear: 0 })
  const [upstream] = view.upstreams()
  assert.deepEqual(
    [upstream?.state, upstream?.active, upstream?.total, upstream?.failures, upstream?.weight],
    ['up', 7, 14, 2, 1],
  )
  assert.deepEqual([reports.active, reports.lostLogLines], [8, 2])
})

test('what a worker had counted stays when it is gone, and its connections count as aborted', () => {
  const reports = new WorkerReports<number>()
  reports.add(1, report([service('a', 3)]))
  reports.add(2, report([service('a', 4)]))
  reports.remove(1)
  reports.remove(3) // one that never said anything
  reports.add(2, report([service('a', 4)]))
  const view = only(reports.services([{ name: 'a' }]))
  const { accepted, active, closed, pending } = view.totals()
  assert.deepEqual([accepted, active, closed.done, closed.aborted, pending], [14, 4, 7, 3, 1])
  assert.deepEqual([view.state, view.limits['connections']], ['listening', 100])
  assert.deepEqual(
    view.upstreams().map(upstream => [upstream.state, upstream.active, upstream.total]),
    [['up', 4, 14]],
  )
  assert.deepEqual([reports.active, reports.lostLogLines], [4, 2])
  assert.equal(reports.allProcesses(facts).cpu, 30)
  reports.remove(2)
  assert.deepEqual(only(reports.services([{ name: 'a' }])).totals().accepted, 14)
  assert.deepEqual([reports.readiness, only(reports.services([{ name: 'a' }])).state], ['starting', 'closed'])
})

test('what dead workers had counted adds up also for what a reload brought between their deaths', () => {
  const [app] = service('a', 1).upstreams
  const added = { ...(app ?? assert.fail()), name: 'added' }
  const changed = service('a', 1, {
    upstreams: [app ?? assert.fail(), added],
    dnsbl: { listed: 1, clear: 0, timeout: 1 },
  })
  const reports = new WorkerReports<number>()
  reports.add(1, report([service('a', 1)]))
  reports.remove(1)
  reports.add(2, report([changed]))
  reports.remove(2)
  reports.add(3, report([changed]))
  const { upstreams, dnsbl } = only(reports.services([{ name: 'a' }]))
  assert.deepEqual(
    upstreams().map(({ name, total }) => [name, total]),
    [
      ['app', 6],
      ['added', 4],
    ],
  )
  assert.deepEqual(dnsbl, { listed: 3, clear: 0, timeout: 2 })
  reports.add(4, report([service('a', 1)])) // it has not followed yet
  assert.deepEqual(only(reports.services([{ name: 'a' }])).dnsbl, { listed: 4, clear: 0, timeout: 2 })
  assert.deepEqual(reports.services([{ name: 'of nobody' }]), [])
})

test('the failure of an upstream that came last is shown, whichever worker saw it', () => {
  const [up] = service('a', 1).upstreams
  const failed = (age: number): Partial<ServiceReport> => {
    return {
      upstreams: [{ ...(up ?? assert.fail()), lastFailure: { code: 'connect_refused', message: '', age } }],
    }
  }
  const reports = new WorkerReports<number>()
  const shown = (): number | undefined =>
    only(reports.services([{ name: 'a' }])).upstreams()[0]?.lastFailure?.age
  reports.add(1, report([service('a', 1)]))
  assert.equal(shown(), undefined)
  reports.add(2, report([service('a', 1, failed(20))]))
  assert.equal(shown(), 20)
  reports.add(3, report([service('a', 1, failed(10))]))
  assert.equal(shown(), 10)
})

test('an upstream that any worker uses is used, and one that is configured no more is not shown', () => {
  const reports = new WorkerReports<number>()
  const [up] = service('a', 1).upstreams
  const other = { ...(up ?? assert.fail()), name: 'gone' }
  reports.add(1, report([service('a', 1, { upstreams: [{ ...(up ?? assert.fail()), state: 'down' }] })]))
  reports.add(2, report([service('a', 1, { upstreams: [up ?? assert.fail(), other] })]))
  const upstreams = only(reports.services([{ name: 'a' }])).upstreams()
  assert.deepEqual(
    upstreams.map(({ name, state }) => [name, state]),
    [['app', 'up']],
  )
})

test('a drained upstream is drained also where a worker is gone, and up where any worker uses it', () => {
  const reports = new WorkerReports<number>()
  const [up] = service('a', 1).upstreams
  const seenAs = (state: string): WorkerReport =>
    report([service('a', 1, { upstreams: [{ ...(up ?? assert.fail()), state }] })])
  const shown = (): unknown => only(reports.services([{ name: 'a' }])).upstreams()[0]?.state
  reports.add(1, seenAs('drained'))
  reports.remove(1)
  reports.add(2, seenAs('drained'))
  assert.equal(shown(), 'drained')
  reports.add(3, seenAs('probing'))
  assert.equal(shown(), 'probing')
  reports.add(4, seenAs('up'))
  assert.equal(shown(), 'up')
})

/** A name with these members: state and connections by address. */
function named(
  members: Readonly<Record<string, readonly [state: string, active: number]>>,
  more: Partial<UpstreamView> = {},
): ServiceReport {
  const [up = assert.fail()] = service('a', 1).upstreams
  const views = Object.entries(members).map(([address, [state, active]]) => {
    return {
      address,
      weight: 1,
      state,
      active,
      total: 2 * active,
      failures: 1,
      checks: { passed: 1, failed: 2 },
    }
  })
  const resolution = { age: 10, answers: 1, failures: 2, lastFailure: undefined }
  return service('a', 1, {
    upstreams: [{ ...up, members: views, memberChanges: 3, leftOut: 1, resolution, ...more }],
  })
}

test('members of all workers are shown by their addresses: one that any uses is used, and what is counted is added', () => {
  const reports = new WorkerReports<number>()
  reports.add(1, report([named({ one: ['down', 1], two: ['leaving', 2] })]))
  const resolution = { age: 30, answers: 1, failures: 1, lastFailure: 'EAI_AGAIN' }
  reports.add(2, report([named({ one: ['up', 4], three: ['probing', 0] }, { leftOut: 5, resolution })]))
  const [upstream = assert.fail()] = only(reports.services([{ name: 'a' }])).upstreams()
  assert.deepEqual(
    upstream.members.map(({ address, state, active, total, failures, checks }) => {
      return [address, state, active, total, failures, checks?.passed]
    }),
    [
      ['one', 'up', 5, 10, 2, 2],
      ['two', 'leaving', 2, 4, 1, 1],
      ['three', 'probing', 0, 0, 1, 1],
    ],
  )
  const { memberChanges, leftOut } = upstream
  assert.deepEqual([memberChanges, leftOut], [6, 5])
  assert.deepEqual(upstream.resolution, { age: 30, answers: 2, failures: 3, lastFailure: 'EAI_AGAIN' })
})

test('a member that only a worker had that is gone is not shown, and one that others have keeps its counts', () => {
  const reports = new WorkerReports<number>()
  reports.add(1, report([named({ one: ['up', 1], old: ['up', 1] })]))
  reports.add(2, report([named({ one: ['down', 1] }, { resolution: undefined })]))
  const shown = (): UpstreamView => only(reports.services([{ name: 'a' }])).upstreams()[0] ?? assert.fail()
  assert.equal(shown().resolution?.age, 10, 'a worker may not have looked it up')
  reports.remove(1)
  assert.deepEqual(
    shown().members.map(({ address, state, active, total }) => [address, state, active, total]),
    [['one', 'down', 1, 4]],
  )
  assert.deepEqual([shown().resolution?.age, shown().resolution?.answers], [undefined, 1])
  reports.remove(2)
  assert.deepEqual([shown().state, shown().members], ['down', []])
})

test('a name that no worker has an answer about has no age, and the failures of all', () => {
  const reports = new WorkerReports<number>()
  const resolution = { age: undefined, answers: 0, failures: 2, lastFailure: 'ENOTFOUND' }
  for (const worker of [1, 2]) reports.add(worker, report([named({}, { resolution })]))
  const [view] = only(reports.services([{ name: 'a' }])).upstreams()
  assert.deepEqual(view?.resolution, { ...resolution, failures: 4 })
})

test('checks of a member that one worker does not check yet are those of the other', () => {
  const checked = named({ one: ['up', 1] })
  const [upstream = assert.fail()] = checked.upstreams
  const members = upstream.members.map(each => ({ ...each, checks: undefined }))
  const unchecked = { ...checked, upstreams: [{ ...upstream, members }] }
  for (const both of [
    [checked, unchecked],
    [unchecked, checked],
  ]) {
    const reports = new WorkerReports<number>()
    for (const [worker, each] of both.entries()) reports.add(worker, report([each]))
    const [view] = only(reports.services([{ name: 'a' }])).upstreams()
    assert.deepEqual(view?.members[0]?.checks, { passed: 1, failed: 2 })
  }
})

test('a state that no sum knows is that of the first worker', () => {
  const reports = new WorkerReports<number>()
  for (const worker of [1, 2]) reports.add(worker, report([named({ one: ['odd', 1] }, { state: 'odd' })]))
  const [view] = only(reports.services([{ name: 'a' }])).upstreams()
  assert.deepEqual([view?.state, view?.members[0]?.state], ['odd', 'odd'])
})

test('all workers are ready as soon as one is, and drain as soon as one does', () => {
  const reports = new WorkerReports<number>()
  reports.add(1, report([service('a', 1, { state: 'idle', address: undefined })], { readiness: 'starting' }))
  assert.equal(reports.readiness, 'starting')
  reports.add(2, report([service('a', 1)]))
  assert.equal(reports.readiness, 'ready')
  const view = only(reports.services([{ name: 'a' }]))
  assert.deepEqual([view.state, view.address], ['listening', '127.0.0.1:1'])
  reports.add(3, report([service('a', 1, { state: 'draining' })], { readiness: 'draining' }))
  assert.equal(reports.readiness, 'draining')
  assert.equal(only(reports.services([{ name: 'a' }])).state, 'draining')
})

test('a report without a list keeps the connections that were listed last', () => {
  const connection = {
    ...({ id: 'x', state: 'open', peer: undefined, source: undefined, destination: undefined } as const),
    ...{ upstream: undefined, tls: undefined, bytesUp: 0, bytesDown: 0, reason: undefined },
  }
  const listed = (age: number): readonly ServiceReport[] => [
    service('a', 1, { connections: [{ ...connection, age }] }),
  ]
  const reports = new WorkerReports<number>()
  reports.add(1, report(listed(5)))
  reports.add(1, report([service('a', 1)]))
  reports.add(2, report(listed(9)))
  const ages = [...only(reports.services([{ name: 'a' }])).connections()].map(({ age }) => age)
  assert.deepEqual(ages, [9, 5])
})

test('a service without block lists has no answers of any, and one answer that only another worker had counts', () => {
  const reports = new WorkerReports<number>()
  reports.add(1, report([service('a', 1, { dnsbl: undefined, limits: { connections: 1 } })]))
  reports.add(2, report([service('a', 1, { dnsbl: { listed: 1 }, limits: {} })]))
  const { dnsbl, limits } = only(reports.services([{ name: 'a' }]))
  assert.deepEqual([dnsbl, limits], [undefined, { connections: 1 }])
  reports.add(3, report([service('b', 1, { dnsbl: { listed: 1 } })]))
  reports.add(4, report([service('b', 1, { dnsbl: undefined })]))
  assert.deepEqual(only(reports.services([{ name: 'b' }])).dnsbl, { listed: 1 })
})

test('processes are shown as one, by the figures of the first; what one does not know, all do not', () => {
  const sum = sumOfProcesses(facts, [
    { ...facts, pid: 2, cpu: 5, openFiles: 2, eventLoopDelay: { p50: 9, p99: 1, max: 9 } },
    { ...facts, maxFiles: undefined },
  ])
  assert.deepEqual(sum, {
    ...facts,
    ...{ cpu: 25, residentMemory: 60, heapUsed: 90, openFiles: 82, maxFiles: undefined },
    eventLoopDelay: { p50: 9, p99: 2, max: 9 },
  })
  assert.equal(sumOfProcesses({ ...facts, maxFiles: undefined }, [facts]).maxFiles, undefined)
})
