// Several relays of one service as one: side by side in workers, or one after the other.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  endedService,
  formerService,
  noTotals,
  shownService,
  sumOfServices,
  type ListingCounts,
  type MemberSnapshot,
  type RoutedUpstream,
  type ServiceFigures,
  type UpstreamState,
} from '../../src/figures/index.ts'
import { memberFigures, serviceFigures, upstreamFigures } from '../support/figures.ts'

/** A service with so many connections that are open and as many that are done. */
function service(count: number, more: Partial<ServiceFigures> = {}): ServiceFigures {
  const counts = { active: count, total: 2 * count, failures: { connect_refused: 1 } } as const
  return serviceFigures('a', {
    timeouts: { idle: 7 },
    limits: { connections: 100, perSource: Infinity, pendingHeaders: 10, headerBytes: 4_096 },
    totals: {
      ...noTotals,
      ...{ accepted: 2 * count, active: count, pending: 1, bytesUp: count },
      closed: { ...noTotals.closed, done: count },
    },
    upstreams: [upstreamFigures({ ...counts, members: [memberFigures(counts)] })],
    ...more,
  })
}

function withUpstream(more: Partial<RoutedUpstream>): ServiceFigures {
  return service(1, { upstreams: [upstreamFigures(more)] })
}

/** An upstream by name with these members: state and connections by address. */
function named(
  members: Readonly<Record<string, readonly [state: UpstreamState, active: number]>>,
  more: Partial<RoutedUpstream> = {},
): ServiceFigures {
  const checks = {
    type: 'tcp',
    passed: 1,
    failed: 2,
    streak: 1,
    verdict: 'up',
    lastFailure: undefined,
  } as const
  const list = Object.entries(members).map(([address, [state, active]]) =>
    memberFigures({ address, state, active, total: 2 * active, failures: { dns_error: 1 }, checks }),
  )
  const resolution = { name: 'app', addresses: [], age: 10, answers: 1, failures: 2, lastFailure: undefined }
  return withUpstream({ members: list, memberChanges: 3, leftOut: 1, resolution, ...more })
}

function upstreamOf({ upstreams }: ServiceFigures): RoutedUpstream {
  const [upstream, ...others] = upstreams
  assert.deepEqual(others, [])
  return upstream ?? assert.fail()
}

function rows(members: readonly MemberSnapshot[]): unknown {
  return members.map(({ address, state, active, total }) => [address, state, active, total])
}

test('what two relays count is added, and what is the same for both stays', () => {
  const sum = sumOfServices(service(3), service(4))
  const { accepted, active, closed, bytesUp } = sum.totals
  assert.deepEqual([accepted, active, closed.done, bytesUp], [14, 7, 7, 7])
  assert.deepEqual(sum.limits, {
    ...{ connections: 200, perSource: Infinity, pendingHeaders: 20 },
    headerBytes: 4_096,
  })
  assert.deepEqual(sum.timeouts, { idle: 7 })
  const { state, active: open, total, failures, weight } = upstreamOf(sum)
  assert.deepEqual([state, open, total, failures, weight], ['up', 7, 14, { connect_refused: 2 }, 1])
})

test('headers are added by version and command, durations by range', () => {
  const [v1, v2] = [1, 2].map(count => ({ version: count as 1 | 2, command: 'PROXY' as const, count }))
  const ages = { bounds: [1], counts: [1, 2], sum: 3 }
  const [one, other] = [[v1, v2], [v2]].map(headers =>
    service(0, { totals: { ...noTotals, headers: headers.filter(each => each !== undefined), ages } }),
  )
  const { totals } = sumOfServices(one ?? assert.fail(), other ?? assert.fail())
  assert.deepEqual(totals.headers, [v1, { ...v2, count: 4 }])
  assert.deepEqual(totals.ages, { bounds: [1], counts: [2, 4], sum: 6 })
})

test('a limit that only one relay has is its own', () => {
  const [one, other] = [service(1, { limits: { connections: 1 } }), service(1, { limits: {} })]
  assert.deepEqual(sumOfServices(one, other).limits, { connections: 1 })
})

test('a service drains as soon as one relay does, and has the address of any', () => {
  const idle = service(1, { state: 'idle', address: undefined })
  const { state, address } = sumOfServices(idle, service(1))
  assert.deepEqual([state, address], ['listening', '[2001:db8::1]:10000'])
  assert.equal(sumOfServices(service(1), service(1, { state: 'draining' })).state, 'draining')
})

