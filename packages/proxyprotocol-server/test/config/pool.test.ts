// What a service says of its upstreams: the defaults, and every number that would be none.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseAddress, settlePool, type Address, type PoolInit } from '../../src/config/index.ts'

function upstream(text: string): { address: Address } {
  return { address: parseAddress(text, { role: 'upstream' }) }
}

test('an upstream alone makes a pool with all defaults', () => {
  const { address } = upstream('192.0.2.1:80?pp=v1')
  assert.deepEqual(settlePool({ upstreams: [{ address }] }), {
    upstreams: [{ name: '192.0.2.1:80', address, header: 'v1', weight: 1, backup: false }],
    balance: 'round-robin',
    retries: 2,
    health: { fails: 3, window: 10_000, cooldown: 10_000 },
    check: undefined,
    resolve: { interval: 30_000 },
  })
})

test('what is given wins, and undefined is not given', () => {
  const settled = settlePool({
    upstreams: [{ ...upstream('a.test:80'), name: 'a', header: 'none', weight: 0, backup: true }],
    balance: 'source-hash',
    retries: 0,
    health: { fails: 0, window: undefined, check: { rise: 7, header: false } },
    resolve: { interval: 5 },
  })
  const { address } = upstream('a.test:80')
  assert.deepEqual(settled.upstreams, [{ name: 'a', address, header: 'none', weight: 0, backup: true }])
  assert.deepEqual(settled.health, { fails: 0, window: 10_000, cooldown: 10_000 })
  assert.deepEqual(settled.check, { interval: 5_000, timeout: 2_000, rise: 7, fall: 3, header: false })
  assert.deepEqual([settled.balance, settled.retries, settled.resolve.interval], ['source-hash', 0, 5])
})

test('each upstream is sent what its own address says', () => {
  const addresses = ['a:1', 'a:2?pp=v1', 'a:3?pp=v2', 'a:4?pp=detect', 'a:5?pp=noop']
  const { upstreams } = settlePool({ upstreams: addresses.map(upstream) })
  assert.deepEqual(
    upstreams.map(({ header }) => header),
    ['v2', 'v1', 'v2', 'v2', 'none'],
  )
})

test('what is no pool is refused by name, value and what is wanted', () => {
  const one = { upstreams: [upstream('a:1')] }
  const cases: [init: unknown, message: RegExp][] = [
    [{ upstreams: [] }, /^RangeError: upstreams must be 1 to 1000, got 0$/],
    [{ upstreams: Array(1_001).fill(upstream('a:1')) }, /^RangeError: upstreams must be .* got 1001$/],
    [
      { upstreams: [upstream('a:1'), upstream('a:1?pp=v1')] },
      /^RangeError: upstreams\[1\]: it is a second 'a:1'; give one more weight, or a name of its own$/,
    ],
    [
      { upstreams: [{ ...upstream('a:1'), weight: -1 }] },
      /^RangeError: upstreams\[0\]\.weight must be a whole number from 0 to 1000, got -1$/,
    ],
    [{ ...one, balance: 'random' }, /^TypeError: balance must be one of round-robin, .*, got 'random'$/],
    [{ ...one, retries: 1.5 }, /^RangeError: retries .* got 1\.5$/],
    [{ ...one, health: { fails: '3' } }, /^RangeError: health\.fails .* from 0 to 1000, got '3'$/],
    [{ ...one, health: { cooldown: 0 } }, /^RangeError: health\.cooldown .* from 1 to 2147483647, got 0$/],
    [
      { ...one, health: { fail: 3 } },
      /^TypeError: there is no option health\.fail; there are fails, window, cooldown$/,
    ],
    [{ ...one, health: { check: { rise: 0 } } }, /^RangeError: health\.check\.rise .* got 0$/],
    [
      { ...one, health: { check: { header: 1 } } },
      /^TypeError: health\.check\.header must be true or false, got 1$/,
    ],
    [{ ...one, health: { check: { path: '/' } } }, /^TypeError: there is no option health\.check\.path/],
    [{ ...one, resolve: { interval: 2 ** 31 } }, /^RangeError: resolve\.interval/],
    [{ ...one, resolve: { ttl: 1 } }, /^TypeError: there is no option resolve\.ttl; there are interval$/],
  ]
  for (const [init, message] of cases) assert.throws(() => settlePool(init as PoolInit), message)
})
