// Options of createServer(): what is wrong is refused by name, before there is anything to close.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { outcome } from 'test-support/sockets'
import { untyped } from 'test-support/untyped'
import { createServer } from '../../../src/server/index.ts'
import { counted, over, createHarness } from '../../support/harness.ts'

const trust: string[] = []
/** Nothing that OpenSSL can read. */
const PEM = '-----BEGIN CERTIFICATE-----\nAA\n-----END CERTIFICATE-----\n'

const wrong: readonly (readonly [options: object, name: 'TypeError' | 'RangeError', message: RegExp])[] = [
  [{}, 'TypeError', /^trust must be a list of CIDRs, 'anyone' or a function, got undefined$/],
  [
    { trust: ['10.0.0.0/40'] },
    'RangeError',
    /^trust must hold prefixes from 0 to 32, got "10\.0\.0\.0\/40"$/,
  ],
  [
    { trust, version: 'v3' },
    'TypeError',
    /^version must be 'detect', 'v1', 'v2' or, for createServer\(\), 'none', got "v3"$/,
  ],
  [{ trust, version: 'toString' }, 'TypeError', /^version must be/],
  [{ trust, version: 2 }, 'TypeError', /^version must be .*, got 2$/],
  [
    { trust, limits: { headerBytes: 15 } },
    'RangeError',
    /^limits\.headerBytes must be an integer from 16 to 65551, got 15$/,
  ],
  [{ trust, mixedFamilies: 'accept' }, 'TypeError', /^mixedFamilies must be 'reject' or 'promote'/],
  [{ trust, timeouts: { header: -1 } }, 'RangeError', /^timeouts\.header must be milliseconds .*, got -1$/],
  [
    { trust, timeouts: { handshake: 0 } }, // Node takes it for no deadline
    'RangeError',
    /^timeouts\.handshake must be milliseconds from 1 to 2147483647, got 0$/,
  ],
  [
    { trust, timeouts: { halfClose: NaN } },
    'RangeError',
    /^timeouts\.halfClose must be milliseconds .*, got NaN$/,
  ],
  [
    { trust, timeouts: { abort: '5000' } },
    'RangeError',
    /^timeouts\.abort must be milliseconds .*, got "5000"$/,
  ],
  [
    { version: 'none', timeouts: { header: 2 ** 31 } },
    'RangeError',
    /^timeouts\.header must be milliseconds/,
  ],
  [{ trust, tls: true }, 'TypeError', /^tls must be an object with the options of .*, got true$/],
  [{ trust, tls: null }, 'TypeError', /^tls must be an object .*, got null$/],
  [
    { trust, tls: { key: 'server.key', cert: 'server.pem' } },
    'TypeError',
    /^tls\.key must be PEM, which has a line with -----BEGIN, got 10 characters without one; did you mean readFileSync\(\)/,
  ],
  [{ trust, tls: { key: PEM } }, 'TypeError', /^tls must have key and cert together, got key without cert$/],
  [{ trust, tls: { cert: PEM } }, 'TypeError', /^tls must have key and cert together, got cert without key$/],
  [
    { trust, tls: { key: PEM, cert: PEM } },
    'TypeError',
    /^tls must be options that tls\.createServer\(\) takes, got key, cert: error:/,
  ],
  [{ trust, onError: 'log' }, 'TypeError', /^onError must be a function, got "log"$/],
]

for (const [options, name, message] of wrong) {
  test(`contract 1: createServer() refuses ${JSON.stringify(options)}`, () => {
    assert.throws(() => createServer(untyped(options), () => {}), { name, message })
  })
}

test('contract 1: createServer() names what is not an options object, and what its TLS options say elsewhere', () => {
  for (const options of [undefined, null]) {
    assert.throws(() => createServer(untyped(options), () => {}), {
      name: 'TypeError',
      message: /^options must be an object, got /,
    })
  }
  const tls = { handshakeTimeout: 1_000 }
  const message = 'tls.handshakeTimeout must be left out; did you mean timeouts.handshake?'
  assert.throws(() => createServer(untyped({ trust, tls }), () => {}), { name: 'TypeError', message })
})

test('contract 1: a certificate whose key is elsewhere needs no key', async () => {
  const elsewhere = { privateKeyIdentifier: 'pkcs11:', privateKeyEngine: 'no such engine' }
  const message = /^tls must be options that tls\.createServer\(\) takes, got cert, privateKeyIdentifier, /
  assert.throws(() => createServer({ trust, tls: { cert: PEM, ...elsewhere } }, () => {}), { message })
  await createServer({ trust, tls: {} }, () => {}).close()
})

test('contract 1: createServer() that gets its handler first says how it is called', () => {
  const message =
    "options must be an object, got a function; did you mean createServer({ trust: ['10.0.0.0/8'] }, handler)?"
  for (const rest of [[], [{ trust }]]) {
    const args = [() => {}, ...rest] as unknown as Parameters<typeof createServer> // wrong on purpose
    assert.throws(() => createServer(...args), { name: 'TypeError', message })
  }
})

test('contract 1: createServer() needs a handler', () => {
  const message = 'handler must be a function, got undefined'
  assert.throws(() => createServer({ trust }, untyped(undefined)), { name: 'TypeError', message })
})

test('contract 1: what is undefined has its default', async t => {
  const server = createHarness(t).watch(
    createServer(
      {
        trust,
        version: undefined,
        limits: { headerBytes: undefined },
        mixedFamilies: undefined,
        timeouts: { header: undefined, halfClose: undefined, abort: undefined },
        onError: undefined,
        signal: undefined,
      },
      () => {},
    ),
  )
  assert.equal(server.state, 'idle')
})

test('contract 1: mixed families are accepted where the option says so', async t => {
  const harness = createHarness(t)
  const sources: unknown[] = []
  const served = await harness.serve(({ info }) => void sources.push(info.source, info.destination), {
    mixedFamilies: 'promote',
  })
  await outcome(harness.dial(served.port).end('PROXY TCP6 2001:db8::1 192.0.2.1 1 2\r\n'))
  await over(served, 1)
  assert.deepEqual(sources, [
    { address: '2001:db8::1', port: 1 },
    { address: '::ffff:192.0.2.1', port: 2 },
  ])
  assert.deepEqual(counted(served), { done: 1 })
})
