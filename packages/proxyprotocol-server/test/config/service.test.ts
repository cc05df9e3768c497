// Each way the two addresses can speak of the PROXY protocol, and the header that follows from it.

import assert from 'node:assert/strict'
import { test } from 'node:test'

import { ConfigError, formatAddress, parseService } from '../../src/config/index.ts'

test('parseService() sends version 2 unless the upstream address says otherwise', () => {
  const headers = {
    '': 'v2',
    '?pp=': 'v2',
    '?pp=detect': 'v2',
    '?pp=v2': 'v2',
    '?pp=v1': 'v1',
    '?pp=noop': 'none',
  }
  for (const [query, header] of Object.entries(headers)) {
    assert.equal(parseService(':10007', `192.0.2.1:80${query}`).header, header, query)
  }
})

test('parseService() gives both addresses, each read in its role', () => {
  const { listen, upstream } = parseService(':0', ':8080?pp=v1')
  assert.deepEqual(listen, { transport: 'tcp', host: undefined, port: 0, pp: undefined, tls: undefined })
  assert.deepEqual(upstream, { transport: 'tcp', host: 'localhost', port: 8080, pp: 'v1', tls: undefined })
})

test('parseService() settles every limit and timeout, and those that are given win', () => {
  const { limits, timeouts, overLimit, pass, name } = parseService('[::1]:10007?pp=v2', ':8080', {
    trust: 'anyone',
  })
  assert.equal(name, '[::1]:10007')
  assert.deepEqual(limits, { perSource: Infinity, pendingHeaders: 1_024, headerBytes: 4_096 })
  assert.deepEqual(timeouts, {
    connect: 5_000,
    header: 5_000,
    idle: 600_000,
    halfClose: 60_000,
    keepAlive: 60_000,
    abort: 5_000,
  })
  assert.equal(overLimit, 'close')
  assert.deepEqual([...pass], [1, 2, 5, 0x20, 0xe0, 0xe1, 0xea, 0xee])
  const given = {
    name: 'web',
    limits: { connections: 7, perSource: 8, pendingHeaders: 9, headerBytes: 536 },
    timeouts: { connect: 1, header: 3_000, idle: 4, halfClose: 5, keepAlive: 6_000, abort: 7 },
    overLimit: 'pause',
  } as const
  const {
    name: called,
    pass: passed,
    ...settled
  } = parseService(':0', ':1', { ...given, pass: ['netns', 0xe5] })
  assert.equal(called, given.name)
  assert.deepEqual(settled.limits, given.limits)
  assert.deepEqual(settled.timeouts, given.timeouts)
  assert.equal(settled.overLimit, given.overLimit)
  assert.deepEqual([...passed], [0x30, 0xe5])
})

test('parseService() takes "unlimited" and "never" where there may be no bound', () => {
  const { limits, timeouts } = parseService(':0', ':1', {
    limits: { perSource: 'unlimited' },
    timeouts: { idle: 'never' },
  })
  assert.equal(limits.perSource, Infinity)
  assert.equal(timeouts.idle, Infinity)
})

test('parseService() takes a listen address that expects no header, and refuses to trust anybody there', () => {
  for (const query of ['', '?pp=', '?pp=noop']) {
    assert.equal(parseService(`:10007${query}`, ':8080').accepts, undefined)
    assert.throws(
      () => parseService(`:10007${query}`, ':8080', { trust: 'anyone' }),
      /^ConfigError: trust must stand beside a `listen` that accepts headers; give it "\?pp=detect"/,
    )
  }
})

test('parseService() accepts the headers that the listen address names, from whom is trusted', () => {
  const trust = ['10.0.0.0/8']
  for (const version of ['v1', 'v2', 'detect']) {
    assert.deepEqual(parseService(`:10007?pp=${version}`, ':8080', { trust }).accepts, { version, trust })
  }
})

