// Who is believed: networks against peers as sockets show them, and settings that are refused (known bug 20).

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { untyped } from 'test-support/untyped'
import { quote } from '../../src/checks/index.ts'
import { compileTrust, type Trust } from '../../src/trust/trust.ts'
import type { Peer } from '../../src/trust/index.ts'

function trusts(trust: Trust, address: string | undefined, transport: Peer['transport'] = 'tcp'): boolean {
  return compileTrust(trust)({ address, transport })
}

/** An entry, peers that it trusts, and peers that it does not. */
const networks: readonly (readonly [entry: string, trusted: readonly string[], others: readonly string[]])[] =
  [
    ['127.0.0.1', ['127.0.0.1', '::ffff:127.0.0.1', '::ffff:7f00:1'], ['127.0.0.2', '::1', '::127.0.0.1']],
    ['127.0.0.1/32', ['127.0.0.1', '::ffff:127.0.0.1'], ['127.0.0.0']],
    [
      '10.0.0.0/8',
      ['10.0.0.0', '10.255.255.255', '::ffff:10.1.2.3'],
      ['9.255.255.255', '11.0.0.0', '::ffff:11.0.0.0'],
    ],
    ['10.0.0.0/9', ['10.127.255.255'], ['10.128.0.0']],
    ['192.0.2.0/23', ['192.0.2.0', '192.0.3.255'], ['192.0.1.255', '192.0.4.0']],
    ['192.0.2.128/25', ['192.0.2.128', '192.0.2.255'], ['192.0.2.127']],
    ['192.0.2.4/31', ['192.0.2.4', '192.0.2.5'], ['192.0.2.3', '192.0.2.6']],
    ['128.0.0.0/1', ['128.0.0.0', '255.255.255.255'], ['127.255.255.255', '8000::']],
    [
      '0.0.0.0/0',
      ['0.0.0.0', '255.255.255.255', '::ffff:192.0.2.1'],
      ['::', '::1', '2001:db8::1', '::192.0.2.1'],
    ],
    ['::/0', ['::', '2001:db8::1', 'fe80::1%eth0'], ['192.0.2.1', '::ffff:192.0.2.1']],
    ['::1', ['::1', '0:0:0:0:0:0:0:1'], ['127.0.0.1', '::2']],
    ['::1/128', ['::1'], ['::', '::3']],
    ['2001:db8::/32', ['2001:db8::1', '2001:DB8:ffff::'], ['2001:db7:ffff::', '2001:db9::']],
    ['2001:db8::/33', ['2001:db8:7fff::'], ['2001:db8:8000::']],
    ['2001:db8::4/127', ['2001:db8::4', '2001:db8::5'], ['2001:db8::6']],
    ['fe80::/10', ['fe80::1', 'fe80::1%eth0', 'febf::%1'], ['fec0::1', '192.0.2.1%eth0']],
    ['::ffff:192.0.2.1', ['192.0.2.1', '::ffff:192.0.2.1'], ['192.0.2.2', '::ffff:192.0.2.2']],
    ['::ffff:c000:200/120', ['192.0.2.255', '::ffff:192.0.2.0'], ['192.0.3.0']],
    ['::ffff:10.0.0.0/104', ['10.255.255.255', '::ffff:10.0.0.1'], ['11.0.0.0', '2001:db8::1']],
    ['::ffff:0:0/96', ['192.0.2.1', '::ffff:192.0.2.1'], ['::', '2001:db8::1']],
  ]

for (const [entry, trusted, others] of networks) {
  test(`trust: ${entry} holds its peers in every form, and no others (known bug 20)`, () => {
    for (const address of trusted) assert.equal(trusts([entry], address), true, address)
    for (const address of others) assert.equal(trusts([entry], address), false, address)
    assert.equal(trusts([entry], undefined), false, 'a peer that is gone')
    assert.equal(trusts([entry], undefined, 'unix'), false, 'a peer on a UNIX socket')
  })
}

test('trust: every prefix from 0 to 128 covers exactly its bits', () => {
  for (const [bits, zero] of [
    [32, '0.0.0.0'],
    [128, '::'],
  ] as const) {
    for (let prefix = 0; prefix <= bits; prefix++) {
      const trusted = compileTrust([`${zero}/${prefix}`])
      for (let bit = 0; bit < bits; bit++) {
        const address = withBit(bits, bit)
        assert.equal(trusted({ address, transport: 'tcp' }), bit >= prefix, `${address} in ${zero}/${prefix}`)
      }
    }
  }
})

/** The address of so many bits of which just one is set, counted from the left. */
function withBit(bits: 32 | 128, bit: number): string {
  const bytes = new Uint8Array(bits / 8)
  bytes[bit >> 3] = 0x80 >> (bit & 7)
  if (bits === 32) return bytes.join('.')
  const hex = Buffer.from(bytes).toString('hex')
  return hex.replace(/.{4}(?!$)/g, '$&:')
}

test('trust: a list holds what any of its entries holds', () => {
  const list = ['10.0.0.0/8', '2001:db8::/32', 'unix']
  assert.equal(trusts(list, '10.1.1.1'), true)
  assert.equal(trusts(list, '2001:db8::1'), true)
  assert.equal(trusts(list, undefined, 'unix'), true)
  assert.equal(trusts(list, '192.0.2.1'), false)
  assert.equal(trusts(list, undefined), false)
  assert.equal(trusts([], '192.0.2.1'), false)
})

test('trust: what is not an address is never trusted by a network', () => {
  for (const address of ['', 'localhost', '127.0.0.1:80', '%eth0', '127.1', '[::1]']) {
    assert.equal(trusts(['0.0.0.0/0', '::/0'], address), false, address)
  }
})

