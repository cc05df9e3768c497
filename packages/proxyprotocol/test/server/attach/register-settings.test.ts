// The variables of proxyprotocol/register: what they mean, and the errors that name them.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hasPort, registerSettings } from '../../../src/server/attach/register-settings.ts'

const right = { PROXYPROTOCOL_TRUST: '10.0.0.0/8', PROXYPROTOCOL_PORTS: '80' }

test('register trusts a list of networks, or anyone', () => {
  const trust = (text: string): unknown =>
    registerSettings({ ...right, PROXYPROTOCOL_TRUST: text }).options.trust
  assert.deepEqual(trust('10.0.0.0/8, ::1,unix'), ['10.0.0.0/8', '::1', 'unix'])
  assert.equal(trust('anyone'), 'anyone')
})

test('register accepts both versions by default', () => {
  assert.equal(registerSettings(right).options.version, 'detect')
  assert.equal(registerSettings({ ...right, PROXYPROTOCOL_VERSION: 'v2' }).options.version, 'v2')
})

test('register takes ports, ranges with both their ends, and all', () => {
  const { ports } = registerSettings({ ...right, PROXYPROTOCOL_PORTS: '1, 9000-9010,65535' })
  assert.ok(ports !== 'all')
  const held = [1, 2, 8999, 9000, 9005, 9010, 9011, 65535].filter(port =>
    ports.some(range => hasPort(range, port)),
  )
  assert.deepEqual(held, [1, 9000, 9005, 9010, 65535])
  assert.equal(registerSettings({ ...right, PROXYPROTOCOL_PORTS: 'all' }).ports, 'all')
})

test('register ignores every other variable, also those of Kubernetes and of the programs', () => {
  const others = {
    PROXYPROTOCOL_PORT: 'tcp://10.0.0.1:80',
    PROXYPROTOCOL_SERVICE_HOST: '10.0.0.1',
    PROXYPROTOCOL_DRAIN: '1',
  }
  assert.deepEqual(registerSettings({ ...right, ...others }), registerSettings(right))
})

for (const [name, value, message] of [
  ['PROXYPROTOCOL_TRUST', undefined, "PROXYPROTOCOL_TRUST must be CIDRs with commas, or 'anyone', got none"],
  ['PROXYPROTOCOL_TRUST', '', 'PROXYPROTOCOL_TRUST must be CIDRs with commas, or \'anyone\', got ""'],
  ['PROXYPROTOCOL_TRUST', 'lb', /^PROXYPROTOCOL_TRUST\b.*"lb"/],
  ['PROXYPROTOCOL_TRUST', '::1,anyone', /^PROXYPROTOCOL_TRUST\b.*"anyone"/],
  ['PROXYPROTOCOL_TRUST', '::1,10.0.0.1/8', /^PROXYPROTOCOL_TRUST\b.*10\.0\.0\.1\/8/],
  ['PROXYPROTOCOL_VERSION', 'v3', "PROXYPROTOCOL_VERSION must be 'detect', 'v1' or 'v2', got \"v3\""],
  [
    'PROXYPROTOCOL_PORTS',
    undefined,
    "PROXYPROTOCOL_PORTS must be ports as in 8080,9000-9010, or 'all', got none",
  ],
  ...['', '0', '65536', '080', '80-', '90-80', '80,,81', '80,all', 'http', '1 2', '-1'].map(
    ports =>
      [
        'PROXYPROTOCOL_PORTS',
        ports,
        `PROXYPROTOCOL_PORTS must be ports as in 8080,9000-9010, or 'all', got ${JSON.stringify(ports)}`,
      ] as const,
  ),
] as const) {
  test(`register refuses ${name}=${String(value)}`, () => {
    assert.throws(() => registerSettings({ ...right, [name]: value }), { message })
  })
}
