// proxyprotocol-server import: what it translates, what it says it leaves out, and how it ends.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test, type TestContext } from 'node:test'
import { parse } from 'yaml'
import { runServer } from '../../../src/cli/index.ts'
import { run } from '../../support/child.ts'
import { configFile } from '../../support/config-file.ts'
import { fakeIo } from '../../support/program.ts'

const TCP = 'defaults\n mode tcp\n'

interface Imported {
  readonly code: number
  readonly services: unknown
  readonly notes: readonly string[]
}

async function imported(t: TestContext, text: string): Promise<Imported> {
  const file = configFile(t, text, 'other.cfg')
  const io = fakeIo()
  const code = await runServer(['import', file], io)
  const { services } = (parse(io.written.join('')) ?? {}) as { services?: unknown } // the translation's own text
  const notes = io.errors.map(line => line.replaceAll(file, 'FILE').trimEnd())
  return { code, services, notes }
}

async function translates(t: TestContext, text: string, services: unknown): Promise<void> {
  assert.deepEqual(await imported(t, text), { code: 0, services, notes: [] })
}

async function leavesOut(t: TestContext, text: string, notes: readonly string[]): Promise<unknown> {
  const { services, ...rest } = await imported(t, text)
  assert.deepEqual(rest, { code: 1, notes })
  return services
}

test('import names what it leaves out by file, line and directive, and ends with 1', async t => {
  for (const [file, notes] of [
    [
      '1-sni-with-backups.haproxy.cfg',
      [
        'FILE:25: server: backups share, where HAProxy uses the first that is up',
        'FILE:26: server: backups share, where HAProxy uses the first that is up',
      ],
    ],
    [
      '2-edge-with-checks.haproxy.cfg',
      ['FILE:30: listen stats: only mode tcp is translated, so the section is left out'],
    ],
    [
      '3-sni-map.nginx.conf',
      ['FILE:4: .example.org site: nginx takes it as a mask only after "hostnames"; here it is one'],
    ],
  ] as const) {
    const text = readFileSync(new URL(`configs/${file}`, import.meta.url), 'utf8')
    await leavesOut(t, text, notes)
  }
})

test('import ends with 2 if a file is missing, of another kind, or without a service', async t => {
  const io = fakeIo()
  assert.equal(await runServer(['import', '/nonexistent/haproxy.cfg'], io), 2)
  assert.match(io.errors.join(''), /^error: the file cannot be read: ENOENT/)
  for (const text of ['hello', 'stream { server {', 'stream { } }', 'http { stream { } }\nstream {']) {
    const { code, notes } = await imported(t, text)
    assert.equal(code, 2)
    assert.deepEqual(notes, [
      'error: FILE must be a configuration of HAProxy, or of nginx with "stream { ... }"',
    ])
  }
  const { code, notes } = await imported(t, `${TCP}frontend a\n bind :1\n`)
  assert.equal(code, 2)
  assert.deepEqual(notes, [
    'FILE:3: frontend a: it has no server, so it is left out',
    'error: FILE must have a service over TCP, got none',
  ])
})

test('import writes YAML to standard output and the rest to standard error of its process', async t => {
  const text = 'user a;\nstream { server { listen 1; proxy_pass 192.0.2.1:2; } }'
  const file = configFile(t, text, 'nginx.conf')
  const child = run(t, 'packages/proxyprotocol-server/bin/proxyprotocol-server.js', ['import', file])
  const errors = `${file}:1: user a: outside "stream" nothing is translated\n`
  assert.deepEqual(await child.ended, { code: 1, signal: null, errors })
  assert.equal(
    child.output(),
    'services:\n  - listen: 0.0.0.0:1\n    upstreams:\n      - 192.0.2.1:2?pp=noop\n',
  )
})

test('import is the first argument', async () => {
  const io = fakeIo()
  assert.equal(await runServer(['--quiet', 'import', 'haproxy.cfg'], io), 2)
  assert.match(io.errors.join(''), /import must be the first argument/)
})

