// Addresses side by side: what check refuses is what the kernel refuses, and nothing else.

import assert from 'node:assert/strict'
import { createServer, type Server } from 'node:net'
import { once } from 'node:events'
import { test } from 'node:test'
import { closedPort } from 'test-support/sockets'
import { leavesIPv4 } from '../../../src/config/address/index.ts'
import {
  ConfigError,
  parseConfig,
  endpointOptions,
  type Address,
  type Service,
} from '../../../src/config/index.ts'

const upstream = '192.0.2.1:80'

function services(...listen: readonly string[]): readonly Service[] {
  return parseConfig({ services: listen.map(each => ({ listen: each, upstream })) }).services
}

function fault(configuration: object): string {
  try {
    parseConfig(configuration)
  } catch (error) {
    assert.ok(error instanceof ConfigError)
    return error.message.replace(/^configuration: /, '')
  }
  return assert.fail('it was accepted')
}

/** What the kernel says of these services, bound one after the other. */
async function bound(listens: readonly Service[]): Promise<string> {
  const servers: Server[] = []
  try {
    for (const { listen, ipv6Only } of listens) {
      const server = createServer()
      servers.push(server)
      server.listen({ ...endpointOptions(listen), ipv6Only })
      await once(server, 'listening')
    }
    return 'bound'
  } catch (error) {
    return String((error as { code?: unknown }).code)
  } finally {
    for (const server of servers) server.close()
  }
}

const together: readonly (readonly string[])[] = [
  ['0.0.0.0', '[::]'],
  ['[::]', '0.0.0.0'],
  ['127.0.0.1', '127.0.0.2'],
  ['127.0.0.1', '[::1]'],
  ['[0:0::]', '0.0.0.0'],
  ['[::1]', '0.0.0.0'],
]

const apart: readonly (readonly string[])[] = [
  ['', '0.0.0.0'],
  ['0.0.0.0', ''],
  ['', '[::]'],
  ['', '127.0.0.1'],
  ['[::1]', ''],
  ['localhost', ''],
  ['0.0.0.0', '127.0.0.1'],
  ['[::]', '127.0.0.1'],
  ['[::]', '[::1]'],
  ['[::1]', '[0:0::1]'],
  ['127.0.0.1', '[::ffff:127.0.0.1]'],
  ['localhost', 'localhost'],
  ['0.0.0.0', '[::]', '[::1]'],
  ['[::]', '0.0.0.0', '127.0.0.1'],
]

test('check accepts what the kernel binds side by side: [::] is IPv6 alone beside 0.0.0.0', async () => {
  for (const hosts of together) {
    const port = await closedPort()
    const all = services(...hosts.map(host => `${host}:${port}`))
    assert.equal(await bound(all), 'bound', hosts.join(' '))
    assert.deepEqual(
      all.map(({ ipv6Only }) => ipv6Only),
      hosts.map(host => host !== '0.0.0.0' && host.endsWith('::]') && hosts.includes('0.0.0.0')),
    )
  }
  const [alone] = services('[::]:1', '0.0.0.0:2')
  assert.equal(alone?.ipv6Only, false)
  assert.equal(services(':0', ':0', '127.0.0.1:0').length, 3)
})

test('check refuses what the kernel refuses, and names both services', async () => {
  for (const hosts of apart) {
    const port = await closedPort()
    const all = hosts.map(host => services(`${host}:${port}`)).flat()
    const asOne = all.map(each => ({
      ...each,
      ipv6Only: hosts.length === 3 && each.listen.transport === 'tcp' && each.listen.host === '::',
    }))
    assert.equal(await bound(asOne), 'EADDRINUSE', hosts.join(' '))
    const listed = hosts.map(host => ({ listen: `${host}:${port}`, upstream }))
    assert.match(
      fault({ services: listed }),
      new RegExp(
        `^services\\[${hosts.length - 1}\\]\\.listen must not overlap with .*:${port}, where services\\[\\d\\] `,
      ),
      hosts.join(' '),
    )
  }
})

test('the message names the place, the service and what there is to do', () => {
  const web = { name: 'web', listen: '0.0.0.0:443', upstream }
  assert.equal(
    fault({ services: [web, { listen: ':443', upstream }] }),
    'services[1].listen must not overlap with 0.0.0.0:443, where services[0] ("web") listens, got :443; did you mean "[::]:443", ' +
      'which is IPv6 alone beside 0.0.0.0?',
  )
  const unix = ['unix:/run/./relay.sock', 'unix:/run/relay.sock'].map(listen => ({ listen, upstream }))
  assert.match(
    fault({ services: unix }),
    /^services\[1\]\.listen must not overlap with unix:\/run\/\.\/relay\.sock, /,
  )
  assert.equal(parseConfig({ services: [unix[0], web] }).services.length, 2)
})

test('the admin listener is one more address beside those of the services', () => {
  const web = { name: 'web', listen: ':8080', upstream }
  const at = (listen: string): object => ({
    services: [{ ...web, name: 'other', listen: '127.0.0.1:1' }, web],
    admin: { listen },
  })
  const message = 'must not overlap with :8080, where services[1] ("web") listens, got 127.0.0.1:8080'
  assert.equal(fault(at('127.0.0.1:8080')), `admin.listen ${message}`)
  assert.equal(fault(at(':8080')), `admin.listen ${message}`)
  assert.ok(parseConfig(at('127.0.0.1:8081')).admin)
})

test('a service that is wrong in itself overlaps with none', () => {
  assert.deepEqual(
    /overlap/.exec(
      fault({
        services: [
          { listen: 'x', upstream },
          { listen: 'y', upstream },
        ],
      }),
    ),
    null,
  )
})

test('addresses of two zones are two addresses, and those of one zone are one', () => {
  assert.equal(services('[fe80::1%a]:80', '[fe80::1%b]:80').length, 2)
  const both = { services: ['[fe80::1%a]:80', '[fe80:0::1%a]:80'].map(listen => ({ listen, upstream })) }
  assert.match(fault(both), /services\[1\]/)
})

test('the hosts of a range of ports are compared only at the same port', () => {
  let compared = 0
  const others = Array.from({ length: 100 }, (_, at): Address => ({
    transport: 'tcp',
    tls: undefined,
    pp: undefined,
    port: at + 1,
    get host() {
      compared++
      return '0.0.0.0'
    },
  }))
  const listen: Address = { transport: 'tcp', tls: undefined, pp: undefined, host: '::', port: 7 }
  assert.equal(leavesIPv4(listen, others), true)
  assert.ok(compared < 5, String(compared))
})
