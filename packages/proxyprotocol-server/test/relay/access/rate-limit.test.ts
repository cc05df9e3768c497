// How fast a client may open connections, by a clock of the test's own.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ProxyHeader } from 'proxyprotocol'
import type { ConnectionInfo } from 'proxyprotocol/server'
import type { Rate } from '../../../src/config/index.ts'
import { RateLimit } from '../../../src/relay/access/rate-limit.ts'

const RATE: Rate = { connections: 2, per: 1_000, burst: 3, exempt: [] }

interface Limited {
  clock: number
  readonly limit: RateLimit
  readonly opens: (address: string, header?: Partial<ProxyHeader>) => boolean
}

function limited(rate: Partial<Rate> = {}): Limited {
  const time = { clock: 5_000 }
  const limit = new RateLimit({ ...RATE, ...rate }, () => time.clock)
  const opens = (address: string, header?: Partial<ProxyHeader>): boolean =>
    limit.validate({ source: { address, port: 1 }, header } as ConnectionInfo) === undefined
  return Object.assign(time, { limit, opens })
}

test('rate: a client opens its burst at once, then one connection in each share of the time', () => {
  const made = limited()
  const attempts = (count: number): readonly boolean[] =>
    Array.from({ length: count }, () => made.opens('192.0.2.1'))
  assert.deepEqual(attempts(4), [true, true, true, false])
  made.clock += 499
  assert.deepEqual(attempts(1), [false])
  made.clock += 1
  assert.deepEqual(attempts(2), [true, false])
  made.clock += 1_000
  assert.deepEqual(attempts(3), [true, true, false])
  made.clock += 100_000
  assert.deepEqual(attempts(4), [true, true, true, false])
})

test('rate: a connection that is refused costs its client nothing', () => {
  const made = limited({ connections: 1, burst: 1 })
  assert.equal(made.opens('192.0.2.1'), true)
  for (let i = 0; i < 100; i++) assert.equal(made.opens('192.0.2.1'), false)
  made.clock += 1_000
  assert.equal(made.opens('192.0.2.1'), true)
})

test('rate: an IPv4 address is one client, an IPv6 address one with all of its /64', () => {
  for (const [address, same, other] of [
    ['192.0.2.1', '::ffff:192.0.2.1', '192.0.2.2'],
    ['2001:db8:1:2::1', '2001:db8:1:2:ffff::', '2001:db8:1:3::1'],
    ['fe80::1%eth0', 'fe80::2', 'fe80:0:0:1::1'],
  ] as const) {
    const { opens } = limited({ burst: 1 })
    assert.equal(opens(address), true)
    assert.equal(opens(same), false, same)
    assert.equal(opens(other), true, other)
  }
})

test('rate: its figures show how much of the burst the busiest client has used', () => {
  const made = limited({ connections: 2, per: 1_000, burst: 3 })
  const shown = { connections: 2, per: 1_000, burst: 3 }
  assert.deepEqual(made.limit.figures(), { ...shown, used: 0 })
  made.opens('192.0.2.1')
  for (let i = 0; i < 5; i++) made.opens('192.0.2.2')
  made.opens('192.0.2.3')
  assert.deepEqual(made.limit.figures(), { ...shown, used: 3 })
  made.clock += 600
  assert.equal(made.limit.figures().used, 2)
  made.clock += 10_000
  assert.equal(made.limit.figures().used, 0)
})

test('rate: an exempt network, a check by the proxy in front and a client without an address are not counted', () => {
  const { opens, limit } = limited({ burst: 1, exempt: ['10.0.0.0/8'] })
  for (let i = 0; i < 3; i++) {
    assert.equal(opens('10.1.2.3'), true)
    assert.equal(opens('::ffff:10.1.2.3'), true)
    assert.equal(opens('192.0.2.1', { command: 'LOCAL' }), true)
    assert.equal(opens('192.0.2.1', { command: 'PROXY', family: 'UNSPEC' }), true)
    for (const source of [undefined, { path: '/run/client' }])
      assert.equal(limit.validate({ source, header: undefined }), undefined)
  }
  assert.equal(opens('192.0.2.1', { command: 'PROXY', family: 'INET' }), true)
  assert.equal(opens('192.0.2.1', { command: 'PROXY', family: 'INET' }), false)
})

function address(i: number): string {
  return `10.${i >> 16}.${(i >> 8) & 0xff}.${i & 0xff}`
}

test('rate: a client that is refused again and again is not forgotten before others', () => {
  const made = limited({ burst: 1 })
  assert.equal(made.opens('192.0.2.1'), true)
  for (let i = 0; i < 100_000; i++) {
    made.opens(address(i))
    if (i % 10_000 === 0) assert.equal(made.opens('192.0.2.1'), false)
  }
  assert.equal(made.opens('192.0.2.1'), false)
})

test('rate: the last 32768 clients are remembered, and the clients before the last 65536 are forgotten', () => {
  const made = limited({ burst: 1 })
  for (let i = 0; i < 100_000; i++) assert.equal(made.opens(address(i)), true)
  for (let i = 99_999; i >= 100_000 - 32_768; i--) assert.equal(made.opens(address(i)), false)
  assert.equal(made.opens(address(0)), true)
})

test('rate: a client whose time has passed pays as a new one, however often its entries move', () => {
  const made = limited({ connections: 1, burst: 2 })
  for (let i = 0; i < 10; i++) {
    assert.deepEqual(
      [made.opens('192.0.2.1'), made.opens('192.0.2.1'), made.opens('192.0.2.1')],
      [true, true, false],
    )
    made.clock += 1_999
    assert.deepEqual([made.opens('192.0.2.1'), made.opens('192.0.2.1')], [true, false])
    made.clock += 2_001
  }
})
