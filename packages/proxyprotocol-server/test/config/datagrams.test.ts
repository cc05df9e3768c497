// Services of datagrams: their addresses, their own keys, and the keys that mean nothing for them.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  combineConfig,
  ConfigError,
  formatAddress,
  parseAddress,
  parseConfig,
  parseService,
} from '../../src/config/index.ts'
import { settings } from '../../src/config/settings.ts'

const LISTEN = 'udp://:53'
const UPSTREAM = 'udp://192.0.2.1:53'

/** The lines of the refusal. */
function refusal(service: object, more: object = {}): readonly string[] {
  try {
    parseConfig({ services: [{ listen: LISTEN, upstream: UPSTREAM, ...service }], ...more })
  } catch (error) {
    assert.ok(error instanceof ConfigError)
    return error.message.split('\n').map(line => line.replace('configuration: ', ''))
  }
  return []
}

test('an address of UDP is read with its header, and written as it was', () => {
  const address = parseAddress('UDP://[2001:DB8::1]:53?pp=SPP', { role: 'upstream' })
  assert.deepEqual(address, { transport: 'udp', host: '2001:db8::1', port: 53, pp: 'spp', tls: undefined })
  assert.equal(formatAddress(address), 'udp://[2001:db8::1]:53?pp=spp')
  assert.equal(parseAddress('udp://:53?pp=unsafe-first', { role: 'listen' }).pp, 'unsafe-first')
})

test('an address of UDP is refused with a mode of TCP, with TLS settings, and as an upstream with unsafe-first', () => {
  const wrong = [
    ['udp://:53?pp=v1', 'listen', /"pp" must be one of v2, spp, unsafe-first, noop, got "v1"/],
    ['udp://:53?cert=a.pem', 'listen', /the key "cert" must stand in an address with TLS/],
    [
      'udp://a:53?pp=unsafe-first',
      'upstream',
      /"pp" must be one of v2, spp, noop for an upstream, got "unsafe-first"/,
    ],
    ['a:53?pp=spp', 'upstream', /"pp" must be one of v1, v2, detect, noop, got "spp"/],
  ] as const
  for (const [text, role, message] of wrong) assert.throws(() => parseAddress(text, { role }), message, text)
})

test('a service of UDP has defaults of its own, and those that are given win', () => {
  const standard = parseService(LISTEN, UPSTREAM)
  assert.deepEqual(standard.datagrams, {
    ...{ flows: 10_000, flow: 30_000, confirmed: 120_000 },
    ...{ replies: undefined, replyFactor: undefined },
  })
  assert.equal(standard.name, 'udp://:53')
  assert.equal(standard.header, 'v2')
  const given = parseService(LISTEN, `${UPSTREAM}?pp=spp`, {
    limits: { flows: 7, perSource: 2 },
    timeouts: { flow: '5s', confirmed: 60_000 },
    ...{ replies: 1, replyFactor: 3 },
  })
  assert.deepEqual(given.datagrams, {
    flows: 7,
    flow: 5_000,
    confirmed: 60_000,
    replies: 1,
    replyFactor: 3,
  })
  assert.equal(given.header, 'spp')
  const patient = parseService(LISTEN, UPSTREAM, { timeouts: { flow: '15m' } })
  assert.equal(patient.datagrams?.confirmed, 900_000)
  assert.equal(parseService(':53', '192.0.2.1:53').datagrams, undefined)
})

test('a key of connections is refused by name in a service of UDP, and one of UDP in any other', () => {
  const keys = [
    ...[
      { retries: 1 },
      { queue: {} },
      { tlvs: {} },
      { passthrough: {} },
      { tls: {} },
      { dnsbl: { zones: ['a.b'] } },
    ],
    ...[{ backlog: 5 }, { overLimit: 'reset' }, { allowVpce: ['vpce-1'] }],
    ...[{ limits: { connections: 5 } }, { limits: { pendingHeaders: 5 } }],
    ...['connect', 'header', 'idle', 'halfClose', 'keepAlive', 'abort'].map(key => ({
      timeouts: { [key]: '5s' },
    })),
    ...[{ resolve: { drain: '5s' } }, { health: { onDown: 'keep' } }, { health: { check: { tls: true } } }],
  ]
  for (const key of keys) {
    const [line = ''] = refusal(key)
    assert.match(
      line,
      /^services\[0\]\.[\w.]+ must stand in a TCP service only, got one of UDP$/,
      JSON.stringify(key),
    )
  }
  const others = [{ replies: 1 }, { replyFactor: 2 }, { limits: { flows: 5 } }, { timeouts: { flow: 5 } }]
  for (const key of [...others, { timeouts: { confirmed: 5 } }]) {
    const [line = ''] = refusal({ listen: ':53', upstream: '192.0.2.1:53', ...key })
    assert.match(
      line,
      /^services\[0\]\.[\w.]+ must stand in a UDP service only, got one of TCP$/,
      JSON.stringify(key),
    )
  }
})

