// What a configuration file may say, what it is settled to, and how everything that is wrong with it is told.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { combineConfig, parseConfig, parseService, settings } from '../../src/config/index.ts'
import { faultsIn } from '../support/config-file.ts'

const service = { listen: ':10000', upstream: '127.0.0.1:10007' }

function faults(json: unknown): readonly string[] {
  return faultsIn(json, 'proxy.json')
}

/** What is wrong with one service, its place left out. */
function serviceFaults(written: object): readonly string[] {
  return faults({ services: [written] }).map(line => line.replace(/^proxy\.json: services\[0\]\.?/, ''))
}

test('a service of the file is settled as the same service of --service is', () => {
  const { services, shutdown, log, admin } = parseConfig({ services: [service] })
  assert.deepEqual(services, [parseService(service.listen, service.upstream)])
  assert.deepEqual(shutdown, { drain: 30_000, readyDelay: 0 })
  assert.deepEqual(log, { format: 'text', quiet: false })
  assert.equal(admin, undefined)
})

test('every key of a service reaches the settled one', () => {
  const options = {
    name: 'web',
    trust: ['10.0.0.0/8', 'unix'],
    pass: ['alpn', 0xe5],
    limits: { connections: 1, perSource: 2, pendingHeaders: 3, headerBytes: 536 },
    overLimit: 'reset',
    timeouts: { connect: 1, header: 3_000, idle: 'never', halfClose: 4, keepAlive: 5_000, abort: 6 },
  } as const
  const { listen, upstream } = { listen: ':1?pp=detect', upstream: ':2?pp=v1' }
  const text = JSON.stringify({
    $schema: './config.schema.json',
    services: [{ listen, upstream, ...options }],
  })
  assert.deepEqual(parseConfig(text).services, [parseService(listen, upstream, options)])
})

test('services that have no name of their own are told apart', () => {
  const free = { listen: ':0', upstream: ':1' }
  const { services } = parseConfig({ services: [free, { ...free, name: 'web' }, free, free] })
  assert.deepEqual(
    services.map(({ name }) => name),
    [':0', 'web', ':0#2', ':0#3'],
  )
})

test('a configuration without an origin has messages that start with what must be', () => {
  assert.throws(() => parseConfig([], ''), /^ConfigError: must be an object/)
})

test('two services cannot listen at one address, nor have one name, nor one be its own upstream', () => {
  const web = { ...service, name: 'web' }
  assert.deepEqual(faults({ services: [service, service, web, { ...web, listen: ':1' }] }), [
    ...[1, 2].map(
      at =>
        `proxy.json: services[${at}].listen must not overlap with :10000, where services[0] (":10000") listens, got :10000`,
    ),
    'proxy.json: services[3].name must be another name than that of services[2], got "web"',
  ])
  const loops = [
    [':80', 'localhost:80'],
    [':80', '127.0.0.2:80?pp=noop'],
    [':80', '[::1]:80'],
    ['192.0.2.1:80?pp=v1', '192.0.2.1:80'],
    ['unix:/run/relay.sock', 'ssl+unix:/run/relay.sock'],
  ]
  for (const [listen, upstream] of loops) {
    assert.deepEqual(
      serviceFaults({ listen, upstream, trust: listen?.includes('pp') ? 'anyone' : undefined }),
      ['upstream must not be where the service itself listens, because it would connect to itself'],
    )
  }
  assert.deepEqual(
    serviceFaults({ listen: ':80', upstream: undefined, upstreams: ['192.0.2.1:80', '[::1]:80'] }),
    ['upstreams must not be where the service itself listens, because it would connect to itself'],
  )
  for (const [listen, upstream] of [
    [':80', ':81'],
    ['192.0.2.1:80', '127.0.0.1:80'],
    [':80', '192.0.2.1:80'],
    ['unix:/run/relay.sock', 'unix:/run/app.sock'],
  ]) {
    assert.equal(parseConfig({ services: [{ listen, upstream }] }).services.length, 1)
  }
})

