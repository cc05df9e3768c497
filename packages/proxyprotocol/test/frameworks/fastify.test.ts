// Fastify behind attach(): `request.ip`, and the traps of `trustProxy` and of the host `localhost`.

import assert from 'node:assert/strict'
import dns from 'node:dns'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { networkInterfaces } from 'node:os'
import { test, type TestContext } from 'node:test'
import fastify, { type FastifyInstance, type FastifyServerOptions } from 'fastify'
import { certificate } from 'test-support/certificates'
import { outcome } from 'test-support/sockets'
import { attach } from '../../src/server/index.ts'
import {
  clientOf,
  peerOf,
  testFramework,
  trusted,
  type HttpKind,
  type Running,
} from '../support/framework.ts'
import { V2 } from '../support/headers.ts'
import { httpClients } from '../support/http-clients.ts'
import { HeaderFirst } from '../support/segments.ts'
import { createHarness } from '../support/harness.ts'

const optionsOf: Readonly<Record<HttpKind, object>> = {
  http: {},
  https: { https: certificate },
  http2: { http2: true, https: { ...certificate, allowHTTP1: true } },
  h2c: { http2: true },
}

function createApp(options: object, onRequest: () => void = () => {}): FastifyInstance {
  const app = fastify(options as FastifyServerOptions) as FastifyInstance // whatever its server is
  app.get('/', request => {
    onRequest()
    const { ip, ips, raw } = request
    const port = request.socket.remotePort
    return { ip, ips, port, info: [clientOf(request), clientOf(raw)], peer: peerOf(raw) }
  })
  return app
}

async function start(app: FastifyInstance): Promise<Running> {
  await app.listen({ host: '127.0.0.1', port: 0 })
  return { port: (app.server.address() as AddressInfo).port, close: () => app.close() }
}

const client = '192.0.2.1:56324'

testFramework({
  name: 'fastify',
  kinds: ['http', 'https', 'http2', 'h2c'],
  start: (kind, onRequest) => {
    const app = createApp(optionsOf[kind], onRequest)
    attach(app.server, trusted)
    return start(app)
  },
  answer: { ip: '192.0.2.1', port: 56324, info: [client, client], peer: '127.0.0.1' },
})

const forged = { count: 1, headers: { 'x-forwarded-for': '203.0.113.9' } }

test('fastify behind attach() leaves trustProxy off: set, it believes what clients write', async t => {
  const harness = createHarness(t)
  const app = createApp({ trustProxy: true })
  attach(app.server, trusted)
  const { port, close } = await start(app)
  harness.defer(close)
  const stream = new HeaderFirst(harness.dial(port), V2, 'one segment')
  const [answer] = await httpClients['HTTP/1.1'](stream, forged)
  assert.deepEqual([answer?.['ip'], answer?.['info']], ['203.0.113.9', [client, client]])
})

/** Makes `localhost` two addresses, as it is where IPv6 is on, and gives the second of them. */
function doubleLocalhost(t: TestContext): string {
  const addresses = Object.values(networkInterfaces()).flatMap(each => each ?? [])
  const second = addresses.some(({ address }) => address === '::1') ? '::1' : '127.0.0.2'
  const both = ['127.0.0.1', second].map(address => ({ address, family: address.includes(':') ? 6 : 4 }))
  const lookup = dns.lookup as (...parameters: unknown[]) => void
  t.mock.method(dns, 'lookup', (host: string, ...rest: unknown[]) => {
    if (host !== 'localhost') return lookup(host, ...rest)
    const done = rest.at(-1) as (error: null, found: unknown, family?: number) => void
    const { all } = rest[0] as { all?: boolean } // or the callback, which has none
    setImmediate(() => (all ? done(null, both) : done(null, '127.0.0.1', 4)))
  })
  return second
}

test("fastify on the host 'localhost' opens a second listener, which attach() has not seen", async t => {
  const harness = createHarness(t)
  const second = doubleLocalhost(t)
  const app = createApp({})
  attach(app.server, trusted)
  await app.listen({ host: 'localhost', port: 0 })
  harness.defer(() => app.close())
  const { port } = app.server.address() as AddressInfo
  const bare = harness.dial(port, second)
  const [answer] = await httpClients['HTTP/1.1'](bare, { count: 1 })
  assert.equal(answer?.['ip'], second, 'anyone is served there, without a header')
  const socket = harness.dial(port, second)
  socket.end(Buffer.concat([V2, Buffer.from('GET / HTTP/1.1\r\nhost: a\r\n\r\n')]))
  assert.match((await outcome(socket)).text, /^HTTP\/1\.1 400 /)
})

test("fastify with attach() in its serverFactory has one server, and no other on 'localhost'", async t => {
  const harness = createHarness(t)
  const second = doubleLocalhost(t)
  const serverFactory: FastifyServerOptions['serverFactory'] = handler =>
    attach(http.createServer(handler), trusted)
  const app = createApp({ serverFactory })
  await app.listen({ host: 'localhost', port: 0 })
  harness.defer(() => app.close())
  const { port } = app.server.address() as AddressInfo
  assert.deepEqual(await outcome(harness.dial(port, second)), { text: '', end: 'ECONNREFUSED' })
  const stream = new HeaderFirst(harness.dial(port), V2, 'one segment')
  assert.equal((await httpClients['HTTP/1.1'](stream, forged))[0]?.['ip'], '192.0.2.1')
})

test('fastify.inject() has no connection, and connectionInfo() says so', async t => {
  createHarness(t)
  const app = createApp({})
  attach(app.server, trusted)
  const response = await app.inject('/')
  assert.deepEqual(response.json(), { ip: '127.0.0.1', info: ['nobody', 'nobody'], peer: 'nobody' })
  await app.close()
})
