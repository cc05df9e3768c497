// proxyprotocol-server check: what a configuration comes to, without listening anywhere.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { runServer } from '../../../src/cli/index.ts'
import { showConfiguration } from '../../../src/cli/server/show-configuration.ts'
import { parseConfig } from '../../../src/config/index.ts'
import { fakeIo } from '../../support/program.ts'
import { configFile } from '../../support/config-file.ts'
import { listen } from '../../support/connections.ts'

test('check takes YAML, and reports each fault with file, line and column', async t => {
  const right = configFile(
    t,
    '# both ends\nservices:\n  - listen: :10000\n    upstream: "[::1]:80"\n',
    'a.yml',
  )
  const io = fakeIo()
  assert.equal(await runServer(['check', right], io), 0)
  assert.match(io.written.join(''), /connects to \[::1\]:80/)
  const wrong = configFile(
    t,
    'services:\n  - listen: :1\n    upstream: :2\n    limits:\n      conections: 2\n',
    'b.yaml',
  )
  const broken = configFile(t, 'services:\n  - listen: [::1]:80\n    upstream: :2\n', 'c.yaml')
  for (const file of [wrong, broken]) assert.equal(await runServer(['check', file], io), 2)
  assert.deepEqual(io.errors.join('').trim().split('\n'), [
    `error: ${wrong}:5:7: services[0].limits.conections must be a known key; did you mean "connections"?`,
    `error: ${broken}:2:18: this is not YAML: unexpected scalar at node end; quote addresses that start with [`,
  ])
})

test('check shows each service and the program in a paragraph, as they are settled', async t => {
  const file = configFile(t, {
    services: [
      { listen: '127.0.0.1:10000', upstream: '127.0.0.1:10007', limits: { connections: 5 } },
      {
        name: 'web',
        listen: ':10001?pp=v2',
        upstream: 'localhost:80?pp=noop',
        trust: ['10.0.0.0/8', 'unix'],
        pass: ['alpn', 0xe5],
        limits: { connections: 6, perSource: 7, pendingHeaders: 8, headerBytes: 536 },
        overLimit: 'pause',
        timeouts: { connect: 1, header: 3_002, idle: 'never', halfClose: 4, keepAlive: 5_000, abort: 6 },
      },
    ],
    shutdown: { readyDelay: 5_000 },
  })
  const io = fakeIo({ PROXYPROTOCOL_DRAIN: '9' })
  assert.equal(await runServer(['check', file, '--quiet'], io), 0)
  assert.deepEqual(io.errors, [])
  assert.equal(
    io.written.join(''),
    `${file}: OK

127.0.0.1:10000
  listens at 127.0.0.1:10000; up to 65535 connections wait there, as far as the kernel lets them
  expects no header
  connects to 127.0.0.1:10007, and sends it a version 2 header
  takes 5 connections, any number from one client; what is over that is closed
  gives up connecting after 5000 ms
  resets what is silent for 600000 ms; closes it after 60000 ms once one side has ended
  asks silent peers after 60000 ms
  calls stuck what has not ended 5000 ms after its abort

web
  listens at :10001; up to 65535 connections wait there, as far as the kernel lets them
  expects a header of version 2 within 3002 ms, of at most 536 bytes; at most 8 connections wait for theirs
  trusts 10.0.0.0/8, unix
  passes on these TLVs: alpn, 229
  connects to localhost:80, and sends it no header
  takes 6 connections, 7 from one client; what is over that is left waiting, unread
  gives up connecting after 1 ms
  keeps what is silent; closes it after 4 ms once one side has ended
  asks silent peers after 5000 ms
  calls stuck what has not ended 6 ms after its abort

program
  after a signal accepts for 5000 ms more, then lets connections finish for 9 ms
  logs only the connections that the upstream or the program failed
`,
  )
})

test('a configuration that has not been settled for a machine is shown as well', () => {
  const services = [{ listen: ':1?pp=detect', upstream: ':2?pp=v1', trust: 'anyone', pass: [] }]
  const shown = showConfiguration(parseConfig({ services }))
  assert.match(shown, /\n {2}expects a header of either version within /)
  assert.match(shown, /\n {2}trusts anyone\n {2}passes on no TLVs\n/)
  assert.match(shown, /\n {2}takes its share of the open files in connections, any number /)
  assert.match(shown, /\n {2}logs each connection\n$/)
})

