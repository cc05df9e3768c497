// Durations and sizes as text with a unit.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { serverRequest } from '../../src/cli/server/arguments.ts'
import {
  configSchema,
  parseConfig,
  parseService,
  schemaNode,
  type SchemaNode,
} from '../../src/config/index.ts'
import { fakeIo } from '../support/program.ts'

function measured(node: SchemaNode): readonly SchemaNode[] {
  const inner = [
    ...Object.values(node.properties ?? {}),
    ...(node.anyOf ?? []),
    ...(node.items ? [node.items] : []),
  ]
  return [...(node.unit ? [node] : []), ...inner.flatMap(measured)]
}

function takesText({ type, anyOf = [] }: SchemaNode): boolean {
  return type === 'string' || anyOf.some(takesText)
}

test('every duration and every size of the configuration may be text with a unit', () => {
  const nodes = measured(schemaNode(configSchema))
  assert.ok(nodes.length > 15)
  assert.deepEqual(
    nodes.filter(node => !takesText(node)),
    [],
  )
})

test('a number stays milliseconds or bytes, and text has its own unit', () => {
  const idle = (written: number | string): number =>
    parseService(':1', ':2', { timeouts: { idle: written } }).timeouts.idle
  const durations: [written: number | string, milliseconds: number][] = [
    [1_500, 1_500],
    ['500ms', 500],
    ['10s', 10_000],
    ['5m', 300_000],
    ['1h', 3_600_000],
    ['never', Infinity],
  ]
  for (const [written, expected] of durations) assert.equal(idle(written), expected, String(written))
  const sizes: [written: number | string, bytes: number][] = [
    [536, 536],
    ['536B', 536],
    ['64KiB', 65_536],
  ]
  for (const [headerBytes, expected] of sizes) {
    assert.equal(parseService(':1', ':2', { limits: { headerBytes } }).limits.headerBytes, expected)
  }
  assert.equal(
    parseConfig('{services: [{listen: :1, upstream: :2}], shutdown: {drain: 0s}}').shutdown.drain,
    0,
  )
})

test('text without a known unit and text out of bounds are refused, with what is wanted', () => {
  for (const drain of ['10', '10 s', '1d', '-1s', '1.5s', '99999999999h', '597h']) {
    assert.throws(() => parseConfig({ services: [{ listen: ':1', upstream: ':2' }], shutdown: { drain } }), {
      message:
        'configuration: shutdown.drain must be an integer from 0 to 2147483647 (milliseconds) ' +
        `or a string such as "10s", got "${drain}"`,
    })
  }
  for (const headerBytes of ['15B', '65KiB', '1MiB', '1KB']) {
    assert.throws(
      () => parseService(':1', ':2', { limits: { headerBytes } }),
      /headerBytes must be .* \(bytes\) or a string/,
    )
  }
  assert.throws(
    () => parseService(':1', ':2', { timeouts: { idle: 'nevr' } }),
    /got "nevr"; did you mean "never"\?$/,
  )
})

test('flags and variables take units', () => {
  const io = fakeIo({ PROXYPROTOCOL_IDLE_TIMEOUT: '2m', PROXYPROTOCOL_ABORT_TIMEOUT: '7' })
  const args = [
    '--service',
    ':1',
    ':2',
    '--drain',
    '1h',
    '--max-header-bytes',
    '1KiB',
    '--idle-timeout',
    '3s',
  ]
  const { services, shutdown } = serverRequest(args, io).configuration
  assert.equal(shutdown.drain, 3_600_000)
  assert.equal(services[0]?.limits.headerBytes, 1_024)
  assert.equal(services[0].timeouts.idle, 3_000)
  assert.equal(services[0].timeouts.abort, 7)
})
