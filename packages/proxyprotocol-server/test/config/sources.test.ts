// Several files that are one configuration.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { combineConfig, ConfigError, type Source } from '../../src/config/index.ts'

function files(...contents: readonly unknown[]): readonly Source[] {
  return contents.map((content, at) => ({ origin: `${at + 1}.yaml`, content }))
}

function faults(...contents: readonly unknown[]): readonly string[] {
  try {
    combineConfig(files(...contents))
  } catch (error) {
    assert.ok(error instanceof ConfigError)
    return error.message.split('\n')
  }
  return assert.fail('it was accepted')
}

test('services of several files follow one another, and every other key may stand in any of them', () => {
  const { services, workers, shutdown } = combineConfig(
    files(
      '{services: [{listen: :1, upstream: 192.0.2.1:1}], workers: 2, $schema: a}',
      'shutdown: {drain: 7}\n$schema: b\ndefaults: {backlog: 9}',
      { services: [{ listen: ':2', upstream: '192.0.2.1:1' }] },
    ),
    { services: [{ listen: ':3', upstream: '192.0.2.1:1' }] },
  )
  assert.deepEqual(
    services.map(({ name, backlog }) => [name, backlog]),
    [
      [':1', 9],
      [':2', 9],
      [':3', 9],
    ],
  )
  assert.deepEqual([workers, shutdown.drain], [2, 7])
})

test('a fault is reported with the file that it is in', () => {
  const first = 'services: [{listen: :1, upstream: 192.0.2.1:1}]'
  assert.deepEqual(
    [...faults(first, '\nservices:\n- {listen: :2, upstream: :3, backlog: no}\nlog: {format: xml}')].sort(),
    [
      '2.yaml:3:30: services[0].backlog must be an integer from 1 to 2147483647, got "no"',
      '2.yaml:4:7: log.format must be one of "text", "json", got "xml"',
    ],
  )
  assert.deepEqual(faults(first, '- a', 'a: [', 'b: ]'), [
    '3.yaml:1:5: this is not YAML: flow sequence in block collection must be sufficiently indented and end with a ]',
    '4.yaml:1:4: this is not YAML: unexpected flow-seq-end token in YAML stream: "]"',
  ])
  assert.deepEqual(faults(first, '- a'), ['2.yaml:1:1 must be an object, got a list'])
  assert.deepEqual(faults(first, 'services: {}'), [
    '2.yaml:1:1: services must be a list, each an object, got an object',
  ])
  assert.deepEqual(faults('workers: 2', 'log: {}'), [
    '1.yaml:1:1: services must be a list, each an object, got nothing',
  ])
})

test('a key cannot stand in two files', () => {
  const one = 'services: [{listen: :1, upstream: 192.0.2.1:1}]\nlog: {quiet: true}'
  assert.deepEqual(faults(one, 'log: {}\nworkers: 1', 'workers: 2'), [
    '2.yaml:1:1: log must stand in one file only, got it in 1.yaml too',
    '3.yaml:1:1: workers must stand in one file only, got it in 2.yaml too',
  ])
})
