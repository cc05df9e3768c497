// Services that listen at several addresses: lists, and ranges of ports.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  ConfigError,
  formatAddress,
  parseConfig,
  parseService,
  type ServiceInit,
} from '../../src/config/index.ts'

const upstream = '127.0.0.1:10007'

function parsed(...services: readonly Partial<ServiceInit>[]): ReturnType<typeof parseConfig>['services'] {
  return parseConfig({ services: services.map(each => ({ upstream, ...each })) }).services
}

function faults(...services: readonly object[]): readonly string[] {
  try {
    parseConfig({ services: services.map(each => ({ upstream, ...each })) }, 'x')
  } catch (error) {
    assert.ok(error instanceof ConfigError)
    return error.message.split('\n').map(line => line.replace('x: ', ''))
  }
  return assert.fail('it was accepted')
}

test('a list of addresses makes a service of each, with the same settings', () => {
  const options = { trust: ['10.0.0.0/8'], limits: { connections: 7 }, deny: ['10.0.0.1'] }
  const services = parsed({ listen: [':10000?pp=v2', '[::1]:10001', 'unix:/run/relay.sock'], ...options })
  assert.deepEqual(
    services.map(({ listen, name, accepts }) => [formatAddress(listen), name, accepts?.version]),
    [
      [':10000?pp=v2', ':10000', 'v2'],
      ['[::1]:10001', '[::1]:10001', undefined],
      ['unix:/run/relay.sock', 'unix:/run/relay.sock', undefined],
    ],
  )
  for (const { limits, access } of services) {
    assert.equal(limits.connections, 7)
    assert.deepEqual(access?.deny, ['10.0.0.1'])
  }
})

test('services of one name are told apart by their addresses', () => {
  const names = (listen: ServiceInit['listen']): readonly string[] =>
    parsed({ name: 'web', listen }).map(({ name }) => name)
  assert.deepEqual(names([':80', 'ssl://127.0.0.1:443?cert=a&key=b']), ['web/:80', 'web/ssl://127.0.0.1:443'])
  assert.deepEqual(names([':80']), ['web'])
  assert.deepEqual(names([':0', ':0']), ['web/:0', 'web/:0#2'])
})

test('a range of ports is a list of them, each with what else its address says', () => {
  const listens = (listen: ServiceInit['listen'], trust?: 'anyone'): readonly string[] =>
    parsed({ listen, trust }).map(each => formatAddress(each.listen))
  assert.deepEqual(listens(':30000-30002'), [':30000', ':30001', ':30002'])
  assert.deepEqual(listens('[2001:db8::1]:9-10?pp=v1', 'anyone'), [
    '[2001:db8::1]:9?pp=v1',
    '[2001:db8::1]:10?pp=v1',
  ])
  assert.deepEqual(listens(['localhost:65534-65535', ':1-1']), ['localhost:65534', 'localhost:65535', ':1'])
  assert.deepEqual(listens('ssl://:443-444?cert=c.pem&key=k.pem'), [
    'ssl://:443?cert=c.pem&key=k.pem&verify=CERT_NONE&minversion=TLSv1.2',
    'ssl://:444?cert=c.pem&key=k.pem&verify=CERT_NONE&minversion=TLSv1.2',
  ])
  assert.deepEqual(listens('unix:/run/a:1-2'), ['unix:/run/a:1-2'])
  assert.equal(listens(':1-1000').length, 1_000)
})