test('import joins a section listen of HAProxy with defaults, quotes and comments', async t => {
  await translates(
    t,
    `${TCP} retries 1\n timeout connect 1500\n timeout client 1d\n timeout server 1d\n timeout client-fin 1s # end\n` +
      `listen "a b"x # comment\n`.replace('"a b"x', 'mail') +
      ' bind *:25,127.0.0.1:26 v4v6\n balance source\n option redispatch\n option tcplog\n maxconn 5\n' +
      ' timeout queue 500us\n default-server maxconn 9 slowstart 10s\n option allbackups\n timeout check 3s\n' +
      ' option smtpchk EHLO "mail.example"\n' +
      ' server one ipv4@192.0.2.1:25 send-proxy weight 2 source 192.0.2.9:0 check addr 192.0.2.8 check-send-proxy\n' +
      ' server two 2001:db8::1:25 backup check inter 4s\n server three /run/three.sock backup\n',
    [
      {
        name: 'mail',
        listen: ['0.0.0.0:25', '127.0.0.1:26'],
        upstreams: [
          {
            address: '192.0.2.1:25?pp=v1',
            name: 'one',
            weight: 2,
            maxConnections: 9,
            source: '192.0.2.9',
            check: {
              type: 'smtp',
              host: 'mail.example',
              interval: '2s',
              timeout: '3s',
              port: 25,
              address: '192.0.2.8',
            },
          },
          {
            address: '[2001:db8::1]:25?pp=noop',
            name: 'two',
            backup: true,
            maxConnections: 9,
            check: { type: 'smtp', host: 'mail.example', interval: '4s', timeout: '3s' },
          },
          { address: 'unix:/run/three.sock?pp=noop', name: 'three', backup: true, maxConnections: 9 },
        ],
        balance: 'source-hash',
        retries: 1,
        health: { slowStart: '10s' },
        queue: { timeout: 1 },
        limits: { connections: 5 },
        overLimit: 'pause',
        timeouts: { connect: 1500, idle: 86_400_000, halfClose: '1s' },
      },
    ],
  )
})

test('import knows the checks of HAProxy', async t => {
  for (const [option, check] of [
    ['option tcp-check', { type: 'tcp' }],
    ['option redis-check', { type: 'redis' }],
    ['option pgsql-check user u', { type: 'postgresql', user: 'u' }],
    ['option mysql-check user u', { type: 'mysql', user: 'u' }],
    ['option httpchk', { type: 'http', method: 'OPTIONS', path: '/' }],
    [
      'option httpchk /up\n http-check expect status 204',
      { type: 'http', method: 'OPTIONS', path: '/up', status: '204' },
    ],
    ['option httpchk HEAD /', { type: 'http', method: 'HEAD', path: '/' }],
  ] as const) {
    await translates(t, `${TCP}listen a\n bind :1\n ${option}\n server s 192.0.2.1:2 check\n`, [
      {
        name: 'a',
        listen: '0.0.0.0:1',
        upstreams: [
          { address: '192.0.2.1:2?pp=noop', name: 's', check: { ...check, interval: '2s', timeout: '2s' } },
        ],
      },
    ])
  }
})

test('import translates conditions on networks to allow and deny, and those on names to routes', async t => {
  await translates(
    t,
    `${TCP}frontend f\n bind :1\n acl us src 10.0.0.0/8\n acl bad src 192.0.2.1\n acl bad src 192.0.2.2\n` +
      ' tcp-request connection reject unless us\n tcp-request connection reject if bad\n' +
      ' tcp-request connection reject if !{ src 172.16.0.0/12 }\n' +
      ' tcp-request content reject if !{ req.ssl_hello_type 1 }\n tcp-request content reject\n' +
      ' use_backend one if { req.ssl_sni -m end .a.example } || { req.ssl_sni -i -m str b.example }\n' +
      ' default_backend two\nbackend one\n server s 192.0.2.3:1\nbackend two\n server s 192.0.2.4:1\n',
    [
      {
        name: 'f',
        listen: '0.0.0.0:1',
        upstreams: [{ address: '192.0.2.4:1?pp=noop', name: 's' }],
        allow: ['10.0.0.0/8', '172.16.0.0/12'],
        deny: ['192.0.2.1', '192.0.2.2'],
        passthrough: {
          routes: [
            {
              names: ['*.a.example', 'b.example'],
              upstreams: [{ address: '192.0.2.3:1?pp=noop', name: 's-2' }],
            },
          ],
        },
      },
    ],
  )
  await translates(
    t,
    `${TCP}frontend f\n bind :1\n use_backend one if { req.ssl_sni a.example }\nbackend one\n server s 192.0.2.3:1\n`,
    [
      {
        name: 'f',
        listen: '0.0.0.0:1',
        passthrough: {
          routes: [{ names: ['a.example'], upstreams: [{ address: '192.0.2.3:1?pp=noop', name: 's' }] }],
          unknownNames: 'reject',
        },
      },
    ],
  )
})

