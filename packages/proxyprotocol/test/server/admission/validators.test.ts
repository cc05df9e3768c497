// The ready-made validators, on headers that really came: what each refuses, in which words, and what passes.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { outcome } from 'test-support/sockets'
import { untyped } from 'test-support/untyped'
import { errorMessages, type ErrorCode, tlv } from '../../../src/codec/index.ts'
import {
  allowSources,
  allowVpce,
  createServer,
  denyLoopback,
  requireChecksum,
  requireUnicast,
  type Validator,
} from '../../../src/server/index.ts'
import { doors } from '../../support/doors.ts'
import { DESTINATION, encode, LOCAL, SOURCE, UNKNOWN, V1, V2 } from '../../support/headers.ts'
import { createHarness } from '../../support/harness.ts'

function between(source: string, destination = source): Buffer {
  return encode({ source: { address: source, port: 1 }, destination: { address: destination, port: 2 } })
}

const UNIX = encode({ source: { path: '/run/client' }, destination: { path: '/run/server' } })
const UNSPEC = encode({ family: 'UNSPEC' })

function v1From(source: string): string {
  return `PROXY TCP4 ${source} 198.51.100.7 1 2\r\n`
}

interface Case {
  readonly name: string
  readonly validate: Validator
  readonly passes: readonly (readonly [name: string, header: Uint8Array | string])[]
  readonly refuses: readonly (readonly [name: string, header: Uint8Array | string, detail: string])[]
  readonly code: ErrorCode
}

/** Headers without a client, so that there is none to judge. */
const nobody = [
  ['LOCAL', LOCAL],
  ['UNKNOWN', UNKNOWN],
  ['UNSPEC', UNSPEC],
] as const

const cases: readonly Case[] = [
  {
    name: 'denyLoopback',
    validate: denyLoopback,
    code: 'denied_acl',
    passes: [
      ...nobody,
      ...[
        '192.0.2.1',
        '126.255.255.255',
        '128.0.0.0',
        '2001:db8::1',
        '::',
        '::2',
        '::ffff:128.0.0.1',
        '::127.0.0.1',
      ].map(source => [source, between(source)] as const),
      ['a destination on the loopback', between('192.0.2.1', '127.0.0.1')],
    ],
    refuses: [
      ...['127.0.0.1', '127.0.0.0', '127.255.255.255', '::1', '::ffff:127.0.0.1'].map(
        source =>
          [
            source,
            between(source, source.includes(':') ? '2001:db8::1' : '192.0.2.1'),
            `the header announces a client on this machine, ${source}`,
          ] as const,
      ),
      ['a UNIX socket', UNIX, 'the header announces a client on this machine, a UNIX socket'],
      ['version 1', v1From('127.0.0.1'), 'the header announces a client on this machine, 127.0.0.1'],
    ],
  },
  {
    name: 'requireUnicast',
    validate: requireUnicast,
    code: 'denied_acl',
    passes: [
      ...nobody,
      ['a UNIX socket', UNIX],
      ...['1.0.0.0', '127.0.0.1', '223.255.255.255', '::1', '2001:db8::1', 'feff::1', '::ffff:192.0.2.1'].map(
        source => [source, between(source)] as const,
      ),
    ],
    refuses: [
      ...Object.entries({
        '192.0.2.1': ['0.0.0.0', '0.255.255.255', '224.0.0.1', '239.255.255.255', '255.255.255.255'],
        '2001:db8::1': ['::', 'ff02::1', 'ffff::', '::ffff:224.0.0.1', '::ffff:0.0.0.0'],
      }).flatMap(([good, bad]) =>
        bad.flatMap(address => {
          const detail = `the header announces ${address}, which is not a unicast address`
          return [
            [`from ${address}`, between(address, good), detail],
            [`to ${address}`, between(good, address), detail],
          ] as const
        }),
      ),
      ['version 1', v1From('0.0.0.0'), 'the header announces 0.0.0.0, which is not a unicast address'],
    ],
  },
  {
    name: 'requireChecksum',
    validate: requireChecksum,
    code: 'header_invalid',
    passes: [
      [
        'IPv4',
        encode(
          { source: { address: '192.0.2.1', port: 1 }, destination: { address: '192.0.2.2', port: 2 } },
          { checksum: true },
        ),
      ],
      ['LOCAL', encode({ command: 'LOCAL' }, { checksum: true })],
      ['a UNIX socket', encode({ source: { path: '/a' }, destination: { path: '/b' } }, { checksum: true })],
    ],
    refuses: (
      [
        ['version 1', V1],
        ['IPv4', V2],
        ['IPv6', between('2001:db8::1')],
        ['a UNIX socket', UNIX],
        ...nobody,
      ] as const
    ).map(([name, header]) => [name, header, 'it has no CRC-32C TLV'] as const),
  },
  {
    name: 'allowSources',
    validate: allowSources(['192.0.2.0/24', '2001:db8::/32']),
    code: 'denied_acl',
    passes: [
      ['LOCAL', LOCAL],
      ['version 1', V1],
      ...['192.0.2.0', '192.0.2.255', '2001:db8::1', '::ffff:192.0.2.1'].map(
        source => [source, between(source)] as const,
      ),
    ],
    refuses: [
      ...['192.0.1.255', '192.0.3.0', '2001:db9::1', '::ffff:192.0.3.0', '::c000:201'].map(
        source => [source, between(source), source] as const,
      ),
      ['a destination that is allowed', between('203.0.113.1', '192.0.2.1'), '203.0.113.1'],
      ['a UNIX socket', UNIX, 'a UNIX socket'],
      ['UNKNOWN', UNKNOWN, 'the header announces no address'],
      ['UNSPEC', UNSPEC, 'the header announces no address'],
    ],
  },
  {
    name: "allowSources(['unix'])",
    validate: allowSources(['unix']),
    code: 'denied_acl',
    passes: [['a UNIX socket', UNIX]],
    refuses: [['192.0.2.1', V2, '192.0.2.1']],
  },
  {
    name: "allowVpce(['vpce-1', 'vpce-2'])",
    validate: allowVpce(['vpce-1', 'vpce-2']),
    code: 'denied_acl',
    passes: [
      ['vpce-2', encode({ source: SOURCE, destination: DESTINATION, tlvs: [tlv.aws('vpce-2')] })],
      ['LOCAL', LOCAL],
    ],
    refuses: [
      [
        'another',
        encode({ source: SOURCE, destination: DESTINATION, tlvs: [tlv.aws('vpce-3')] }),
        'the VPC endpoint is vpce-3',
      ],
      ['none', V2, 'the VPC endpoint is not in the header'],
      ['version 1', V1, 'the VPC endpoint is not in the header'],
    ],
  },
]