test('a range that cannot be is refused, and so is an address in a list, by its index', () => {
  const limits = 'ports must be a range within 1-65535 of at most 1000, got'
  for (const [range, hint] of [
    ['0-5', ''],
    ['65535-65536', ''],
    ['1-1001', ''],
    ['30100-30000', '; did you mean "30000-30100"?'],
  ] as const) {
    assert.deepEqual(faults({ listen: `:${range}` }), [
      `services[0].listen: ":${range}": ${limits} "${range}"${hint}; a right one is "127.0.0.1:10007"`,
    ])
  }
  const [first, second] = faults({ listen: [':1', ':x', ':3-y'] })
  assert.match(
    first ?? '',
    /^services\[0\]\.listen\[1\]: ":x": the port must be a plain number from 0 to 65535, got "x"/,
  )
  assert.match(second ?? '', /^services\[0\]\.listen\[2\]: ":3-y": the port must be .*, got "3-y"/)
  assert.match(
    faults({ listen: [] })[0] ?? '',
    /^services\[0\]\.listen must have at least one entry, got none$/,
  )
})

test('addresses of lists conflict as those of services do, and are reported at their services', () => {
  assert.deepEqual(faults({ listen: ':1' }, { listen: [':2', ':1'] }, { listen: ':3-4' }, { listen: ':4' }), [
    'services[1].listen must not overlap with :1, where services[0] (":1") listens, got :1',
    'services[3].listen must not overlap with :4, where services[2] (":4") listens, got :4',
  ])
  assert.deepEqual(faults({ listen: [':1', ':1'] }), [
    'services[0].listen must not overlap with :1, where services[0] (":1") listens, got :1',
  ])
  assert.deepEqual(faults({ name: 'web', listen: ':1-2' }, { name: 'web', listen: ':3-4' }), [
    'services[1].name must be another name than that of services[0], got "web"',
  ])
  assert.deepEqual(faults({ listen: [':1', ':10007'] }), [
    'services[0].upstream must not be where the service itself listens, because it would connect to itself',
  ])
  assert.deepEqual(faults({ listen: [':1', 'ssl://:2?cert=c&key=k'], passthrough: {} }), [
    'services[0].passthrough must stand beside a `listen` without TLS, because encrypted bytes pass through',
  ])
})

test('a service that is wrong in itself is compared with others by its addresses', () => {
  assert.deepEqual(faults({ listen: [':1', ':2'], upstreams: [upstream] }, { listen: ':2' }), [
    'services[0].upstream must stand without `upstreams`; give one of the two',
    'services[1].listen must not overlap with :2, where services[0] (undefined) listens, got :2',
  ])
})

test('trust stands where one address of a list accepts headers', () => {
  assert.equal(parsed({ listen: [':1', ':2?pp=v1'], trust: 'anyone' }).length, 2)
  assert.match(faults({ listen: [':1', ':2?pp=v1'] })[0] ?? '', /^services\[0\]\.trust must /)
  assert.match(faults({ listen: [':1', ':2'], trust: 'anyone' })[0] ?? '', /^services\[0\]\.trust must /)
})

test('parseService() makes one service, and refuses what would make several', () => {
  assert.throws(() => parseService(':1-2', ':3'), {
    name: 'ConfigError',
    message: 'SOURCE must be one address, got ":1-2", which are several',
  })
})

test('admin.readyNeeds names services, also those of a list by their name, and needs a listener', () => {
  const services = [
    { name: 'web', listen: [':1', ':2'], upstream },
    { name: 'mail', listen: ':3', upstream },
  ]
  const problems = (readyNeeds: readonly string[], listen?: string): string => {
    try {
      parseConfig({ services, admin: { listen, readyNeeds } }, 'x')
      return ''
    } catch (error) {
      return (error as ConfigError).message
    }
  }
  assert.equal(problems(['web', 'mail', 'web/:2'], ':9'), '')
  assert.equal(
    problems(['mial', 'ftp'], ':9'),
    'x: admin.readyNeeds[0] must be the name of a service, got "mial"; did you mean "mail"?\n' +
      'x: admin.readyNeeds[1] must be the name of a service, got "ftp"; there are web/:1, web/:2, mail',
  )
  assert.equal(
    problems(['web']),
    'x: admin.readyNeeds must stand beside `listen`, which starts the admin listener',
  )
})