test('import leaves out what HAProxy says and the relay does not', async t => {
  const unsaid = 'the condition is more than server names or networks'
  const conditions = [
    'if { req.ssl_sni -m beg a }',
    'if { req.ssl_sni -m end a.example }',
    'if { dst 10.0.0.1 }',
    'if us them',
    'if { req.ssl_sni -f names }',
    'if { req.ssl_sni a } us',
    'if !{ req.ssl_sni a } or { src 10.0.0.1 }',
    'if',
    'if { req.ssl_sni a } or { src 10.0.0.1 }',
    'if { req.ssl_hello_type 2 }',
    'if ! { req.ssl_sni a }',
    'if nothing',
  ]
  const services = await leavesOut(
    t,
    'global\n daemon\n' +
      `${TCP} timeout client 1s\n timeout server 2s\n timeout tunnel soon\n log global\n` +
      'frontend f\n bind :1 accept-proxy\n bind :2 ssl crt a.pem\n bind :3 interface eth0\n' +
      conditions.map(condition => ` use_backend b ${condition}\n`).join('') +
      ' use_backend none if { req.ssl_sni c.example }\n use_backend b if { req.ssl_sni d.example }\n' +
      ' tcp-request content accept if { src 10.0.0.1 }\n default_backend g\n' +
      'backend b\n balance first\n timeout connect 1s\n server s 192.0.2.3:1 ssl\n server t 192.0.2.3:1 cookie x\n' +
      ' server u 192.0.2.4:1\n option httpchk POST /\n option httpchk GET / HTTP/1.1\n http-check expect string ok\n' +
      'backend g\n balance leastconn\n server s 192.0.2.5:1\n',
    [
      'FILE:1: global: the section has no counterpart',
      'FILE:7: timeout tunnel: the time is not valid',
      'FILE:8: log global: it has no counterpart',
      'FILE:9: frontend f: one idle timeout serves both sides: that of the client',
      'FILE:10: bind: accept-proxy believes every peer, so trust is "anyone"; name your proxies there',
      'FILE:11: bind: TLS that ends here is not translated, so the address is left out',
      'FILE:12: bind: interface eth0 has no counterpart',
      ...conditions.map((_, at) => `FILE:${13 + at}: use_backend: ${unsaid}, so the route is left out`),
      'FILE:25: use_backend: the backend none has no server, so the route is left out',
      'FILE:26: use_backend: the route has the balance of its service',
      'FILE:26: use_backend: the route has the timeouts of its service',
      `FILE:27: tcp-request content: ${unsaid}`,
      'FILE:30: balance: the balance has no counterpart',
      'FILE:32: server: TLS to a server is not translated, so the server is left out',
      'FILE:33: server: cookie x has no counterpart',
      'FILE:35: option httpchk: only GET, HEAD and OPTIONS exist',
      'FILE:36: option httpchk: the version and headers are left out',
      'FILE:37: http-check expect: only a status is translated',
    ],
  )
  assert.deepEqual((services as { listen: unknown; trust: unknown }[])[0]?.trust, 'anyone') // of the frontend
})

