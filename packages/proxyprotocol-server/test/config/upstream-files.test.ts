// Lists of upstreams in files of their own: read with the configuration, and checked as if they stood in it.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseConfig } from '../../src/config/index.ts'
import { configFile, faultsIn } from '../support/config-file.ts'

const YAML = `# two members
- 192.0.2.1:80
- address: 192.0.2.2:80
  weight: 3
`

function names(written: unknown): unknown[] {
  const { services } = parseConfig(written)
  return services.map(({ pool }) => pool.upstreams.map(({ name, weight }) => [name, weight]))
}

test('upstreamsFrom reads a list of upstreams from a YAML or JSON file', t => {
  const yaml = configFile(t, YAML, 'web.yaml')
  const json = configFile(t, ['192.0.2.3:80'], 'web.json')
  const services = [
    { listen: ':1', upstreamsFrom: yaml },
    { listen: ':2', upstreamsFrom: yaml },
    { listen: ':3', upstreamsFrom: json },
    { listen: ':4', upstream: '192.0.2.4:80' },
  ]
  const two = [
    ['192.0.2.1:80', 1],
    ['192.0.2.2:80', 3],
  ]
  assert.deepEqual(names({ services }), [two, two, [['192.0.2.3:80', 1]], [['192.0.2.4:80', 1]]])
  assert.equal(parseConfig({ services }).services[0]?.upstreamsFrom, yaml)
})

test('the upstreams of a file have the checks of the service', t => {
  const upstreamsFrom = configFile(t, YAML, 'web.yaml')
  const { services } = parseConfig({
    services: [{ listen: ':1', upstreamsFrom, health: { check: { interval: 7 } } }],
  })
  assert.deepEqual(
    services[0]?.pool.upstreams.map(({ check }) => check?.interval),
    [7, 7],
  )
})

test('a fault in the file is reported with its line and column, all at once', t => {
  const upstreamsFrom = configFile(t, '- a b\n- address: 192.0.2.2:80\n  weight: x\n', 'web.yaml')
  assert.deepEqual(faultsIn({ services: [{ listen: ':1', upstreamsFrom, balance: 'x' }] }, 'proxy.json'), [
    `${upstreamsFrom}:1:3: [0]: "a b": the host must be a name or an IP address, got "a b"; a right one is "192.0.2.1:8080?pp=v1"`,
    `${upstreamsFrom}:3:3: [1].weight must be an integer from 0 to 1000, got "x"`,
    'proxy.json: services[0].balance must be one of "round-robin", "least-connections", "source-hash", got "x"',
  ])
  const empty = configFile(t, [], 'empty.json')
  assert.deepEqual(faultsIn({ services: [{ listen: ':1', upstreamsFrom: empty }] }, 'proxy.json'), [
    `${empty}:1:1 must have at least one entry, got none`,
  ])
})

test('a file that is missing or no YAML, and another key beside it, are refused', t => {
  const broken = configFile(t, '- [', 'broken.yaml')
  const services = [
    { listen: ':1', upstreamsFrom: '/missing.yaml' },
    { listen: ':2', upstreamsFrom: broken },
    { listen: ':3', upstreamsFrom: broken, upstream: '192.0.2.1:80' },
  ]
  const faults = faultsIn({ services }, 'proxy.json')
  assert.match(
    faults[0] ?? '',
    /^proxy\.json: services\[0\]\.upstreamsFrom must be a file with a list of upstreams: ENOENT/,
  )
  assert.ok(faults[1]?.startsWith(`${broken}:1:`), faults[1])
  assert.equal(
    faults.at(-1),
    'proxy.json: services[2].upstreamsFrom must stand without `upstream`; give one of the two',
  )
})

test('what is no file name and what is no service are refused as they stand', () => {
  assert.deepEqual(faultsIn({ services: [{ listen: ':1', upstreamsFrom: 1 }] }, 'x'), [
    'x: services[0].upstreamsFrom must be a string such as "/run/proxyprotocol/web.yaml", got 1',
    'x: services[0].upstream must be a string such as "192.0.2.1:8080" or "192.0.2.1:8080?pp=v1", or `upstreams` a list, got nothing',
  ])
  assert.match(faultsIn({ services: [1] }, 'x')[0] ?? '', /services\[0\] must be an object/)
})