test('how the log looks and where the admin listener is are shown where they are not the default', () => {
  const services = [{ listen: ':1', upstream: ':2' }]
  const shown = showConfiguration(parseConfig({ services, log: { format: 'json' }, admin: { listen: ':3' } }))
  assert.match(
    shown,
    /\n {2}logs each connection, as JSON\n {2}shows health and metrics at 127\.0\.0\.1:3\n$/,
  )
  const needing = parseConfig({ services, admin: { listen: ':3', readyNeeds: [':1'] } })
  assert.match(
    showConfiguration(needing),
    /:3\n {2}is ready only while each of these has an upstream that is up: :1\n$/,
  )
})

test('several upstreams are shown one by one, with what is said of them together', () => {
  const upstreams = [
    'a:1',
    { address: 'b:2?pp=v1', name: 'b', weight: 3 },
    { address: 'c:3', backup: true },
    { address: 'd:4', weight: 0 },
  ]
  const check = { interval: 1_000, timeout: 900, rise: 4, fall: 5 }
  const shown = (options: object): string =>
    showConfiguration(parseConfig({ services: [{ listen: ':1', ...options }] }))
  const several = shown({ upstreams, balance: 'source-hash', retries: 1, health: { check } })
  assert.ok(
    several.includes(`
  connects to a:1, and sends it a version 2 header; has weight 1
  connects to b:2 (b), and sends it a version 1 header; has weight 3
  connects to c:3, and sends it a version 2 header; a backup of weight 1
  connects to d:4, and sends it a version 2 header; drained: its weight is 0, so it gets no connections
  shares connections out by the address of the client, and tries 1 others where one does not answer
  marks as down what fails 3 times within 10000 ms
  checks every 1000 ms with a header that names no client, for at most 900 ms; 5 failures bring down, 4 good ones up
`),
    several,
  )
  assert.match(
    shown({ upstreams, resolve: { staleAfter: 60_000, drain: 30_000 } }),
    /\n {2}marks as down what fails 3 times within 10000 ms, and tries it again itself every 10000 ms\n {2}uses no addresses of a name that are older than 60000 ms\n {2}resets connections 30000 ms after their address has left\n/,
  )
  assert.match(
    shown({ upstream: 'a:1', health: { check: { header: false } } }),
    /\n {2}connects to a:1, and sends it a version 2 header\n {2}checks every 5000 ms without a header, /,
  )
  const health = { check: {} }
  assert.match(
    shown({ upstream: 'a:1?pp=noop', health }),
    /\n {2}connects to a:1, and sends it no header\n {2}checks every 5000 ms without a header, /,
  )
  assert.match(
    shown({ upstreams: ['a:1?pp=noop', 'b:1'], health }),
    /\n {2}checks every 5000 ms with a header that names no client, where headers are sent, for at most 2000 ms; /,
  )
})

test('checks are shown by their types, one by one where they differ, and what follows from them', () => {
  const shown = (options: object): string =>
    showConfiguration(parseConfig({ services: [{ listen: ':1', ...options }] }))
  const health = { check: { type: 'http' }, onDown: 'reset', slowStart: '30s' }
  const alike = shown({ upstream: 'a:1', health })
  assert.match(
    alike,
    /\n {2}checks by http every 5000 ms with .*\n {2}resets the connections of an upstream that its checks find down\n/,
  )
  assert.match(alike, /\n {2}gives an upstream that is back its whole weight over 30000 ms\n/)
  const upstreams = ['a:1', { address: 'b:1', check: { type: 'redis' } }]
  assert.match(shown({ upstreams, health }), /\n {2}a:1: checks by http .*\n {2}b:1: checks by redis /)
  const one = shown({ upstreams })
  assert.match(one, /\n {2}b:1: checks by redis /)
  assert.match(one, /, and tries it again itself every 10000 ms\n/)
})

test('check does not listen: an address in use is not a fault of the configuration', async t => {
  const { port } = await listen(t)
  const file = configFile(t, { services: [{ listen: `127.0.0.1:${port}`, upstream: ':1' }] })
  const io = fakeIo()
  assert.equal(await runServer(['check', file], io), 0)
})