test('an ended relay keeps its counters, and its connections count as aborted', () => {
  const sum = sumOfServices(service(4), endedService(service(3)))
  const { accepted, active, closed, pending } = sum.totals
  assert.deepEqual([accepted, active, closed.done, closed.aborted, pending], [14, 4, 7, 3, 1])
  assert.deepEqual([sum.state, sum.limits['connections']], ['listening', 100])
  const upstream = upstreamOf(sum)
  assert.deepEqual([upstream.state, upstream.active, upstream.total], ['up', 4, 14])
  assert.equal(endedService(service(3)).state, 'closed')
})

test('a former relay keeps its connections, and the current one says how its upstreams are', () => {
  const lastFailure = { code: 'connect_refused', message: '', age: 1 } as const
  const former = formerService(withUpstream({ active: 2, state: 'down', lastFailure, leftOut: 9 }))
  const { state, active, lastFailure: failure, leftOut } = upstreamOf(sumOfServices(withUpstream({}), former))
  assert.deepEqual([state, active, failure, leftOut], ['up', 2, undefined, 0])
  assert.equal(former.totals.pending, 1)
})

test('the latest failure of an upstream is shown, whichever relay saw it', () => {
  const failed = (age: number): ServiceFigures =>
    withUpstream({ lastFailure: { code: 'connect_refused', message: '', age } })
  const all = [withUpstream({}), failed(20), failed(10), failed(30)]
  assert.equal(upstreamOf(all.reduce(sumOfServices)).lastFailure?.age, 10)
})

test('an upstream that any relay uses is up, and a drained one is drained', () => {
  const seen = (...states: readonly UpstreamState[]): UpstreamState =>
    upstreamOf(states.map(state => withUpstream({ state })).reduce(sumOfServices)).state
  assert.deepEqual(
    [seen('down', 'up'), seen('drained', 'leaving'), seen('drained', 'probing'), seen('down', 'down')],
    ['up', 'drained', 'probing', 'down'],
  )
})

test('an upstream is identified by its name and address, and is shown while it is configured', () => {
  const [one, other] = [upstreamFigures({ total: 1 }), upstreamFigures({ address: '192.0.2.2:80', total: 2 })]
  const now = service(1, { upstreams: [one] })
  const sum = sumOfServices(now, service(1, { upstreams: [one, other] }))
  const totals = (each: ServiceFigures): unknown =>
    each.upstreams.map(({ address, total }) => [address, total])
  assert.deepEqual(totals(sum), [
    ['192.0.2.1:80', 2],
    ['192.0.2.2:80', 2],
  ])
  assert.deepEqual(totals(shownService(sum, now)), [['192.0.2.1:80', 2]])
})

test('an upstream that only former relays have is down', () => {
  const former = endedService(withUpstream({}))
  assert.equal(upstreamOf(shownService(former, former)).state, 'down')
})

test('members are added by their addresses; a member that any relay uses is up', () => {
  const resolution = {
    ...{ name: 'app', addresses: [], age: 30, answers: 1, failures: 1 },
    lastFailure: 'EAI_AGAIN',
  }
  const sum = sumOfServices(
    named({ one: ['down', 1], two: ['leaving', 2] }),
    named({ one: ['up', 4], three: ['probing', 0] }, { leftOut: 5, resolution }),
  )
  const { members, memberChanges, leftOut, resolution: both } = upstreamOf(sum)
  assert.deepEqual(rows(members), [
    ['one', 'up', 5, 10],
    ['two', 'leaving', 2, 4],
    ['three', 'probing', 0, 0],
  ])
  assert.deepEqual(
    members.map(({ failures, checks }) => [failures.dns_error, checks?.passed, checks?.failed]),
    [
      [2, 2, 4],
      [1, 1, 2],
      [1, 1, 2],
    ],
  )
  assert.deepEqual([memberChanges, leftOut], [6, 5])
  assert.deepEqual(
    [both?.age, both?.answers, both?.failures, both?.lastFailure],
    [30, 2, 3, 'EAI_AGAIN'],
    'the oldest answer counts',
  )
})

test('members of former relays are shown while they have connections', () => {
  const now = named({ one: ['down', 1] })
  const former = formerService(named({ one: ['up', 1], busy: ['up', 1], idle: ['up', 0] }))
  const sum = shownService(sumOfServices(now, former), now)
  assert.deepEqual(rows(upstreamOf(sum).members), [
    ['one', 'down', 2, 4],
    ['busy', 'leaving', 1, 2],
  ])
  const ended = shownService(sumOfServices(now, endedService(former)), now)
  assert.deepEqual(rows(upstreamOf(ended).members), [['one', 'down', 1, 4]])
})

