// What a configuration file may say, what it is settled to, and how everything that is wrong with it is told.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { combineConfig, ConfigError, parseConfig, parseService, settings } from '../../src/config/index.ts'

const service = { listen: ':10000', upstream: '127.0.0.1:10007' }

/** The lines of the error that a configuration is refused with. */
function faults(json: unknown): readonly string[] {
  try {
    parseConfig(json, 'proxy.json')
  } catch (error) {
    assert.ok(error instanceof ConfigError)
    return error.message.split('\n')
  }
  return assert.fail('it was accepted')
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

test('two services cannot listen at one address, nor have one name, nor one be its own upstream', () => {
  const web = { ...service, name: 'web' }
  assert.deepEqual(faults({ services: [service, service, web, { ...web, listen: ':1' }] }), [
    ...[1, 2].map(
      at =>
        `proxy.json: services[${at}].listen: must not overlap with :10000, where services[0] (":10000") listens, got :10000`,
    ),
    'proxy.json: services[3].name: services[2] is called "web" as well',
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
      ['upstream: it is the service itself, which would connect to itself for ever'],
    )
  }
  assert.deepEqual(
    serviceFaults({ listen: ':80', upstream: undefined, upstreams: ['192.0.2.1:80', '[::1]:80'] }),
    ['upstreams: it is the service itself, which would connect to itself for ever'],
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
    'passthrough.routes[1].upstreams: it is the service itself, which would connect to itself for ever',
  ])
})

test('two services cannot listen at one UNIX socket, with TLS or without', () => {
  const listen = 'unix:/run/relay.sock'
  const others = [{ listen: 'unix:/run/other.sock' }, { listen: `ssl+${listen}?cert=cert.pem` }]
  const services = [{ listen }, ...others].map(each => ({ upstream: '192.0.2.1:80', ...each }))
  assert.deepEqual(faults({ services }), [
    `proxy.json: services[2].listen: must not overlap with ${listen}, where services[0] ("${listen}") listens, got ${listen}`,
  ])
})

test('TLS that ends at a service does not pass through it', () => {
  const listen = 'ssl://:443?cert=cert.pem'
  const passthrough = { routes: [{ names: ['a.test'], upstreams: ['192.0.2.2:443'] }] }
  assert.deepEqual(serviceFaults({ listen, upstream: '192.0.2.1:443', passthrough }), [
    'passthrough: it is about TLS that passes through undecrypted, but TLS ends at `listen`',
  ])
})

test('the admin listener speaks HTTP at a port, and refuses what it would not do', () => {
  const cases = {
    '127.0.0.1:1?pp=v1': 'it takes no "pp": headers are not read there',
    'unix:/run/admin.sock': 'it takes no UNIX socket, but HOST:PORT',
    'ssl://127.0.0.1:1?cert=cert.pem':
      'it takes no TLS: it is plain HTTP, for the loopback or a network of its own',
  }
  for (const [at, fault] of Object.entries(cases)) {
    assert.deepEqual(faults({ services: [service], admin: { listen: at } }), [
      `proxy.json: admin.listen: ${fault}`,
    ])
  }
})

test('a value of the wrong type is refused and never converted, with what is wanted', () => {
  const duration = 'wanted an integer from 1 to 2147483647 (milliseconds)'
  const cases: [written: object, fault: string][] = [
    [{ timeouts: { header: '5s' } }, `timeouts.header: got "5s", ${duration}`],
    [{ timeouts: { header: '5000' } }, `timeouts.header: got "5000", ${duration}`],
    [{ timeouts: { header: 0 } }, `timeouts.header: got 0, ${duration}`],
    [{ timeouts: { header: 1.5 } }, `timeouts.header: got 1.5, ${duration}`],
    [{ timeouts: { header: 2 ** 31 } }, `timeouts.header: got 2147483648, ${duration}`],
    [{ timeouts: { header: null } }, `timeouts.header: got null, ${duration}`],
    [{ timeouts: { header: [] } }, `timeouts.header: got an empty list, ${duration}`],
    [{ timeouts: { header: [5] } }, `timeouts.header: got a list, ${duration}`],
    [{ timeouts: { header: {} } }, `timeouts.header: got an object, ${duration}`],
    [{ timeouts: { idle: 0 } }, `timeouts.idle: got 0, ${duration} or "never"`],
    [{ timeouts: [] }, 'timeouts: got an empty list, wanted an object'],
    [{ limits: { perSource: true } }, 'limits.perSource: got true, wanted an integer from 1 or "unlimited"'],
    [
      { limits: { headerBytes: 15 } },
      'limits.headerBytes: got 15, wanted an integer from 16 to 65551 (bytes)',
    ],
    [{ overLimit: 'closed' }, 'overLimit: got "closed", did you mean "close"?'],
    [{ pass: ['uniqeId'] }, 'pass[0]: got "uniqeId", did you mean "uniqueId"?'],
    [{ listen: ':1?pp=v1', trust: [] }, 'trust: got an empty list, wanted at least one'],
    [{ overLimit: 'drop' }, 'overLimit: got "drop", wanted one of "close", "reset", "pause"'],
    [
      { name: 'a b' },
      'name: "a b" is not a name, which is up to 64 letters, digits and any of ". _ : - [ ]"',
    ],
    [
      { trust: '10.0.0.0/8' },
      'trust: got "10.0.0.0/8", wanted "anyone" or a list, each a string such as "10.0.0.0/8" or "2001:db8::1" or "unix"',
    ],
    [
      { listen: 10_000 },
      'listen: got 10000, wanted a string such as ":10000" or "127.0.0.1:10000?pp=detect" or a list, each a string such as ' +
        '"127.0.0.1:10000" or ":30000-30100"',
    ],
    [
      { pass: ['h2'] },
      'pass[0]: got "h2", wanted one of "alpn", "authority", "uniqueId", "ssl", "netns", "gcp", "alibaba", "aws", "azure" ' +
        'or an integer from 0 to 255',
    ],
    [{ pass: [3] }, 'pass[0]: the types 3 (checksum, computed anew) and 4 (padding) are never passed on'],
    [
      { overLimit: 'x'.repeat(100) },
      `overLimit: got "${'x'.repeat(59)}..., wanted one of "close", "reset", "pause"`,
    ],
  ]
  for (const [written, fault] of cases) assert.deepEqual(serviceFaults({ ...service, ...written }), [fault])
})

