// Values at the bounds of what a key takes: the schema alone judges them, so that nothing behind it throws.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { runServer } from '../../src/cli/index.ts'
import { ConfigError, parseConfig } from '../../src/config/index.ts'
import { createRelay } from '../../src/relay/index.ts'
import { configFile } from '../support/config-file.ts'
import { fakeIo } from '../support/program.ts'

const upstream = '192.0.2.9:80'

function upstreams(count: number): readonly string[] {
  return Array.from({ length: count }, (_, i) => `192.0.2.1:${i + 1}`)
}

function fault(written: object): string {
  try {
    parseConfig({ services: [{ listen: ':0', upstream, ...written }] }, 'proxy.json')
  } catch (error) {
    assert.ok(error instanceof ConfigError, String(error))
    return error.message.replace('proxy.json: services[0].', '')
  }
  return assert.fail('it was accepted')
}

test('a service has at most 1,000 upstreams, and each of its routes as many', () => {
  const routes = [{ names: ['a.test'], upstreams: upstreams(1_000) }]
  const services = [{ listen: ':0', upstream, passthrough: { routes } }]
  const [first] = parseConfig({ services }).services
  assert.equal(first?.passthrough?.routes[0]?.pool.upstreams.length, 1_000)
  const message = 'must have at most 1000 entries, got 1001'
  assert.equal(fault({ upstream: undefined, upstreams: upstreams(1_001) }), `upstreams ${message}`)
  const long = [{ names: ['a.test'], upstreams: upstreams(1_001) }]
  assert.equal(fault({ passthrough: { routes: long } }), `passthrough.routes[0].upstreams ${message}`)
})

test('check names the line and column of a list of upstreams that is too long, and ends with 2', async t => {
  const io = fakeIo()
  const file = configFile(
    t,
    `{ "services": [{ "listen": ":0",\n"upstreams": ${JSON.stringify(upstreams(1_001))} }] }`,
  )
  assert.equal(await runServer(['check', file], io), 2)
  assert.deepEqual(io.errors, [
    `error: ${file}:2:1: services[0].upstreams must have at most 1000 entries, got 1001\n`,
  ])
})

test('the name of an upstream is compared with those of 5,000 routes', () => {
  const routes = Array.from({ length: 5_000 }, (_, at) => ({
    names: [`t${String(at)}.example`],
    upstreams: [`u${String(at)}:1`],
  }))
  routes.push({ names: ['twice.example'], upstreams: ['u0:1'] })
  assert.match(
    fault({ passthrough: { routes } }),
    /^passthrough\.routes\[5000\]\.upstreams must be another upstream, got a second 'u0:1'/,
  )
})

test('what is said of upstreams is refused by key, value and what is wanted', () => {
  const twice = "must be another upstream, got a second 'a:1'; give one more weight, or a name of its own"
  const cases: [written: object, message: RegExp | string][] = [
    [{ upstream: undefined, upstreams: [] }, 'upstreams must have at least one entry, got none'],
    [{ upstream: undefined, upstreams: ['a:1', 'a:1?pp=v1'] }, `upstreams[1] ${twice}`],
    [
      { upstream: undefined, upstreams: [{ address: 'a:1', weight: -1 }] },
      /weight must be .* from 0 to 1000, got -1$/,
    ],
    [{ balance: 'random' }, /^balance must be one of "round-robin", .*, got "random"/],
    [{ retries: 1.5 }, /^retries must be an integer from 0 to 1000, got 1\.5$/],
    [{ health: { fails: '3' } }, /^health\.fails must be .*, got "3"$/],
    [{ health: { cooldown: 0 } }, /^health\.cooldown must be .* from 1 to 2147483647 .*, got 0$/],
    [{ health: { fail: 3 } }, /^health\.fail must be a known key; did you mean "fails"\?$/],
    [{ health: { check: { rise: 0 } } }, /^health\.check\.rise must be .*, got 0$/],
    [{ health: { check: { header: 1 } } }, /^health\.check\.header must be true or false, got 1$/],
    [{ resolve: { interval: 2 ** 31 } }, /^resolve\.interval must be .*, got 2147483648$/],
    [
      { resolve: { ttl: 1 } },
      /^resolve\.ttl must be one of the keys interval, maxMembers, staleAfter, drain$/,
    ],
  ]
  for (const [written, message] of cases) {
    if (typeof message === 'string') assert.equal(fault(written), message)
    else assert.match(fault(written), message)
  }
})

test('a name server is an IP address, with a port that DNS can have or without one', () => {
  const zones = ['bl.example']
  for (const server of ['127.0.0.1', '127.0.0.1:1', '::1', '[::1]', '[::1]:65535']) {
    const [service] = parseConfig({
      services: [{ listen: ':0', upstream, dnsbl: { zones, servers: [server] } }],
    }).services
    assert.ok(service && createRelay(service))
  }
  // Node 20 ends the process where a port is 0, and takes 99999 for 34463.
  for (const server of ['127.0.0.1:0', '[::1]:0', '127.0.0.1:99999', '[::1]:x', 'localhost', ':53', '']) {
    assert.equal(
      fault({ dnsbl: { zones, servers: [server] } }),
      `dnsbl.servers[0]: name server must be an IP address with or without a port, such as "127.0.0.1" or "[::1]:5353", got ${JSON.stringify(server)}`,
    )
  }
})