test('checks and look-ups are those of the first relay, with the counts of the others that have some', () => {
  const checked = named({ one: ['up', 1] })
  const unchecked = withUpstream({ members: [memberFigures({ address: 'one' })] })
  for (const [sum, passed, answers] of [
    [sumOfServices(checked, unchecked), 1, 1],
    [sumOfServices(unchecked, checked), undefined, undefined],
    [sumOfServices(checked, endedService(checked)), 2, 2],
  ] as const) {
    const { members, resolution } = upstreamOf(sum)
    assert.deepEqual([members[0]?.checks?.passed, resolution?.answers], [passed, answers])
  }
})

test('a name that no relay has an answer about has no age, and the failures of all', () => {
  const resolution = {
    ...{ name: 'app', addresses: [], age: undefined, answers: 0, failures: 2 },
    lastFailure: 'ENOTFOUND',
  }
  const one = named({}, { resolution })
  assert.deepEqual(upstreamOf(sumOfServices(one, one)).resolution, { ...resolution, failures: 4 })
})

test('answers of block lists are added, and shown if the service asks some', () => {
  const unknown = {
    ...{ timeout: 3, aborted: 0, server_failure: 0, refused: 0, zone_error: 0 },
    ...{ foreign_answer: 0, resolver_error: 0 },
  }
  const listings: ListingCounts = { listed: 1, clear: 2, unknown }
  const [asking, silent] = [service(1, { listings }), service(1)]
  const sum = sumOfServices(asking, asking)
  assert.deepEqual(sum.listings, { listed: 2, clear: 4, unknown: { ...unknown, timeout: 6 } })
  assert.deepEqual(sumOfServices(silent, asking).listings, listings)
  assert.deepEqual(sumOfServices(asking, silent).listings, listings)
  assert.equal(shownService(sum, silent).listings, undefined)
  assert.equal(shownService(sum, asking).listings, sum.listings)
})

test('connections in the queues are added by route; an ended relay and a former route have none', () => {
  const queue = (route: string, waiting: number) => ({ route, waiting, size: 100 })
  const now = service(1, { queues: [queue('*', 1), queue('a.example', 2)] })
  const before = service(1, { queues: [queue('*', 10), queue('b.example', 20)] })
  assert.deepEqual(shownService(sumOfServices(now, formerService(before)), now).queues, [
    queue('*', 11),
    queue('a.example', 2),
  ])
  assert.deepEqual(sumOfServices(now, endedService(before)).queues, now.queues)
})

test('limits of upstreams and queues are added, and those of a former relay are none', () => {
  const limited = service(1, {
    upstreams: [upstreamFigures({ limit: 10 })],
    queues: [{ route: '*', waiting: 1, size: 5 }],
  })
  const sum = sumOfServices(limited, sumOfServices(limited, formerService(limited)))
  assert.equal(upstreamOf(sum).limit, 20)
  const free = service(1)
  assert.equal(upstreamOf(sumOfServices(limited, formerService(free))).limit, 10)
  assert.equal(upstreamOf(sumOfServices(free, formerService(limited))).limit, undefined)
  assert.deepEqual(sum.queues, [{ route: '*', waiting: 3, size: 10 }])
})

test('what lists decided is added over all relays; the rate shows the busiest client of any that listens', () => {
  const access = { allow: 2, deny: 1, allowed: 30, denied: 4 }
  const rate = { connections: 5, per: 1_000, burst: 10, used: 7 }
  const guarded = service(1, { access, rate })
  const before = service(1, {
    access: { ...access, allow: 9, denied: 1 },
    rate: { ...rate, burst: 99, used: 8 },
  })
  const open = service(1)
  assert.deepEqual(sumOfServices(guarded, before).access, { allow: 2, deny: 1, allowed: 60, denied: 5 })
  assert.deepEqual(sumOfServices(guarded, before).rate, { ...rate, used: 8 })
  assert.deepEqual(sumOfServices(guarded, formerService(before)).rate, rate)
  assert.deepEqual([sumOfServices(open, guarded).access, sumOfServices(guarded, open).rate], [access, rate])
  assert.equal(sumOfServices(open, guarded).rate, undefined)
  assert.equal(shownService(sumOfServices(open, guarded), open).access, undefined)
  assert.deepEqual(shownService(guarded, guarded).access, access)
})