test('parseService() refuses a listen address that expects a header while no peer is trusted, and says what to do', () => {
  for (const pp of ['v1', 'v2', 'detect']) {
    const source = `[::1]:10007?pp=${pp}`
    const message =
      `trust must name the proxies whose headers are believed, because "pp" of \`listen\` is "${pp}", got nothing; write ` +
      '"trust": ["10.0.0.0/8", "2001:db8::1"] in a file, or --trust 10.0.0.0/8,2001:db8::1; "anyone" believes every peer'
    assert.throws(() => parseService(source, ':8080'), { name: 'ConfigError', message })
  }
})

test('parseService() refuses each address for its own fault, and names both', () => {
  assert.throws(
    () => parseService('localhost', ':0'),
    (error: Error) => {
      assert.ok(error instanceof ConfigError)
      const [first = '', second = '', ...more] = error.message.split('\n')
      assert.match(first, /^listen: "localhost": it must have a port/)
      assert.match(second, /^upstream: ":0": the port must be a plain number from 1 to 65535, got "0"/)
      return more.length === 0
    },
  )
  assert.throws(() => parseService('', ''), ConfigError)
})

test('parseService() takes several upstreams, in order, each with the header that its address asks for', () => {
  const { upstream, header, pool } = parseService(':10007', ['a:1?pp=v1', 'b:2'])
  assert.deepEqual([formatAddress(upstream), header], ['a:1?pp=v1', 'v1'])
  assert.deepEqual(
    pool.upstreams.map(each => [each.name, each.header]),
    [
      ['a:1', 'v1'],
      ['b:2', 'v2'],
    ],
  )
  assert.deepEqual(parseService(':10007', ['a:1']), parseService(':10007', 'a:1'))
})

test('parseService() refuses no upstream, and one that stands there twice', () => {
  assert.throws(() => parseService(':1', []), {
    name: 'ConfigError',
    message: /^upstream must be a string such as .*, or `upstreams` a list, got nothing$/,
  })
  assert.throws(() => parseService(':1', ['a:1', 'b:1', 'a:1?pp=v1']), {
    name: 'ConfigError',
    message:
      "upstreams[2] must be another upstream, got a second 'a:1'; give one more weight, or a name of its own",
  })
})

test('parseService() settles what is said of upstreams, with the defaults where nothing is', () => {
  const { pool } = parseService(
    ':1',
    ['a:1', { address: 'b:2?pp=noop', name: 'b', weight: 0, backup: true }],
    {
      balance: 'source-hash',
      retries: 1,
      health: { fails: 0 },
      resolve: { interval: 5 },
    },
  )
  const [, second] = pool.upstreams
  assert.deepEqual([second?.name, second?.header, second?.weight, second?.backup], ['b', 'none', 0, true])
  assert.deepEqual(
    { ...pool, upstreams: pool.upstreams.length },
    {
      upstreams: 2,
      balance: 'source-hash',
      retries: 1,
      health: { fails: 0, window: 10_000, cooldown: 10_000, onDown: 'keep', slowStart: 0 },
      resolve: { interval: 5, maxMembers: 64, staleAfter: undefined, drain: undefined },
      queue: { size: 100, timeout: 5_000 },
    },
  )
})

test('parseService() takes one upstream or a list, and not both', () => {
  assert.throws(
    () => parseService(':1', 'a:1', { upstreams: ['b:1'] }),
    /^ConfigError: upstream must stand without `upstreams`; give one of the two$/,
  )
})

test('parseService() says what is wrong with an upstream in a list, by its place', () => {
  const cases: [upstream: unknown, message: string][] = [
    ['b', 'upstreams[1]: "b": it must have a port'],
    [{ address: 'b:1', weight: 1_001 }, 'upstreams[1].weight must be an integer from 0 to 1000, got 1001'],
    [{ address: 'b:1', wieght: 1 }, 'upstreams[1].wieght must be a known key; did you mean "weight"?'],
  ]
  for (const [upstream, message] of cases) {
    const list = ['a:1', upstream as string]
    assert.throws(
      () => parseService(':1', list),
      error => error instanceof ConfigError && error.message.startsWith(message),
      message,
    )
  }
})
