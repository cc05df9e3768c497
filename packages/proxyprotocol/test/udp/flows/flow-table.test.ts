// The table of flows: lifetimes, limits, eviction, and sums that hold.

import assert from 'node:assert/strict'
import { describe, test, type TestContext } from 'node:test'
import { Flow, type FlowSettings, FlowTable } from '../../../src/udp/internal.ts'

const settings: FlowSettings = {
  flows: 3,
  perSource: Infinity,
  newTimeout: 2_000,
  confirmedTimeout: 5_000,
  evicts: true,
}

interface Fixture {
  readonly table: FlowTable<Flow>
  readonly ended: string[]
  readonly open: (key: string, source?: string) => Flow | string
}

/** A table whose sums are checked when the test ends. */
function create(t: TestContext, changed: Partial<FlowSettings> = {}): Fixture {
  const ended: string[] = []
  const table = new FlowTable<Flow>({ ...settings, ...changed }, (flow, reason) =>
    ended.push(`${flow.key} ${reason}`),
  )
  t.after(() => {
    table.close('aborted')
    const { opened, active, confirmed, ended: reasons } = table.stats()
    assert.deepEqual([active, confirmed, table.size], [0, 0, 0])
    assert.equal(
      opened,
      Object.values(reasons).reduce((sum, count) => sum + count, 0),
    )
  })
  const open = (key: string, source = '192.0.2.1'): Flow | string => {
    const flow = new Flow(key, source)
    return table.add(flow) ?? flow
  }
  return { table, ended, open }
}

function keysOf(table: FlowTable<Flow>): string {
  return Array.from(table.values(), ({ key }) => key).join(' ')
}

function confirm(table: FlowTable<Flow>, key: string): void {
  const flow = table.find(key)
  assert.ok(flow)
  table.answered(flow)
  table.find(key)
}

function sweep(table: FlowTable<Flow>, times: number): void {
  for (let i = 0; i < times; i++) table.sweep()
}

describe('contract U7: a flow is new until its client has spoken after a reply', () => {
  test('a reply alone confirms nothing', t => {
    const { table, open } = create(t)
    const flow = open('a')
    assert.ok(flow instanceof Flow)
    table.find('a')
    table.answered(flow)
    assert.equal(table.stats().confirmed, 0)
    assert.equal(table.find('a'), flow)
    assert.deepEqual([flow.state, table.stats().confirmed], ['confirmed', 1])
    assert.equal(table.find('a'), flow)
    assert.equal(table.stats().confirmed, 1)
  })

  test('new and confirmed flows have timeouts of their own', t => {
    const { table, ended, open } = create(t)
    open('a')
    open('b')
    confirm(table, 'b')
    sweep(table, 2)
    assert.deepEqual(ended, [])
    sweep(table, 1)
    assert.deepEqual(ended, ['a idle_timeout'])
    sweep(table, 2)
    assert.equal(keysOf(table), 'b')
    sweep(table, 1)
    assert.deepEqual(ended, ['a idle_timeout', 'b idle_timeout'])
  })

  test('datagrams of both directions keep a flow', t => {
    const { table, open } = create(t)
    const flow = open('a')
    assert.ok(flow instanceof Flow)
    for (let i = 0; i < 5; i++) {
      sweep(table, 2)
      table.find('a')
      sweep(table, 2)
      table.answered(flow)
    }
    assert.equal(keysOf(table), 'a')
  })
})

