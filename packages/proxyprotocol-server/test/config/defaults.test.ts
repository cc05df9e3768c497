// Keys for all services, under those of each.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { combineConfig, parseConfig, settings, type Service } from '../../src/config/index.ts'
import { faultsIn } from '../support/config-file.ts'

const service = { listen: ':1', upstream: '192.0.2.1:2' }

function services(defaults: object, ...written: object[]): readonly Service[] {
  return parseConfig({
    defaults,
    services: written.map((each, at) => ({ ...service, listen: `:${at + 1}`, ...each })),
  }).services
}

function faults(text: string): readonly string[] {
  return faultsIn(text, 'a.yaml')
}

test('a service takes from defaults what it does not have, object by object', () => {
  const defaults = {
    timeouts: { connect: '1s', idle: '1h' },
    limits: { perSource: 5 },
    allow: ['10.0.0.0/8', '192.0.2.1'],
    resolve: { interval: 7 },
    overLimit: 'reset',
    rate: { connections: 3 },
  }
  const [plain, own] = services(
    defaults,
    {},
    { timeouts: { idle: 'never' }, allow: ['unix'], overLimit: 'close', resolve: { maxMembers: 9 } },
  )
  assert.equal(plain?.timeouts.connect, 1_000)
  assert.equal(plain.timeouts.idle, 3_600_000)
  assert.equal(plain.limits.perSource, 5)
  assert.equal(plain.overLimit, 'reset')
  assert.equal(plain.rate?.connections, 3)
  assert.deepEqual(plain.access?.allow, defaults.allow)
  assert.equal(own?.timeouts.connect, 1_000)
  assert.equal(own.timeouts.idle, Infinity)
  assert.equal(own.overLimit, 'close')
  assert.deepEqual(own.access?.allow, ['unix'])
  assert.equal(own.pool.resolve.interval, 7)
  assert.equal(own.pool.resolve.maxMembers, 9)
})

test('trust of defaults is for services that accept headers', () => {
  const listens = [':1', ':2?pp=noop', ':3?pp=v2', [':4?pp=detect']]
  const trusted = services({ trust: ['10.0.0.0/8'] }, ...listens.map(listen => ({ listen })))
  assert.deepEqual(
    trusted.map(({ accepts }) => accepts?.trust),
    [undefined, undefined, ['10.0.0.0/8'], ['10.0.0.0/8']],
  )
})

test('tls of defaults is for services that end TLS', () => {
  const listens = [':1', 'ssl://:2?cert=c', 'tls+unix:/run/a.sock?cert=c', [':3', 'SSL://:4?cert=c']]
  const secured = services({ tls: { maxVersion: 'TLSv1.2' } }, ...listens.map(listen => ({ listen })))
  assert.deepEqual(
    secured.map(({ tls }) => tls?.maxVersion),
    [undefined, 'TLSv1.2', 'TLSv1.2', undefined, 'TLSv1.2'],
  )
})

test('arguments win over a service, and a service over defaults', () => {
  const idle = settings().find(({ flag }) => flag === 'idle-timeout')
  assert.ok(idle)
  const written = { defaults: { timeouts: { idle: 1, abort: 2 } }, services: [service] }
  const overrides = [{ setting: idle, value: 3, name: '--idle-timeout' }]
  const more = { listen: ':3', upstream: ':4' }
  const { services: all } = combineConfig([{ origin: 'a.yaml', content: written }], {
    overrides,
    services: [more],
  })
  assert.deepEqual(
    all.map(({ timeouts }) => [timeouts.idle, timeouts.abort]),
    [
      [3, 2],
      [3, 2],
    ],
  )
})

test('a fault of defaults is reported once, where it stands', () => {
  const text = `defaults:
  timeouts: { idle: 5 s }
  allow: [10.0.0.1/8]
  listen: :5
services:
  - { listen: :1, upstream: :2 }
  - { listen: :3, upstream: :4, timeouts: { abort: 0 } }`
  assert.deepEqual(
    faults(text)
      .map(each => each.replace(/ must .*/, ''))
      .sort(),
    [
      'a.yaml:2:15: defaults.timeouts.idle',
      'a.yaml:3:11: defaults.allow[0]',
      'a.yaml:4:3: defaults.listen',
      'a.yaml:7:45: services[1].timeouts.abort',
    ],
  )
})

test('defaults that are no object, and services that are none, are refused as they stand', () => {
  assert.deepEqual(faults('{defaults: [], services: [{listen: :1, upstream: :2}]}'), [
    'a.yaml:1:2: defaults must be an object, got an empty list',
  ])
  assert.deepEqual(faults('{defaults: {pass: []}, services: [5]}'), [
    'a.yaml:1:35: services[0] must be an object, got 5',
  ])
  assert.deepEqual(
    faults('{defaults: {timeouts: 5}, services: [{listen: :1, upstream: :2, timeouts: {}}]}'),
    ['a.yaml:1:13: defaults.timeouts must be an object, got 5'],
  )
})