test('TLS that is passed through is shown with its routes, and block lists with their action', () => {
  const routes = [{ names: ['a.example', '*.b.example'], upstreams: ['a:1'] }]
  const shown = (options: object): string =>
    showConfiguration(parseConfig({ services: [{ listen: ':1', upstream: 'b:2', ...options }] }))
  assert.ok(
    shown({ passthrough: { routes } }).includes(`
  passes TLS through, and reads the ClientHello of each client within 10000 ms
  for a.example, *.b.example:
    connects to a:1, and sends it a version 2 header
  for all others:
  connects to b:2, and sends it a version 2 header
`),
  )
  const own = { balance: 'source-hash', timeouts: { idle: 'never' }, tlvs: { '0xE1': 'text:a' } }
  const options = { passthrough: { routes: [{ ...routes[0], ...own, upstreams: ['a:1', 'c:1'] }] } }
  assert.ok(
    shown(options).includes(`
  for a.example, *.b.example:
    connects to a:1, and sends it a version 2 header; has weight 1
    connects to c:1, and sends it a version 2 header; has weight 1
    shares connections out by the address of the client, and tries 2 others where one does not answer
    marks as down what fails 3 times within 10000 ms, and tries it again itself every 10000 ms
    adds these TLVs: 0xE1 (1 bytes)
    keeps what is silent; closes it after 60000 ms once one side has ended
  for all others:
`),
    shown(options),
  )
  assert.match(shown({ passthrough: {} }), / within 10000 ms\n {2}connects to b:2, /)
  const fallback = { upstreams: ['ssh:22'] }
  const alpn = [
    { alpn: ['acme-tls/1'], upstreams: ['c:1'] },
    { names: ['c.example'], alpn: ['h2', 'h3'], upstreams: ['d:1'] },
  ]
  const refusing = { listen: ':1', passthrough: { routes: alpn, unknownNames: 'reject', fallback } }
  assert.ok(
    showConfiguration(parseConfig({ services: [refusing] })).includes(`
  passes TLS through, and reads the ClientHello of each client within 10000 ms; refuses server names without a route
  for protocol acme-tls/1:
    connects to c:1, and sends it a version 2 header
  for c.example with protocol h2 or h3:
    connects to d:1, and sends it a version 2 header
  for clients without TLS, or silent for 2000 ms:
    connects to ssh:22, and sends it a version 2 header
  takes `),
  )
  const zones = ['bl.example', 'KEY.zen.dq.spamhaus.net']
  assert.match(
    shown({ dnsbl: { zones, servers: ['127.0.0.1'], action: 'reject' } }),
    /\n {2}asks bl\.example, a zone of Spamhaus at 127\.0\.0\.1 about each client for up to 1000 ms, and rejects those that are listed\n/,
  )
  assert.match(
    shown({ dnsbl: { zones: ['bl.example'] } }),
    /\n {2}asks bl\.example about each client .* tags those/,
  )
})

test('TLS that ends here is shown with its certificates, rules and routes', () => {
  const service = {
    listen: ['ssl://:1?cert=a.crt&alpn=h2&verify=CERT_REQUIRED&cafile=ca.pem', ':2'],
    upstream: 'b:2',
    tls: {
      certificates: [{ cert: 'b.pem' }],
      directory: '/certificates',
      unknownNames: 'reject',
      ciphers: 'ECDHE+AESGCM',
      crl: ['revoked.pem'],
      routes: [
        { alpn: ['h2'], upstreams: ['c:1'] },
        { names: ['d.example'], passthrough: true, upstreams: ['d:1'] },
      ],
    },
  }
  const [first = '', second = ''] = showConfiguration(parseConfig({ services: [service] })).split('\n\n')
  assert.ok(
    first.includes(`
  ends TLS with a.crt, b.pem, those in /certificates
  refuses server names without a certificate
  uses the ciphers ECDHE+AESGCM
  refuses client certificates that revoked.pem revoke
  for protocol h2:
    connects to c:1, and sends it a version 2 header
  passes TLS through for d.example:
    connects to d:1, and sends it a version 2 header
  for all others:
  connects to b:2, `),
  )
  assert.doesNotMatch(second, /TLS/)
  const plain = { listen: 'ssl://:1', upstream: 'b:2', tls: { certificates: [{ cert: 'b.pem' }] } }
  assert.match(
    showConfiguration(parseConfig({ services: [plain] })),
    /\n {2}ends TLS with b\.pem\n {2}connects to b:2, /,
  )
})