test('a route of TLS that passes through cannot lead back to its service either', () => {
  const routes = ['192.0.2.2:443', '127.0.0.1:443'].map((upstream, at) => ({
    names: [`${at}.test`],
    upstreams: [`192.0.2.3:44${at}`, upstream],
  }))
  assert.deepEqual(serviceFaults({ listen: ':443', upstream: '192.0.2.1:443', passthrough: { routes } }), [
    'passthrough.routes[1].upstreams must not be where the service itself listens, because it would connect to itself',
  ])
})

test('two services cannot listen at one UNIX socket, with TLS or without', () => {
  const listen = 'unix:/run/relay.sock'
  const others = [{ listen: 'unix:/run/other.sock' }, { listen: `ssl+${listen}?cert=cert.pem` }]
  const services = [{ listen }, ...others].map(each => ({ upstream: '192.0.2.1:80', ...each }))
  assert.deepEqual(faults({ services }), [
    `proxy.json: services[2].listen must not overlap with ${listen}, where services[0] ("${listen}") listens, got ${listen}`,
  ])
})

test('TLS that ends at a service does not pass through it', () => {
  const listen = 'ssl://:443?cert=cert.pem'
  const passthrough = { routes: [{ names: ['a.test'], upstreams: ['192.0.2.2:443'] }] }
  assert.deepEqual(serviceFaults({ listen, upstream: '192.0.2.1:443', passthrough }), [
    'passthrough must stand beside a `listen` without TLS, because encrypted bytes pass through',
  ])
})

test('the admin listener speaks HTTP at a port, and refuses what it would not do', () => {
  const cases = {
    '127.0.0.1:1?pp=v1': 'must have no "pp", because the admin listener reads no headers',
    'unix:/run/admin.sock': 'must be HOST:PORT, got a UNIX socket',
    'udp://127.0.0.1:1': 'must be HOST:PORT of TCP, got "udp://"',
    'ssl://127.0.0.1:1?cert=cert.pem':
      'must have no TLS: the admin listener speaks plain HTTP, on loopback or in a private network',
  }
  for (const [at, fault] of Object.entries(cases)) {
    assert.deepEqual(faults({ services: [service], admin: { listen: at } }), [
      `proxy.json: admin.listen ${fault}`,
    ])
  }
})