for (const [door, open] of doors) {
  for (const { name, validate, passes, refuses, code } of cases) {
    test(`${door}: ${name} refuses exactly what it says it refuses`, async t => {
      const harness = createHarness(t)
      const { port, seen, refused } = await open(t, harness, { options: { validate } })
      for (const [header, bytes] of passes) {
        assert.equal((await outcome(harness.dial(port).end(bytes))).text, 'served', header)
      }
      assert.equal(seen.length, passes.length)
      for (const [header, bytes, detail] of refuses) {
        assert.equal((await outcome(harness.dial(port).end(bytes))).text, '', header)
        const error = refused.at(-1)?.error
        assert.deepEqual([error?.code, error?.message], [code, `${errorMessages[code]}: ${detail}`], header)
      }
      assert.deepEqual([seen.length, refused.length], [passes.length, refuses.length])
    })
  }
}

const wrong: readonly (readonly [cidrs: unknown, name: string, message: string | RegExp])[] = [
  ['192.0.2.0/24', 'TypeError', `cidrs must be a list such as ['10.0.0.0/8'], got "192.0.2.0/24"`],
  [undefined, 'TypeError', "cidrs must be a list such as ['10.0.0.0/8'], got undefined"],
  [
    ['example.org'],
    'TypeError',
    'cidrs must hold addresses, networks such as "10.0.0.0/8" or "unix", got "example.org"',
  ],
  [['192.0.2.0/33'], 'RangeError', 'cidrs must hold prefixes from 0 to 32, got "192.0.2.0/33"'],
  [
    ['192.0.2.1/24'],
    'RangeError',
    'cidrs must hold networks without bits behind their prefix, got "192.0.2.1/24"; did you mean "192.0.2.0/24"?',
  ],
]

for (const [cidrs, name, message] of wrong) {
  test(`allowSources(${JSON.stringify(cidrs)}) is refused by name`, () => {
    assert.throws(() => allowSources(untyped(cidrs)), { name, message })
  })
}

for (const [ids, shown] of [
  ['vpce-1', '"vpce-1"'],
  [undefined, 'undefined'],
  [['vpc-1'], '["vpc-1"]'],
  [[7], '[7]'],
] as const) {
  test(`allowVpce(${JSON.stringify(ids)}) is refused by name`, () => {
    assert.throws(() => allowVpce(untyped(ids)), {
      name: 'TypeError',
      message: `ids must be a list of ids such as 'vpce-08d2bf15fac5001c9', got ${shown}`,
    })
  })
}

test('a validator that is called instead of passed says so', () => {
  for (const validator of [denyLoopback, requireUnicast, requireChecksum]) {
    const { name } = validator
    assert.throws(() => validator(untyped(undefined)), {
      name: 'TypeError',
      message: `${name}(info) must be called with a ConnectionInfo, got undefined; did you mean validate: ${name}, without ()?`,
    })
  }
})

test('allowSources and allowVpce that are passed instead of called are refused at the start', () => {
  for (const [maker, call] of [
    [allowSources, "allowSources(['192.0.2.0/24'])"],
    [allowVpce, "allowVpce(['vpce-08d2bf15fac5001c9'])"],
  ] as const) {
    assert.throws(() => createServer({ trust: [], validate: untyped(maker) }, () => {}), {
      name: 'TypeError',
      message: `validate must have validators, got ${maker.name}; did you mean ${call}?`,
    })
  }
})
