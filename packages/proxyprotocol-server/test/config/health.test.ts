// What a service says of health and checks: what holds for each upstream, and what is refused.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseService, type ServiceOptions, type UpstreamText } from '../../src/config/index.ts'

type Health = NonNullable<ServiceOptions['health']>

/** The settled check of each upstream. */
function checks(health: Health, upstreams: readonly UpstreamText[] = ['app.test:80']) {
  return parseService(':1', upstreams, { health }).pool.upstreams.map(({ check }) => check)
}

/** The message of the fault. */
function fault(options: ServiceOptions, upstreams: readonly UpstreamText[] = ['app.test:80']): string {
  try {
    parseService(':1', upstreams, options)
  } catch (error) {
    return (error as Error).message // it throws errors only
  }
  return assert.fail('it is accepted')
}

test('a check has defaults for all types', () => {
  const none = new Uint8Array()
  assert.deepEqual(checks({ check: {} }), [
    {
      ...{ type: 'tcp', interval: 5_000, timeout: 2_000, rise: 2, fall: 3, header: true, tls: true },
      ...{ port: undefined, address: undefined, method: 'GET', path: '/', host: 'localhost' },
      ...{ status: { first: 200, last: 399 }, servername: undefined, user: '', send: none, expect: none },
    },
  ])
  assert.deepEqual(checks({}), [undefined])
})

test('a check by HTTP names host and port that it goes to, unless it is given another name', () => {
  const hosts = [
    checks({ check: { type: 'http' } }, [
      'app.test:80',
      '[2001:db8::1]:81',
      'unix:/app',
      ':82',
      'srv:_web._tcp.app.test',
    ]),
    checks({ check: { type: 'http', port: 8080 } }, ['app.test:80', 'unix:/app']),
    checks({ check: { type: 'http', port: 8080, address: '192.0.2.9' } }),
    checks({ check: { type: 'http', host: 'app.example' } }),
  ]
  assert.deepEqual(
    hosts.map(each => each.map(check => check?.host)),
    [
      ['app.test:80', '[2001:db8::1]:81', 'localhost', 'localhost:82', 'app.test'],
      ['app.test:8080', 'localhost:8080'],
      ['192.0.2.9:8080'],
      ['app.example'],
    ],
  )
})

test('statuses are one or a range, and bytes are text or hexadecimal', () => {
  const statuses = [200, '204', '200-299'].map(
    status => checks({ check: { type: 'http', status } })[0]?.status,
  )
  assert.deepEqual(
    statuses.map(status => [status?.first, status?.last]),
    [
      [200, 200],
      [204, 204],
      [200, 299],
    ],
  )
  const [check] = checks({ check: { type: 'send-expect', send: 'text:é\r\n', expect: 'hex:00fF' } })
  assert.deepEqual(
    [String(check?.send && Buffer.from(check.send)), check?.expect],
    ['é\r\n', new Uint8Array([0, 255])],
  )
})

test('the check of an upstream wins key by key, and takes over what its own type has', () => {
  const health: Health = { check: { type: 'http', interval: 7, path: '/live', port: 99 } }
  const [own, other, plain] = checks(health, [
    { address: 'a.test:1', check: { path: '/own' } },
    { address: 'b.test:2', check: { type: 'redis', fall: 9 } },
    'c.test:3',
  ])
  assert.deepEqual([own?.type, own?.path, own?.interval, own?.port], ['http', '/own', 7, 99])
  assert.deepEqual([other?.type, other?.path, other?.interval, other?.fall], ['redis', '/', 7, 9])
  assert.deepEqual([plain?.type, plain?.path], ['http', '/live'])
})

test('an upstream may be the only one that is checked', () => {
  const upstreams = [{ address: 'a.test:1', check: {} }, 'b.test:2']
  const health: Health = { onDown: 'reset' }
  assert.deepEqual(
    checks(health, upstreams).map(check => check?.type),
    ['tcp', undefined],
  )
})

test('the upstreams of a route have the checks of the service, and checks of their own', () => {
  const upstreams = ['a.test:1', { address: 'b.test:2', check: { type: 'redis' } }] as const
  const { passthrough } = parseService(':1', 'c.test:3', {
    health: { check: { type: 'tls' } },
    passthrough: { routes: [{ names: ['a.example'], upstreams }] },
  })
  const types = passthrough?.routes[0]?.pool.upstreams.map(({ check }) => check?.type)
  assert.deepEqual(types, ['tls', 'redis'])
})

test('slowStart is milliseconds or text with a unit', () => {
  const settled = [1_500, '30s'].map(
    slowStart => parseService(':1', 'a:1', { health: { slowStart } }).pool.health,
  )
  assert.deepEqual(
    settled.map(({ slowStart }) => slowStart),
    [1_500, 30_000],
  )
})