test('UDP and TCP in one service are refused at their place in the file', () => {
  const text = '{ "services": [\n  { "listen": "udp://:53",\n    "upstream": "192.0.2.1:53" }] }'
  assert.throws(() => parseConfig(text, 'proxy.json'), {
    message:
      'proxy.json:3:5: services[0].upstream must be an address of UDP like `listen`, got one of TCP; did you mean "udp://"?',
  })
  assert.deepEqual(refusal({ listen: [LISTEN, ':54'] }), [
    'services[0].listen must be all UDP or all TCP, got both',
  ])
  const upstreams = [`192.0.2.1:53`, UPSTREAM]
  assert.deepEqual(refusal({ listen: ':53', upstream: undefined, upstreams }), [
    'services[0].upstreams[1] must be a TCP or UNIX address like `listen`, got one of UDP',
  ])
})

test('the check of a UDP upstream must know the answer', () => {
  assert.deepEqual(refusal({ health: { check: {} } }), [
    'services[0].health.check.type must be "send-expect" with UDP, got "tcp"',
  ])
  const check = { type: 'send-expect', send: 'text:ping', expect: 'text:pong' }
  assert.deepEqual(refusal({ health: { check } }), [])
  const upstreams = [{ address: UPSTREAM, check: { tls: true } }]
  assert.deepEqual(refusal({ upstream: undefined, upstreams, health: { check } }), [
    'services[0].upstreams[0].check.tls must stand in a TCP service only, got one of UDP',
  ])
})

test('defaults and options leave out what means nothing for a service', () => {
  const idle = settings().find(({ flag }) => flag === 'idle-timeout')
  assert.ok(idle)
  const { services } = combineConfig(
    [
      {
        origin: 'proxy.json',
        content: {
          defaults: {
            retries: 1,
            replies: 1,
            timeouts: { header: 3_000, flow: 1_000 },
            limits: { flows: 5 },
          },
          services: [
            { listen: LISTEN, upstream: UPSTREAM },
            { listen: ':80', upstream: '192.0.2.1:80' },
          ],
        },
      },
    ],
    { overrides: [{ setting: idle, value: 9_000, name: '--idle-timeout' }] },
  )
  const [udp, tcp] = services
  assert.deepEqual([udp?.datagrams?.replies, udp?.datagrams?.flow, udp?.datagrams?.flows], [1, 1_000, 5])
  assert.deepEqual([tcp?.pool.retries, tcp?.timeouts.header, tcp?.timeouts.idle], [1, 3_000, 9_000])
})

test('a port of UDP and one of TCP do not overlap, two of UDP do, and a relay to itself is refused', () => {
  const beside = {
    services: [
      { listen: ':53', upstream: '192.0.2.1:53' },
      { listen: LISTEN, upstream: UPSTREAM },
    ],
  }
  assert.equal(parseConfig(beside).services.length, 2)
  const twice = {
    services: [
      { listen: LISTEN, upstream: UPSTREAM },
      { listen: 'udp://127.0.0.1:53', upstream: UPSTREAM },
    ],
  }
  assert.throws(() => parseConfig(twice), /services\[1\]\.listen must not overlap with udp:\/\/:53/)
  assert.deepEqual(refusal({ upstream: 'udp://127.0.0.1:53' }), [
    'services[0].upstream must not be where the service itself listens, because it would connect to itself',
  ])
  const other = {
    services: [
      { listen: ':53', upstream: '127.0.0.1:54' },
      { listen: 'udp://:54', upstream: 'udp://127.0.0.1:53' },
    ],
  }
  assert.equal(parseConfig(other).services.length, 2)
})
