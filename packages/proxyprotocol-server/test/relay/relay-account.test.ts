// What is counted of upstreams and block lists goes on where a service changes.

import assert from 'node:assert/strict'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { isDeepStrictEqual } from 'node:util'
import { closedPort, until } from 'test-support/sockets'
import { parseService, type Service } from '../../src/config/index.ts'
import { createRelay, Fleet, type MemberSnapshot } from '../../src/relay/index.ts'
import { accountOf, shownWith, sumOfAccounts, type RelayAccount } from '../../src/relay/relay-account.ts'
import { dial, listen } from '../support/connections.ts'
import { atEnd } from '../support/teardown.ts'

test('an upstream that a changed service still has counts on, with the connections that are left', async t => {
  const upstream = await listen(t)
  const [good, bad] = [`127.0.0.1:${upstream.port}?pp=noop`, `127.0.0.1:${await closedPort()}?pp=noop`]
  const service = (upstreams: readonly string[], idle: number): Service =>
    parseService('127.0.0.1:0', upstreams, { name: 'a', health: { fails: 0 }, timeouts: { idle } })
  const fleet = new Fleet({ create: each => createRelay(each) })
  atEnd(t, () => fleet.abort())
  /** Active, total and failures of each upstream; a connection counts a moment after the upstream has it. */
  async function reaches(expected: readonly unknown[]): Promise<void> {
    await until(() => isDeepStrictEqual(shown(), expected))
  }
  function shown(): unknown {
    const [relay] = fleet.reported()
    return relay?.upstreams().upstreams.map(({ active, total, failures }) => [active, total, failures])
  }

  await fleet.apply([service([bad, good], 60_000)])
  const { port } = fleet.relays[0]?.server.address as AddressInfo
  dial(t, port)
  const far = await upstream.accept()
  await reaches([
    [0, 0, { connect_refused: 1 }],
    [1, 1, {}],
  ])
  await fleet.apply([service([good, bad], 60_001)])
  await reaches([
    [1, 1, {}],
    [0, 0, { connect_refused: 1 }],
  ])
  const client = dial(t, port)
  const other = await upstream.accept()
  await fleet.apply([service([good], 60_002)])
  await reaches([[2, 2, {}]])
  for (const socket of [far, other]) socket.resetAndDestroy()
  client.on('error', () => {})
  await until(() => fleet.servers.size === 1)
  await reaches([[0, 2, {}]])
  await fleet.apply([service([good, bad], 60_003)])
  await reaches([
    [0, 2, {}],
    [0, 0, { connect_refused: 1 }],
  ])
})

test('members are added up by their addresses; of former ones only those are shown that have connections left', () => {
  const service = parseService('127.0.0.1:0', 'app.test:80', { health: { check: {} } })
  const account = accountOf(createRelay(service))
  const [upstream = assert.fail()] = account.upstreams
  const checks = { passed: 1, failed: 2, streak: 1, verdict: 'up', lastFailure: undefined } as const
  const member = { weight: 1, state: 'up', active: 1, total: 2, lastFailure: undefined, checks } as const
  const members = (addresses: readonly string[], more: Partial<MemberSnapshot> = {}): MemberSnapshot[] =>
    addresses.map(address => ({ ...member, address, failures: { connect_refused: 1 }, ...more }))
  const resolution = { ...(upstream.resolution ?? assert.fail()), answers: 3, failures: 4 }
  const of = (these: readonly MemberSnapshot[]): RelayAccount => {
    return { ...account, upstreams: [{ ...upstream, members: these, memberChanges: 5, resolution }] }
  }
  const former = of([...members(['same', 'busy']), ...members(['idle'], { active: 0 })])
  const latter = of([...members(['same']), ...members(['unchecked'], { checks: undefined })])
  const [sum = assert.fail()] = sumOfAccounts(former, latter).upstreams
  assert.deepEqual(
    sum.members.map(({ address, state, active, total, failures, checks: both }) => {
      return [address, state, active, total, failures.connect_refused, both?.passed, both?.failed]
    }),
    [
      ['same', 'up', 2, 4, 2, 2, 4],
      ['unchecked', 'up', 1, 2, 1, undefined, undefined],
      ['busy', 'leaving', 1, 2, 1, 1, 2],
    ],
  )
  assert.deepEqual([sum.memberChanges, sum.resolution?.answers, sum.resolution?.failures], [10, 6, 8])
  const [unchecked = assert.fail()] = sumOfAccounts(
    of(members(['same'])),
    of(members(['same'], { checks: undefined })),
  ).upstreams
  assert.equal(unchecked.members[0]?.checks, undefined)
})

test('answers of block lists are counted on, and shown where they are asked', () => {
  const relay = createRelay(parseService('127.0.0.1:0', '127.0.0.1:1', { dnsbl: { zones: ['bl.example'] } }))
  const silent = createRelay(parseService('127.0.0.1:0', '127.0.0.1:1'))
  const account = accountOf(relay)
  const { listings = assert.fail() } = account
  const asked = { ...listings, listed: 1, clear: 2, unknown: { ...listings.unknown, timeout: 3 } }
  const sum = sumOfAccounts({ ...account, listings: asked }, { ...account, listings: asked })
  assert.deepEqual(sum.listings, {
    listed: 2,
    clear: 4,
    unknown: { ...listings.unknown, timeout: 6 },
  })
  const [first = assert.fail()] = account.upstreams
  const [one, other] = [{ connect_refused: 1 }, { connect_timeout: 2 }].map(failures => ({
    ...account,
    upstreams: [{ ...first, failures }],
  }))
  assert.deepEqual(sumOfAccounts(one, other ?? assert.fail()).upstreams[0]?.failures, {
    connect_refused: 1,
    connect_timeout: 2,
  })
  const [without, after] = [sumOfAccounts(sum, accountOf(silent)), sumOfAccounts(accountOf(silent), sum)]
  assert.deepEqual([without.listings, after.listings], [sum.listings, sum.listings])
  assert.equal(shownWith(silent, without).listings, undefined)
  assert.deepEqual(shownWith(relay, without).listings, sum.listings)
})