test("trust: 'anyone' is anyone", () => {
  assert.equal(trusts('anyone', '192.0.2.1'), true)
  assert.equal(trusts('anyone', undefined), true)
  assert.equal(trusts('anyone', undefined, 'unix'), true)
})

test('trust: a predicate is asked, and only true is yes', () => {
  const asked: Peer[] = []
  const isTrusted = compileTrust(peer => {
    asked.push(peer)
    return peer.address === '192.0.2.1'
  })
  assert.equal(isTrusted({ address: '192.0.2.1', transport: 'tcp' }), true)
  assert.equal(isTrusted({ address: undefined, transport: 'unix' }), false)
  assert.deepEqual(asked, [
    { address: '192.0.2.1', transport: 'tcp' },
    { address: undefined, transport: 'unix' },
  ])
  for (const answer of [1, 'yes', {}]) {
    assert.equal(
      trusts(
        untyped(() => answer),
        '192.0.2.1',
      ),
      false,
    )
  }
})

test('trust: a predicate gets IPv4 peers of dual-stack sockets as IPv4, and other peers as they are', () => {
  const asked: unknown[] = []
  const isTrusted = compileTrust(({ address }) => asked.push(address) > 0)
  for (const address of ['::ffff:192.0.2.1', '::FFFF:192.0.2.1', '::ffff:c000:201', 'fe80::1%eth0']) {
    isTrusted({ address, transport: 'tcp' })
  }
  assert.deepEqual(asked, ['192.0.2.1', '192.0.2.1', '192.0.2.1', 'fe80::1%eth0'])
})

test('trust: an async predicate fails closed, and its rejection ends no process', () => {
  for (const answer of [Promise.resolve(true), Promise.reject(new Error('late'))]) {
    assert.throws(() => compileTrust(untyped(() => answer))({ address: '192.0.2.1', transport: 'tcp' }), {
      name: 'TypeError',
      message: 'trust must answer at once, but the predicate gave a promise',
    })
  }
})

const refused: readonly (readonly [trust: unknown, error: typeof TypeError, message: string])[] = [
  [undefined, TypeError, "trust must be a list of CIDRs, 'anyone' or a function, got undefined"],
  [
    '10.0.0.0/8',
    TypeError,
    'trust must be a list of CIDRs, \'anyone\' or a function, got "10.0.0.0/8"; did you mean ["10.0.0.0/8"]?',
  ],
  [
    '10.0.0.0/8, ::1',
    TypeError,
    'trust must be a list of CIDRs, \'anyone\' or a function, got "10.0.0.0/8, ::1"; did you mean ["10.0.0.0/8", "::1"]?',
  ],
  [
    'all',
    TypeError,
    'trust must be a list of CIDRs, \'anyone\' or a function, got "all"; did you mean trustNames(["all"]) or \'anyone\'?',
  ],
  ['- -', TypeError, 'trust must be a list of CIDRs, \'anyone\' or a function, got "- -"'],
  [
    ['anyone'],
    TypeError,
    "trust must not have 'anyone' in a list, got [\"anyone\"]; did you mean trust: 'anyone'?",
  ],
  [{}, TypeError, "trust must be a list of CIDRs, 'anyone' or a function, got {  }"],
  [1n, TypeError, "trust must be a list of CIDRs, 'anyone' or a function, got 1n"],
  [[42], TypeError, 'trust must hold addresses, networks such as "10.0.0.0/8" or "unix", got 42'],
  ...['10.0.0.0/8/8', '10.0.0', '', '/8', 'fe80::1%eth0', '010.0.0.0/8'].map(
    entry =>
      [
        [entry],
        TypeError,
        `trust must hold addresses, networks such as "10.0.0.0/8" or "unix", got ${JSON.stringify(entry)}`,
      ] as const,
  ),
  ...[
    '10.0.0.0/33',
    '10.0.0.0/',
    '10.0.0.0/-1',
    '10.0.0.0/8.0',
    '10.0.0.0/08',
    '10.0.0.0/1e1',
    '10.0.0.0/ 8',
  ].map(
    entry =>
      [[entry], RangeError, `trust must hold prefixes from 0 to 32, got ${JSON.stringify(entry)}`] as const,
  ),
  [['2001:db8::/129'], RangeError, 'trust must hold prefixes from 0 to 128, got "2001:db8::/129"'],
  ...['::ffff:10.0.0.0/8', '::ffff:0.0.0.0/0', '::ffff:0:0/95'].map(
    entry =>
      [
        [entry],
        RangeError,
        `trust must hold IPv4-mapped networks from /96 on, got ${JSON.stringify(entry)}; write it as an IPv4 network`,
      ] as const,
  ),
  ...(
    [
      ['10.0.0.1/8', '10.0.0.0/8'],
      ['192.0.2.1/31', '192.0.2.0/31'],
      ['0.0.0.1/0', '0.0.0.0/0'],
      ['2001:db8::1/64', '2001:db8::/64'],
      ['::ffff:10.0.0.1/104', '10.0.0.0/8'],
    ] as const
  ).map(
    ([entry, meant]) =>
      [
        ['192.0.2.0/24', entry],
        RangeError,
        `trust must hold networks without bits behind their prefix, got "${entry}"; did you mean "${meant}"?`,
      ] as const,
  ),
]

for (const [trust, error, message] of refused) {
  test(`trust: ${quote(trust)} is refused by name`, () => {
    assert.throws(() => compileTrust(untyped(trust)), { name: error.name, message })
  })
}