test('a value of the wrong type is refused and never converted, with what is wanted', () => {
  const duration = 'must be an integer from 1 to 2147483647 (milliseconds) or a string such as "10s"'
  const cases: [written: object, fault: string][] = [
    [{ timeouts: { header: '5 s' } }, `timeouts.header ${duration}, got "5 s"`],
    [{ timeouts: { header: '5000' } }, `timeouts.header ${duration}, got "5000"`],
    [{ timeouts: { header: 0 } }, `timeouts.header ${duration}, got 0`],
    [{ timeouts: { header: 1.5 } }, `timeouts.header ${duration}, got 1.5`],
    [{ timeouts: { header: 2 ** 31 } }, `timeouts.header ${duration}, got 2147483648`],
    [{ timeouts: { header: null } }, `timeouts.header ${duration}, got null`],
    [{ timeouts: { header: [] } }, `timeouts.header ${duration}, got an empty list`],
    [{ timeouts: { header: [5] } }, `timeouts.header ${duration}, got a list`],
    [{ timeouts: { header: {} } }, `timeouts.header ${duration}, got an object`],
    [{ timeouts: { idle: 0 } }, `timeouts.idle ${duration} or "never", got 0`],
    [{ timeouts: [] }, 'timeouts must be an object, got an empty list'],
    [{ limits: { perSource: true } }, 'limits.perSource must be an integer from 1 or "unlimited", got true'],
    [
      { limits: { headerBytes: 15 } },
      'limits.headerBytes must be an integer from 16 to 65551 (bytes) or a string such as "64KiB", got 15',
    ],
    [
      { overLimit: 'closed' },
      'overLimit must be one of "close", "reset", "pause", got "closed"; did you mean "close"?',
    ],
    [
      { pass: ['uniqeId'] },
      'pass[0] must be one of "alpn", "authority", "uniqueId", "ssl", "netns", "gcp", "alibaba", "aws", "azure" ' +
        'or an integer from 0 to 255, got "uniqeId"; did you mean "uniqueId"?',
    ],
    [{ listen: ':1?pp=v1', trust: [] }, 'trust must have at least one entry, got none'],
    [{ overLimit: 'drop' }, 'overLimit must be one of "close", "reset", "pause", got "drop"'],
    [{ name: 'a b' }, 'name must be up to 64 letters, digits and any of ". _ : - [ ]", got "a b"'],
    [
      { upstream: undefined, upstreams: [{ address: ':1', name: '' }] },
      'upstreams[0].name must be up to 64 letters, digits and any of ". _ : - [ ]", got ""',
    ],
    [
      { trust: '10.0.0.0/8' },
      'trust must be "anyone" or a list, each a string such as "10.0.0.0/8" or "2001:db8::1" or "unix", got "10.0.0.0/8"',
    ],
    [
      { listen: 10_000 },
      'listen must be a string such as ":10000" or "127.0.0.1:10000?pp=detect" or a list, each a string such as ' +
        '"127.0.0.1:10000" or ":30000-30100", got 10000',
    ],
    [
      { pass: ['h2'] },
      'pass[0] must be one of "alpn", "authority", "uniqueId", "ssl", "netns", "gcp", "alibaba", "aws", "azure" ' +
        'or an integer from 0 to 255, got "h2"',
    ],
    [{ pass: [3] }, 'pass[0]: the types 3 (checksum, computed anew) and 4 (padding) are never passed on'],
    [
      { overLimit: 'x'.repeat(100) },
      `overLimit must be one of "close", "reset", "pause", got "${'x'.repeat(59)}...`,
    ],
  ]
  for (const [written, fault] of cases) assert.deepEqual(serviceFaults({ ...service, ...written }), [fault])
})

test('a key that does not exist is refused, with the one that was meant or those that there are', () => {
  assert.deepEqual(faults({ services: [service], shutdwon: {} }), [
    'proxy.json: shutdwon must be a known key; did you mean "shutdown"?',
  ])
  assert.deepEqual(serviceFaults({ ...service, timeouts: { Header: 1 }, limits: { memory: 1 } }), [
    'limits.memory must be one of the keys connections, perSource, pendingHeaders, headerBytes, flows',
    'timeouts.Header must be a known key; did you mean "header"?',
  ])
})

test('a key that is needed is missed by name', () => {
  assert.deepEqual(faults({}), ['proxy.json: services must be a list, each an object, got nothing'])
  assert.deepEqual(faults({ services: [] }), ['proxy.json: services must have at least one entry, got none'])
  assert.deepEqual(serviceFaults({ listen: ':1' }), [
    'upstream must be a string such as "192.0.2.1:8080" or "192.0.2.1:8080?pp=v1", or `upstreams` a list, got nothing',
  ])
})

test('what is not a configuration at all is refused', () => {
  assert.deepEqual(faults([]), ['proxy.json must be an object, got an empty list'])
  assert.deepEqual(faults('5'), ['proxy.json:1:1 must be an object, got 5'])
  assert.deepEqual(faults('{]'), ['proxy.json:1:2: this is not YAML: flow map must end with a }'])
  assert.deepEqual(faults(''), ['proxy.json:1:1 must be an object, got null'])
  assert.throws(() => parseConfig(undefined), /^ConfigError: configuration must be an object, got nothing$/)
})

