// What a service says of its upstreams, with the defaults filled in.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseAddress, settlePool, type Address } from '../../src/config/index.ts'

function upstream(text: string): { address: Address } {
  return { address: parseAddress(text, { role: 'upstream' }) }
}

const unbounded = { maxConnections: Infinity, source: undefined, check: undefined }

test('an upstream alone makes a pool with all defaults', () => {
  const { address } = upstream('192.0.2.1:80?pp=v1')
  assert.deepEqual(settlePool({ upstreams: [{ address }] }), {
    upstreams: [{ name: '192.0.2.1:80', address, header: 'v1', weight: 1, backup: false, ...unbounded }],
    balance: 'round-robin',
    retries: 2,
    health: { fails: 3, window: 10_000, cooldown: 10_000, onDown: 'keep', slowStart: 0 },
    resolve: { interval: 30_000, maxMembers: 64, staleAfter: undefined, drain: undefined },
    queue: { size: 100, timeout: 5_000 },
  })
})

test('what is given wins, and undefined is not given', () => {
  const settled = settlePool({
    upstreams: [{ ...upstream('a.test:80'), name: 'a', header: 'none', weight: 0, backup: true }],
    balance: 'source-hash',
    retries: 0,
    health: { fails: 0, window: undefined, onDown: 'reset' },
    resolve: { interval: 5, staleAfter: 7, drain: 9 },
    queue: { size: 0 },
  })
  const { address } = upstream('a.test:80')
  assert.deepEqual(settled.upstreams, [
    { name: 'a', address, header: 'none', weight: 0, backup: true, ...unbounded },
  ])
  assert.deepEqual(settled.health, {
    ...{ fails: 0, window: 10_000, cooldown: 10_000, onDown: 'reset', slowStart: 0 },
  })
  assert.deepEqual([settled.balance, settled.retries], ['source-hash', 0])
  assert.deepEqual(settled.queue, { size: 0, timeout: 5_000 })
  assert.deepEqual(settled.resolve, { interval: 5, maxMembers: 64, staleAfter: 7, drain: 9 })
})

test('each upstream is sent what its own address says', () => {
  const addresses = ['a:1', 'a:2?pp=v1', 'a:3?pp=v2', 'a:4?pp=detect', 'a:5?pp=noop']
  const { upstreams } = settlePool({ upstreams: addresses.map(upstream) })
  assert.deepEqual(
    upstreams.map(({ header }) => header),
    ['v2', 'v1', 'v2', 'v2', 'none'],
  )
})