test('check says how many processes there would be, where it is more than one', async t => {
  const file = configFile(t, { services: [{ listen: ':10000', upstream: '127.0.0.1:10007' }] })
  const io = fakeIo({ PROXYPROTOCOL_WORKERS: '4' })
  assert.equal(await runServer(['check', file], io), 0)
  assert.match(
    io.written.join(''),
    /\nprogram\n {2}serves with 4 processes; what is limited is so in each of them\n/,
  )
})

test('check says where a service listens for IPv6 alone', async t => {
  const services = ['0.0.0.0:1', '[::]:1'].map(listen => ({ listen, upstream: '192.0.2.1:1' }))
  const io = fakeIo()
  assert.equal(await runServer(['check', configFile(t, { services })], io), 0)
  assert.match(io.written.join(''), /listens at \[::\]:1 for IPv6 alone;/)
})

test('check shows who may come, and how fast, and TLVs of the operator', async t => {
  const lists = { allow: ['10.0.0.0/8', '::1'], deny: ['10.0.0.1'], aclFrom: 'peer', allowVpce: ['vpce-1'] }
  const tlvs = { '0xE1': 'text:edge', '0xEF': 'fact:sni' }
  const rate = { connections: 20, per: '10s', burst: 40, exempt: ['10.9.0.0/16'] }
  const web = { listen: ':10001?pp=v2', trust: 'anyone', upstream: 'localhost:80' }
  const io = fakeIo()
  const services = [
    { ...web, ...lists, rate, tlvs },
    { ...web, listen: ':10002', trust: undefined, allow: ['::1'], rate: { connections: 1, per: 5 } },
    { ...web, listen: ':10003', trust: undefined, deny: ['192.0.2.0/24'] },
  ]
  assert.equal(await runServer(['check', configFile(t, { services })], io), 0)
  for (const line of [
    'refuses 10.0.0.1; lets only 10.0.0.0/8, ::1 in; takes connections only through vpce-1, by the address of the peer',
    'lets one client open 20 connections in 10000 ms, and 40 at once; 10.9.0.0/16 may open any number',
    'adds these TLVs: 0xE1 (4 bytes), 0xEF (sni)',
    'lets only ::1 in',
    'refuses 192.0.2.0/24',
    'lets one client open 1 connections in 5 ms, and 1 at once',
  ]) {
    assert.ok(io.written.join('').includes(`\n  ${line}\n`), line)
  }
})

test('a list of networks with mistakes ends check and the start of the program with 2, and with all of them', async t => {
  const list = configFile(t, '10.0.0.0/8\n10.0.0.0/33\na.example\n')
  const service = { listen: '127.0.0.1:0', upstream: '127.0.0.1:1', deny: [`file:${list}`] }
  const file = configFile(t, { services: [service, service] })
  for (const args of [
    ['check', file],
    ['--config', file],
  ]) {
    const io = fakeIo()
    assert.equal(await runServer(args, io), 2)
    const [first, second, ...others] = io.errors.join('').trimEnd().split('\n')
    assert.match(first ?? '', new RegExp(`^error: ${list}:2:1: `))
    assert.match(second ?? '', new RegExp(`^error: ${list}:3:1: `))
    assert.deepEqual(others, [])
  }
})

test('check shows the limits of upstreams, where connections come from, and the queue', async t => {
  const upstreams = [{ address: '192.0.2.1:80', maxConnections: 5, source: '192.0.2.9' }]
  const io = fakeIo()
  const services = [{ listen: ':1', upstreams, queue: { size: 7, timeout: '2s' } }]
  assert.equal(await runServer(['check', configFile(t, { services })], io), 0)
  for (const line of [
    'connects to 192.0.2.1:80 from 192.0.2.9, and sends it a version 2 header; at most 5 connections at a time',
    'lets 7 connections wait for room, for up to 2000 ms',
  ]) {
    assert.ok(io.written.join('').includes(`\n  ${line}\n`), line)
  }
})