test('all that is wrong is told at once, each with its line and column', () => {
  const text = `{
  "services": [
    { "listen": ":10000", "upstrem": "127.0.0.1:1",
      "trust": ["10.0.0.0/8", "me"] },
    { "listen": "localhost", "upstream": ":2",
      "timeouts": { "idle": "10 m" } }
  ]
}`
  assert.deepEqual(faults(text), [
    'proxy.json:4:31: services[0].trust[1] must hold addresses, networks such as "10.0.0.0/8" or "unix", got "me"',
    'proxy.json:3:27: services[0].upstrem must be a known key; did you mean "upstream"?',
    'proxy.json:3:5: services[0].upstream must be a string such as "192.0.2.1:8080" or "192.0.2.1:8080?pp=v1", or `upstreams` a list, got nothing',
    'proxy.json:5:7: services[1].listen: "localhost": it must have a port, as in "localhost:PORT"; a right one is ' +
      '"127.0.0.1:10007"',
    'proxy.json:6:21: services[1].timeouts.idle must be an integer from 1 to 2147483647 (milliseconds) or a string such as "10s" or "never", got "10 m"',
  ])
})

test('trust and the headers that it is about stand together, or not at all', () => {
  assert.match(
    serviceFaults({ ...service, listen: ':1?pp=v2' }).join('\n'),
    /^trust must name the proxies whose headers are believed, because "pp" of `listen` is "v2"/,
  )
  assert.match(
    serviceFaults({ ...service, trust: 'anyone' }).join('\n'),
    /^trust must stand beside a `listen` that accepts headers/,
  )
})

test('what stands outside the file wins over it, and its faults have its name', () => {
  const [drain, idle] = ['drain', 'idle-timeout'].map(flag => settings().find(each => each.flag === flag))
  assert.ok(drain && idle)
  const written = {
    services: [{ ...service, timeouts: { idle: 1, header: 4_000 } }],
    shutdown: { readyDelay: 5 },
  }
  const overrides = [
    { setting: idle, value: 2, name: 'PROXYPROTOCOL_IDLE_TIMEOUT' },
    { setting: idle, value: 3, name: '--idle-timeout' },
    { setting: drain, value: 4, name: '--drain' },
  ]
  const more = { listen: ':2', upstream: ':3' }
  const { services, shutdown } = combineConfig([{ origin: 'proxy.json', content: written }], {
    services: [more],
    overrides,
  })
  assert.deepEqual(
    services.map(({ timeouts }) => [timeouts.idle, timeouts.header]),
    [
      [3, 4_000],
      [3, 5_000],
    ],
  )
  assert.deepEqual(shutdown, { drain: 4, readyDelay: 5 })
  const wrong = [
    { setting: idle, value: '5 s', name: '--idle-timeout' },
    { setting: drain, value: -1, name: '--drain' },
  ]
  assert.throws(
    () =>
      combineConfig([{ origin: '', content: { services: [service, service] } }], {
        services: [{ listen: ':1', upstream: 'x' }],
        overrides: wrong,
      }),
    {
      message:
        '--idle-timeout must be an integer from 1 to 2147483647 (milliseconds) or a string such as "10s" or "never", got "5 s"\n' +
        '--service DEST: "x": it must have a port, as in "x:PORT"; a right one is "192.0.2.1:8080?pp=v1"\n' +
        '--drain must be an integer from 0 to 2147483647 (milliseconds) or a string such as "10s", got -1',
    },
  )
})

test('a file that is not a configuration is refused as it stands, whatever stands outside of it', () => {
  const overrides = settings().map(setting => ({ setting, value: 1, name: `--${setting.flag}` }))
  const refused = (json: unknown): string => {
    try {
      combineConfig([{ origin: 'proxy.json', content: json }], { services: [service], overrides })
    } catch (error) {
      return (error as Error).message
    }
    return ''
  }
  assert.match(refused([]), /^proxy\.json must be an object, got an empty list$/)
  assert.match(refused({ services: 5 }), /proxy\.json: services must be a list, .*, got 5/)
  assert.match(
    refused({ services: [5, { ...service, limits: 6 }] }),
    /services\[0\] must be an object, got 5/,
  )
  assert.match(
    refused({ services: [{ ...service, limits: 6 }] }),
    /services\[0\]\.limits must be an object, got 6/,
  )
})
