// TLVs of the operator's own, as a configuration has them.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ConfigError, parseConfig, parseService } from '../../src/config/index.ts'

function faults(service: object): readonly string[] {
  try {
    parseConfig({ services: [{ listen: ':10000', upstream: '127.0.0.1:1', ...service }] }, 'x')
  } catch (error) {
    assert.ok(error instanceof ConfigError)
    return error.message.split('\n').map(line => line.replace('x: services[0].', ''))
  }
  return assert.fail('it was accepted')
}

test('tlvs are text, bytes and facts by their types, and there are none by default', () => {
  assert.deepEqual(parseService(':1', ':2').tlvs, [])
  const tlvs = { '0xE1': 'text:Zürich: 1', '0xe2': 'hex:00fF', '0xEF': 'fact:sni', '0xE0': 'text:\n' }
  assert.deepEqual(parseService(':1', ':2', { tlvs }).tlvs, [
    { type: 0xe1, value: new Uint8Array(Buffer.from('Zürich: 1')) },
    { type: 0xe2, value: Uint8Array.of(0, 255) },
    { type: 0xef, fact: 'sni' },
    { type: 0xe0, value: Uint8Array.of(10) },
  ])
})

test('what is wrong with tlvs is reported by its key, all at once', () => {
  const forms =
    'must be "text:edge", "hex:00ff" or one of "fact:sni", "fact:alpn", "fact:peer", "fact:service", got'
  assert.deepEqual(
    faults({
      tlvs: {
        '0x05': 'text:a',
        '0xE': 'text:a',
        edge: 'text:a',
        '0xE1': 'text:a',
        '0xe1': 'text:b',
        '0xE2': 'hex:0',
        '0xE3': 'fact:snii',
        '0xE4': 'fact:colour',
        '0xE5': 'edge',
        '0xE6': 'text:',
        '0xE7': `text:${'ä'.repeat(513)}`,
      },
    }),
    [
      'tlvs.0x05 must be a type from "0xE0" to "0xEF", got "0x05"; did you mean "0xE5"?',
      'tlvs.0xE must be a type from "0xE0" to "0xEF", got "0xE"; did you mean "0xE0"?',
      'tlvs.edge must be a type from "0xE0" to "0xEF", got "edge"',
      'tlvs.0xe1 must stand once, got it twice',
      `tlvs.0xE2 ${forms} "hex:0"`,
      `tlvs.0xE3 ${forms} "fact:snii"; did you mean "fact:sni"?`,
      `tlvs.0xE4 ${forms} "fact:colour"`,
      `tlvs.0xE5 ${forms} "edge"`,
      `tlvs.0xE6 ${forms} "text:"`,
      'tlvs.0xE7 must have at most 1024 bytes, got 1026',
    ],
  )
})

test('tlvs take a type without quotes, which YAML reads as a number, as the same type', () => {
  const yaml = (tlvs: string): string => `services: [{ listen: :1, upstream: :2, tlvs: ${tlvs} }]`
  assert.deepEqual(parseConfig(yaml('{ 0xE1: text:a, 239: fact:sni }')).services[0]?.tlvs, [
    { type: 0xe1, value: new Uint8Array(Buffer.from('a')) },
    { type: 0xef, fact: 'sni' },
  ])
  assert.throws(
    () => parseConfig(yaml('{ 0xE1: text:a, "0xE1": text:b }')),
    /tlvs\.0xE1 must stand once, got it twice/,
  )
  assert.throws(
    () => parseConfig(yaml('{ 0xDF: text:a }')),
    /must be a type from "0xE0" to "0xEF", got "223"/,
  )
})

test('tlvs need an upstream that is sent version 2, be it that of a route', () => {
  const tlvs = { '0xE1': 'text:a' }
  for (const upstreams of [[':2?pp=v1'], [':2?pp=noop', ':3?pp=v1']]) {
    assert.deepEqual(faults({ upstream: undefined, upstreams, tlvs }), [
      'tlvs must stand where an upstream is sent a version 2 header, got no such upstream',
    ])
  }
  const routes = [{ names: ['a.example'], upstreams: [':4'] }]
  assert.equal(parseService(':1', ':2?pp=noop', { tlvs, passthrough: { routes } }).tlvs.length, 1)
  assert.equal(parseService(':1', [':2?pp=v1', ':3?pp=detect'], { tlvs }).tlvs.length, 1)
})