describe('contract U8: a full table', () => {
  test('ends the new flow that was silent for longest', t => {
    const { table, ended, open } = create(t)
    for (const key of ['a', 'b', 'c']) open(key)
    table.find('a')
    open('d')
    assert.deepEqual(ended, ['b evicted'])
    assert.equal(keysOf(table), 'a c d')
  })

  test('never ends a confirmed flow for a new one, and refuses when all are', t => {
    const { table, ended, open } = create(t)
    for (const key of ['a', 'b', 'c']) open(key)
    for (const key of ['a', 'b']) confirm(table, key)
    open('d')
    open('e')
    assert.deepEqual(ended, ['c evicted', 'd evicted'])
    confirm(table, 'e')
    assert.equal(open('f'), 'limit_flows')
    assert.equal(keysOf(table), 'a b e')
  })

  test('stays bounded, and keeps confirmed flows, while 100,000 sources come', t => {
    const { table, open } = create(t, { flows: 100, newTimeout: 60_000, confirmedTimeout: 60_000 })
    for (let i = 0; i < 20; i++) {
      open(`client ${String(i)}`)
      confirm(table, `client ${String(i)}`)
    }
    for (let i = 0; i < 100_000; i++) {
      assert.ok(open(`spoofed ${String(i)}`) instanceof Flow)
      assert.ok(table.size <= 100)
    }
    for (let i = 0; i < 20; i++) assert.equal(table.find(`client ${String(i)}`)?.state, 'confirmed')
    assert.equal(table.stats().ended.evicted, 100_000 - 80)
  })

  test('contract U6: refuses and never evicts if it is told so', t => {
    const { ended, open } = create(t, { evicts: false })
    for (const key of ['a', 'b', 'c']) open(key)
    assert.equal(open('d'), 'limit_flows')
    assert.deepEqual(ended, [])
  })
})

describe('contract U9: flows of one source', () => {
  test('are limited, an IPv6 client by its /64, and leave room when they end', t => {
    const { table, open } = create(t, { flows: 10, perSource: 2 })
    const first = open('a', '2001:db8::1')
    open('b', '2001:db8::2')
    assert.equal(open('c', '2001:db8::3'), 'limit_source')
    assert.ok(open('d', '2001:db8:0:1::1') instanceof Flow)
    assert.ok(open('e', '192.0.2.1') instanceof Flow && open('f', '192.0.2.1') instanceof Flow)
    assert.equal(open('g', '::ffff:192.0.2.1'), 'limit_source')
    assert.ok(open('h', '192.0.2.2') instanceof Flow)
    assert.ok(first instanceof Flow)
    table.end(first, 'done')
    assert.ok(open('c', '2001:db8::3') instanceof Flow)
  })

  test('are refused before another flow is evicted for them', t => {
    const { ended, open } = create(t, { flows: 2, perSource: 1 })
    open('a', '192.0.2.1')
    open('b', '192.0.2.2')
    assert.equal(open('c', '192.0.2.2'), 'limit_source')
    assert.deepEqual(ended, [])
  })

  test('are counted from when the limit was set', t => {
    const { table, open } = create(t)
    open('a')
    table.settings = { ...settings, perSource: 1 }
    assert.ok(open('b') instanceof Flow)
    assert.equal(open('c'), 'limit_source')
  })
})

describe('contract U10: one timer', () => {
  test('sweeps each second, and does not keep the process alive', t => {
    t.mock.timers.enable({ apis: ['setInterval'] })
    const { ended, open } = create(t)
    open('a')
    t.mock.timers.tick(2_000)
    assert.deepEqual(ended, [])
    t.mock.timers.tick(1_000)
    assert.deepEqual(ended, ['a idle_timeout'])
  })

  test('ends a bounded number of flows at a time', t => {
    const { table, open } = create(t, { flows: 20_000 })
    for (let i = 0; i < 12_000; i++) open(String(i))
    sweep(table, 3)
    assert.equal(table.size, 12_000 - 1_500)
    sweep(table, 20)
    assert.equal(table.size, 0)
  })
})

test('a flow ends once, and a late reply does not revive it', t => {
  const { table, ended, open } = create(t)
  const flow = open('a')
  assert.ok(flow instanceof Flow)
  table.end(flow, 'connect_refused')
  table.end(flow, 'done')
  table.answered(flow)
  assert.deepEqual(ended, ['a connect_refused'])
  assert.equal(table.find('a'), undefined)
})

test('closing ends all flows, new and confirmed', t => {
  const { table, ended, open } = create(t)
  open('a')
  open('b')
  confirm(table, 'a')
  table.close('drain_deadline')
  assert.deepEqual(ended, ['a drain_deadline', 'b drain_deadline'])
})
