// What a route of `passthrough` takes over from its service, and what it sets itself.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  combineConfig,
  ConfigError,
  parseService,
  type Route,
  type RouteInit,
  type ServiceOptions,
  settings,
} from '../../src/config/index.ts'

const names = ['a.example']
const upstreams = ['192.0.2.2:443']

function routed(service: ServiceOptions, route: Partial<RouteInit> = {}): Route {
  const routes = [{ names, upstreams, ...route }]
  const { passthrough } = parseService(':1', '192.0.2.1:443', { ...service, passthrough: { routes } })
  return passthrough?.routes[0] ?? assert.fail()
}

function faults(service: object, ...routes: readonly unknown[]): readonly string[] {
  try {
    parseService(':1', '192.0.2.1:443', { ...service, passthrough: { routes: routes as RouteInit[] } })
  } catch (error) {
    assert.ok(error instanceof ConfigError)
    return error.message.split('\n')
  }
  return []
}

test('a route has the options of its service', () => {
  const options: ServiceOptions = {
    balance: 'source-hash',
    retries: 7,
    health: { fails: 9, check: { interval: 5 } },
    resolve: { interval: 8 },
    queue: { size: 6, timeout: '3s' },
    tlvs: { '0xE1': 'text:edge' },
    timeouts: { connect: 1, header: 2, idle: 'never', halfClose: 4, keepAlive: 5_000, abort: 6 },
  }
  const { pool, timeouts, tlvs } = routed(options)
  const service = parseService(':1', upstreams, options)
  assert.deepEqual(pool, service.pool)
  assert.deepEqual(timeouts, { connect: 1, idle: Infinity, halfClose: 4, keepAlive: 5_000 })
  assert.deepEqual(tlvs, service.tlvs)
})

test('a route without options has the defaults', () => {
  const { pool, timeouts } = routed({})
  const service = parseService(':1', upstreams)
  assert.deepEqual(pool, service.pool)
  const { connect, idle, halfClose, keepAlive } = service.timeouts
  assert.deepEqual(timeouts, { connect, idle, halfClose, keepAlive })
})

test('what a route sets wins key by key; `check` is one key', () => {
  const { pool, timeouts, tlvs } = routed(
    {
      balance: 'source-hash',
      retries: 7,
      health: { fails: 9, window: 8, check: { rise: 4, fall: 5 } },
      queue: { size: 6, timeout: 3 },
      tlvs: { '0xe1': 'text:a', '0xE2': 'text:b' },
      timeouts: { connect: 1, idle: 2 },
    },
    {
      balance: 'least-connections',
      health: { fails: 1, check: { rise: 3 } },
      queue: { size: 5 },
      tlvs: { '0xE1': 'hex:00' },
      timeouts: { idle: 'never' },
    },
  )
  assert.deepEqual(
    [pool.balance, pool.retries, pool.queue],
    ['least-connections', 7, { size: 5, timeout: 3 }],
  )
  const [upstream] = pool.upstreams
  assert.deepEqual(
    [pool.health.fails, pool.health.window, upstream?.check?.rise, upstream?.check?.fall],
    [1, 8, 3, 3],
  )
  assert.deepEqual([timeouts.connect, timeouts.idle], [1, Infinity])
  assert.deepEqual(
    tlvs.map(own => [own.type, 'value' in own && Buffer.from(own.value).toString()]),
    [
      [0xe2, 'b'],
      [0xe1, '\0'],
    ],
  )
})

test('a flag sets the value of the service, and a route keeps its own', () => {
  const setting = settings().find(({ flag }) => flag === 'idle-timeout') ?? assert.fail()
  const routes = [
    { names, upstreams, timeouts: { idle: 5 } },
    { names: ['b.example'], upstreams: ['192.0.2.3:443'] },
  ]
  const services = [{ listen: ':1', upstream: '192.0.2.1:443', passthrough: { routes } }]
  const overrides = [{ setting, value: 7, name: '--idle-timeout' }]
  const [service] = combineConfig([{ origin: 'x', content: { services } }], { overrides }).services
  assert.deepEqual(
    service?.passthrough?.routes.map(({ timeouts }) => timeouts.idle),
    [5, 7],
  )
})