test('a key that does not exist is refused, with the one that was meant or those that there are', () => {
  assert.deepEqual(faults({ services: [service], shutdwon: {} }), [
    'proxy.json: shutdwon: unknown key; did you mean "shutdown"?',
  ])
  assert.deepEqual(serviceFaults({ ...service, timeouts: { Header: 1 }, limits: { memory: 1 } }), [
    'limits.memory: unknown key; there are connections, perSource, pendingHeaders, headerBytes',
    'timeouts.Header: unknown key; did you mean "header"?',
  ])
})

test('a key that is needed is missed by name', () => {
  assert.deepEqual(faults({}), ['proxy.json: services: is missing, wanted a list, each an object'])
  assert.deepEqual(faults({ services: [] }), ['proxy.json: services: got an empty list, wanted at least one'])
  assert.deepEqual(serviceFaults({ listen: ':1' }), [
    'upstream: is missing, wanted a string such as "192.0.2.1:8080" or "192.0.2.1:8080?pp=v1", or `upstreams`, a list',
  ])
})

test('what is no configuration at all is refused', () => {
  assert.deepEqual(faults([]), ['proxy.json: got an empty list, wanted an object'])
  assert.deepEqual(faults('5'), ['proxy.json:1:1: got 5, wanted an object'])
  assert.deepEqual(faults('{]'), [
    'proxy.json:1:2: this is not JSON: a key in double quotes belongs here (here is "]")',
  ])
  assert.throws(() => parseConfig(undefined), /^ConfigError: configuration: is missing, wanted an object$/)
})

test('all that is wrong is told at once, each with its line and column', () => {
  const text = `{
  "services": [
    { "listen": ":10000", "upstrem": "127.0.0.1:1",
      "trust": ["10.0.0.0/8", "me"] },
    { "listen": "localhost", "upstream": ":2",
      "timeouts": { "idle": "10m" } }
  ]
}`
  assert.deepEqual(faults(text), [
    `proxy.json:4:31: services[0].trust[1]: "me" is neither an address, a CIDR such as '10.0.0.0/8' nor 'unix'`,
    'proxy.json:3:27: services[0].upstrem: unknown key; did you mean "upstream"?',
    'proxy.json:3:5: services[0].upstream: is missing, wanted a string such as "192.0.2.1:8080" or "192.0.2.1:8080?pp=v1", or `upstreams`, a list',
    'proxy.json:5:7: services[1].listen: "localhost": it names no port, which "localhost:PORT" would; a right one is ' +
      '"127.0.0.1:10007"',
    'proxy.json:6:21: services[1].timeouts.idle: got "10m", wanted an integer from 1 to 2147483647 (milliseconds) or "never"',
  ])
})

test('trust and the headers that it is about stand together, or not at all', () => {
  assert.match(
    serviceFaults({ ...service, listen: ':1?pp=v2' }).join('\n'),
    /^trust: "pp" of the listen address is "v2", so say whose headers are to be believed/,
  )
  assert.match(
    serviceFaults({ ...service, trust: 'anyone' }).join('\n'),
    /^trust: it says whose headers are believed, but `listen` accepts none/,
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
  const { services, shutdown } = combineConfig(written, 'proxy.json', { services: [more], overrides })
  assert.deepEqual(
    services.map(({ timeouts }) => [timeouts.idle, timeouts.header]),
    [
      [3, 4_000],
      [3, 5_000],
    ],
  )
  assert.deepEqual(shutdown, { drain: 4, readyDelay: 5 })
  const wrong = [
    { setting: idle, value: '5s', name: '--idle-timeout' },
    { setting: drain, value: -1, name: '--drain' },
  ]
  assert.throws(
    () =>
      combineConfig({ services: [service, service] }, '', {
        services: [{ listen: ':1', upstream: 'x' }],
        overrides: wrong,
      }),
    {
      message:
        '--idle-timeout: got "5s", wanted an integer from 1 to 2147483647 (milliseconds) or "never"\n' +
        '--service DEST: "x": it names no port, which "x:PORT" would; a right one is "192.0.2.1:8080?pp=v1"\n' +
        '--drain: got -1, wanted an integer from 0 to 2147483647 (milliseconds)',
    },
  )
})

test('a file that is no configuration is refused as it stands, whatever stands outside of it', () => {
  const overrides = settings().map(setting => ({ setting, value: 1, name: `--${setting.flag}` }))
  const refused = (json: unknown): string => {
    try {
      combineConfig(json, 'proxy.json', { services: [service], overrides })
    } catch (error) {
      return (error as Error).message
    }
    return ''
  }
  assert.match(refused([]), /^proxy\.json: got an empty list, wanted an object$/)
  assert.match(refused({ services: 5 }), /proxy\.json: services: got 5, wanted a list/)
  assert.match(
    refused({ services: [5, { ...service, limits: 6 }] }),
    /services\[0\]: got 5, wanted an object/,
  )
  assert.match(
    refused({ services: [{ ...service, limits: 6 }] }),
    /services\[0\]\.limits: got 6, wanted an object/,
  )
})