test('what a check cannot have is refused by key, value and what is wanted', () => {
  const cases: [check: object, message: string][] = [
    [
      { type: 'htpp' },
      'type must be one of "tcp", "http", "tls", "mysql", "postgresql", "smtp", "redis", "send-expect", got "htpp"; did you mean "http"?',
    ],
    [{ tpye: 'http' }, 'tpye must be a known key; did you mean "type"?'],
    [{ path: '/' }, 'path must stand beside type "http", got type "tcp"'],
    [{ type: 'redis', user: 'x' }, 'user must stand beside type "mysql" or "postgresql", got type "redis"'],
    [
      { type: 'tls', tls: false },
      'tls must stand beside type "tcp" or "http" or "mysql" or "postgresql" or "smtp" or "redis" or "send-expect", got type "tls"',
    ],
    [{ type: 'mysql' }, 'user must be the name of an account for type "mysql", got nothing'],
    [
      { type: 'send-expect' },
      'expect must be what the answer contains, such as "text:+PONG" for type "send-expect", got nothing',
    ],
    [
      { type: 'http', method: 'get' },
      'method must be one of "GET", "HEAD", "OPTIONS", got "get"; did you mean "GET"?',
    ],
    [{ type: 'http', path: 'live' }, 'path must be a path from "/" without spaces, got "live"'],
    [{ type: 'http', host: 'a b' }, 'host must be a host with or without a port, got "a b"'],
    [
      { type: 'http', status: '399-200' },
      'status must be a status such as 200 or a range such as "200-399", got "399-200"',
    ],
    [
      { type: 'http', status: 'ok' },
      'status must be a status such as 200 or a range such as "200-399", got "ok"',
    ],
    [
      { type: 'http', status: 99 },
      'status must be an integer from 100 to 599 or a string such as "200-399", got 99',
    ],
    [{ type: 'tls', servername: '192.0.2.1' }, 'servername must be a host name, got "192.0.2.1"'],
    [{ type: 'mysql', user: '' }, 'user must be a name of 1 to 80 characters, got ""'],
    [
      { type: 'send-expect', expect: 'PONG' },
      'expect must be text such as "text:PING\\r\\n" or bytes such as "hex:00ff", got "PONG"',
    ],
    [
      { type: 'send-expect', expect: `text:${'x'.repeat(1_025)}` },
      'expect must have at most 1024 bytes, got 1025',
    ],
    [{ port: 0 }, 'port must be an integer from 1 to 65535, got 0'],
    [{ port: 1, address: 'a b' }, 'address must be a host name or an IP address, got "a b"'],
    [{ address: '192.0.2.1' }, 'address must stand beside `port`, got "192.0.2.1" alone'],
  ]
  for (const [check, message] of cases) {
    assert.equal(fault({ health: { check: check } }), `health.check.${message}`)
  }
})

test('the check of an upstream is refused where it stands', () => {
  const health: Health = { check: { type: 'http', port: 80 } }
  const upstreams = [
    { address: 'a.test:1', check: { address: '192.0.2.1' } },
    { address: 'b.test:2', check: { user: 'x' } },
  ]
  const message = 'must stand beside type "mysql" or "postgresql", got type "http"'
  assert.equal(fault({ health }, upstreams), `upstreams[1].check.user ${message}`)
  const routes = [{ names: ['a.example'], upstreams }]
  const place = 'passthrough.routes[0].upstreams[1].check.user'
  assert.equal(fault({ health, passthrough: { routes } }), `${place} ${message}`)
})

test('an upstream with a source is checked at an address of the same family', () => {
  const health: Health = { check: { port: 80, address: '2001:db8::1' } }
  const source = '192.0.2.9'
  assert.equal(
    fault({ health }, [{ address: '192.0.2.1:1', source }]),
    'upstreams[0].source must be of the family of 2001:db8::1, which its check connects to, got "192.0.2.9"',
  )
  assert.doesNotThrow(() =>
    parseService(':1', [{ address: '192.0.2.1:1', source, check: { address: '192.0.2.8' } }, 'a.test:1'], {
      health,
    }),
  )
})

test('onDown is refused where no check can find an upstream down, and a slow start needs a duration', () => {
  assert.equal(
    fault({ health: { onDown: 'reset' } }),
    'health.onDown must be "keep" without `check`, because failed connections alone are a guess, got "reset"',
  )
  assert.match(
    fault({ health: { slowStart: '5 s' } }),
    /^health\.slowStart must be an integer from 1 to .* or a string such as "10s", got "5 s"$/,
  )
})