test('the fallback has the options of its service, and sets its own', () => {
  const { passthrough } = parseService(':1', '192.0.2.1:443', {
    retries: 7,
    timeouts: { idle: 2, connect: 3 },
    passthrough: { fallback: { upstreams, timeout: '1s', timeouts: { idle: '1h' } } },
  })
  const { pool, timeouts, timeout } = passthrough?.fallback ?? assert.fail()
  assert.deepEqual([pool.retries, timeouts.idle, timeouts.connect, timeout], [7, 3_600_000, 3, 1_000])
})

test('routes of TLS that ends here have the options of their service too', () => {
  const { tls } = parseService('ssl://:1?cert=c.pem&key=k.pem', '192.0.2.1:443', {
    retries: 7,
    tls: { routes: [{ names, upstreams, timeouts: { idle: 5 } }] },
  })
  const [route] = tls?.routes ?? []
  assert.deepEqual([route?.pool.retries, route?.timeouts.idle, route?.passthrough], [7, 5, false])
})

test('a health check of a route is checked with its upstreams, one of the service once', () => {
  const health = { check: { type: 'mysql' as const } }
  const lacks = 'must be the name of an account for type "mysql", got nothing'
  const route = { names, upstreams }
  assert.deepEqual(faults({ health }, route), [`health.check.user ${lacks}`])
  assert.deepEqual(faults({}, { ...route, health }), [`passthrough.routes[0].health.check.user ${lacks}`])
})

test('a wrong value of the service is reported once, one of a route where it stands', () => {
  const route = { names, upstreams }
  const second = { names: ['b.example'], upstreams: ['192.0.2.3:443'] }
  assert.deepEqual(
    faults(
      { retries: -1, timeouts: { idle: 0 }, queue: 5 },
      { ...route, balance: 'source-hsh', timeouts: 3 },
      second,
    ),
    [
      'retries must be an integer from 0 to 1000, got -1',
      'queue must be an object, got 5',
      'passthrough.routes[0].balance must be one of "round-robin", "least-connections", "source-hash", got "source-hsh"; did you mean "source-hash"?',
      'passthrough.routes[0].timeouts must be an object, got 3',
      'timeouts.idle must be an integer from 1 to 2147483647 (milliseconds) or a string such as "10s" or "never", got 0',
    ],
  )
  assert.deepEqual(faults({}, { ...route, health: { check: { rise: 0 } } }), [
    'passthrough.routes[0].health.check.rise must be an integer from 1 to 1000, got 0',
  ])
  assert.deepEqual(faults({}, 'a.example'), ['passthrough.routes[0] must be an object, got "a.example"'])
})

test('a route has no timeouts that start before it is known', () => {
  for (const key of ['header', 'abort']) {
    assert.deepEqual(faults({}, { names, upstreams, timeouts: { [key]: 5 } }), [
      `passthrough.routes[0].timeouts.${key} must be one of the keys connect, idle, halfClose, keepAlive`,
    ])
  }
})

test('a route refuses TLVs of its own if its upstreams get no version 2 header', () => {
  const route = { names, upstreams: ['192.0.2.2:443?pp=noop'], tlvs: { '0xE1': 'text:a' } }
  assert.deepEqual(faults({ tlvs: { '0xE2': 'text:b' } }, route), [
    'passthrough.routes[0].tlvs must stand where an upstream is sent a version 2 header, got no such upstream',
  ])
  assert.deepEqual(faults({ tlvs: { '0xE1': 'text:a' } }, { ...route, tlvs: undefined }), [])
  const fallback = { upstreams: ['192.0.2.2:22?pp=v1'], tlvs: { '0xE1': 'text:a' } }
  assert.throws(() => parseService(':1', '192.0.2.1:443', { passthrough: { fallback } }), {
    message:
      'passthrough.fallback.tlvs must stand where an upstream is sent a version 2 header, got no such upstream',
  })
})