test('import joins servers of nginx with upstreams, maps and settings of their stream', async t => {
  await translates(
    t,
    'stream {\n proxy_timeout 1h30m;\n proxy_connect_timeout 2;\n zone z 1m;\n'.replace(' zone z 1m;\n', '') +
      ' upstream app { # several\n  zone z 1m; least_conn; server "192.0.2.1:1" weight=2 max_conns=3 max_fails=4 fail_timeout=5s;\n' +
      '  server 192.0.2.2:1 backup; server 192.0.2.3:1 down; }\n upstream one { hash $remote_addr; server unix:/run/a.sock; }\n' +
      ' server { listen *:1 proxy_protocol reuseport; set_real_ip_from 10.0.0.0/8; set_real_ip_from unix:;\n' +
      '  deny 192.0.2.66; allow 192.0.2.0/24; deny all; proxy_bind 192.0.2.9; proxy_protocol on; proxy_pass app; }\n' +
      ' server { listen 127.0.0.1:2; allow all; proxy_pass one; }\n}\n',
    [
      {
        listen: '0.0.0.0:1?pp=detect',
        upstreams: [
          { address: '192.0.2.1:1?pp=v1', weight: 2, maxConnections: 3, source: '192.0.2.9' },
          { address: '192.0.2.2:1?pp=v1', backup: true, source: '192.0.2.9' },
          { address: '192.0.2.3:1?pp=v1', weight: 0, source: '192.0.2.9' },
        ],
        balance: 'least-connections',
        health: { fails: 4, window: '5s', cooldown: '5s' },
        trust: ['10.0.0.0/8', 'unix'],
        allow: ['192.0.2.0/24'],
        deny: ['192.0.2.66'],
        timeouts: { connect: 2000, idle: 5_400_000 },
      },
      {
        listen: '127.0.0.1:2',
        upstreams: ['unix:/run/a.sock?pp=noop'],
        balance: 'source-hash',
        timeouts: { connect: 2000, idle: 5_400_000 },
      },
    ],
  )
  await translates(
    t,
    'stream {\n map $ssl_preread_server_name $to { hostnames; *.a.example 192.0.2.1:1; b.example $nothing; c.example two; }\n' +
      ' server { listen 1; ssl_preread on; preread_timeout 3s; proxy_pass $to; }\n' +
      ' upstream two { server 192.0.2.1:1 weight=2; server 192.0.2.2:1; }\n server { listen 2; listen 127.0.0.1:3; proxy_pass two; } }',
    [
      {
        listen: '0.0.0.0:1',
        passthrough: {
          timeout: '3s',
          routes: [
            { names: ['*.a.example'], upstreams: ['192.0.2.1:1?pp=noop'] },
            {
              names: ['c.example'],
              upstreams: [
                { weight: 2, address: '192.0.2.1:1?pp=noop', name: '192.0.2.1:1-2' },
                '192.0.2.2:1?pp=noop',
              ],
            },
          ],
          unknownNames: 'reject',
        },
      },
      {
        listen: ['0.0.0.0:2', '127.0.0.1:3'],
        upstreams: [{ weight: 2, address: '192.0.2.1:1?pp=noop' }, '192.0.2.2:1?pp=noop'],
        health: { fails: 1, window: '10s', cooldown: '10s' },
      },
    ],
  )
})

test('import leaves out what nginx says and the relay does not', async t => {
  const services = await leavesOut(
    t,
    'user www;\nstream {\n log_format a b;\n map $remote_addr $x { default y; }\n' +
      ' map $ssl_preread_server_name $to {\n  hostnames;\n  ~^a 192.0.2.1:1;\n  mail.* 192.0.2.1:1;\n  default 192.0.2.2:1;\n }\n' +
      ' upstream u {\n  random;\n  hash $request_id;\n  server 192.0.2.1:1 slow_start=1s resolve;\n }\n' +
      ' server { listen 53 udp;\n proxy_pass 192.0.2.1:53; }\n server { listen 443 ssl; }\n' +
      ' server {\n  listen 1 so_keepalive=on proxy_protocol;\n  proxy_bind $remote_addr transparent;\n  allow 10.0.0.0/8;\n' +
      '  deny 10.0.0.1;\n  proxy_timeout soon;\n  js_access a;\n  proxy_pass u;\n }\n' +
      ' server {\n  listen 2;\n  proxy_pass $unknown;\n }\n server {\n  listen unix:/run/a.sock;\n  proxy_pass 192.0.2.1:$server_port;\n }\n server { listen 3; }\n' +
      ' server; upstream w; map $ssl_preread_server_name $w;\n}\nstream;\n',
    [
      'FILE:1: user www: outside "stream" nothing is translated',
      'FILE:3: log_format a b: it has no counterpart',
      'FILE:4: map $remote_addr $x: only a map of $ssl_preread_server_name is translated',
      'FILE:7: ~^a 192.0.2.1:1: only exact names and masks in front are translated',
      'FILE:8: mail.* 192.0.2.1:1: only exact names and masks in front are translated',
      'FILE:12: random: it has no counterpart',
      'FILE:13: hash: only $remote_addr is translated',
      'FILE:14: server: slow_start has no counterpart',
      'FILE:18: listen: TLS that ends here is not translated, so the address is left out',
      'FILE:19: server: no set_real_ip_from names proxies, so trust is "anyone"',
      'FILE:20: listen: so_keepalive=on has no counterpart',
      'FILE:21: proxy_bind: only an IP address is translated',
      'FILE:23: deny: it follows "allow", and here "deny" comes first',
      'FILE:24: proxy_timeout: the time is not valid',
      'FILE:25: js_access a: it has no counterpart',
      'FILE:28: server: its proxy_pass is not translated, so it is left out',
      'FILE:32: server: its proxy_pass is not translated, so it is left out',
      'FILE:36: server: its proxy_pass is not translated, so it is left out',
    ],
  )
  assert.equal((services as unknown[]).length, 2)
})
