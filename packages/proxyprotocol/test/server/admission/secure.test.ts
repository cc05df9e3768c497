// The option `secure`: which clients count as encrypted because their TLS ended at the load balancer.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import http from 'node:http'
import http2 from 'node:http2'
import net, { type AddressInfo, type Server, type Socket } from 'node:net'
import { test } from 'node:test'
import { outcome } from 'test-support/sockets'
import { untyped } from 'test-support/untyped'
import { tlv, type HeaderInit } from '../../../src/codec/index.ts'
import {
  attach,
  connectionInfo,
  createServer,
  isSecure,
  type AttachOptions,
  type Connected,
} from '../../../src/server/index.ts'
import { doors } from '../../support/doors.ts'
import { DESTINATION, encode, LOCAL, SOURCE, UNKNOWN, V1 } from '../../support/headers.ts'
import { createHarness, type Harness } from '../../support/harness.ts'
import { httpClients } from '../../support/http-clients.ts'
import { HeaderFirst } from '../../support/segments.ts'
import { send } from '../../support/admitted.ts'

type Secure = AttachOptions['secure']

const WITH_TLS = at(80, [tlv.ssl({ version: 'TLSv1.3' })])

/** The header of a client that connected to this port of the load balancer. */
function at(port: number, tlvs: HeaderInit['tlvs'] = []): Buffer {
  return encode({ source: SOURCE, destination: { ...DESTINATION, port }, tlvs })
}

/** What a server that answers with isSecure() and `socket.encrypted` says of a client. */
async function ask(harness: Harness, server: Server, bytes: Uint8Array | string): Promise<string> {
  if (!server.listening) {
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    harness.defer(async () => {
      server.close()
      await once(server, 'close')
    })
  }
  const { text } = await outcome(harness.dial((server.address() as AddressInfo).port).end(bytes))
  return text
}

function answer(socket: Socket): void {
  socket
    .on('error', () => {})
    .resume()
    .end(`${isSecure(socket)} ${String((socket as Connected & Socket & { encrypted?: true }).encrypted)}`)
}

for (const [name, secure, answers] of [
  ['nothing', undefined, { tls: 'true undefined', port: 'false undefined', plain: 'false undefined' }],
  ['header', 'header', { tls: 'true true', port: 'false undefined', plain: 'false undefined' }],
  ['ports', { ports: [443, 8443] }, { tls: 'false undefined', port: 'true true', plain: 'false undefined' }],
  [
    'a function',
    untyped(() => false),
    { tls: 'false undefined', port: 'false undefined', plain: 'false undefined' },
  ],
] as const satisfies readonly (readonly [string, Secure, object])[]) {
  test(`secure by ${name}: isSecure() and socket.encrypted say the same, with attach() and createServer()`, async t => {
    const harness = createHarness(t)
    const options = { trust: 'anyone', secure, missing: 'direct' } as const
    const attached = attach(net.createServer(answer), options)
    const served = await harness.serve(({ socket }) => answer(socket), options)
    for (const [bytes, expected] of [
      [WITH_TLS, answers.tls],
      [at(443), answers.port],
      [at(80), answers.plain],
      [V1, answers.port],
      [LOCAL, answers.plain],
      [UNKNOWN, answers.plain],
      ['no header', answers.plain],
    ] as const) {
      assert.equal(await ask(harness, attached, bytes), expected)
      assert.equal((await outcome(harness.dial(served.port).end(bytes))).text, expected)
    }
  })
}

test('secure by ports looks at the port that the header names, not at the port of this machine', async t => {
  const harness = createHarness(t)
  const probe = net.createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const { port } = probe.address() as AddressInfo
  probe.close()
  await once(probe, 'close')
  const options = { trust: 'anyone', missing: 'direct', secure: { ports: [port] } } as const
  const server = harness.watch(createServer(options, ({ socket }) => answer(socket)))
  await server.listen(port, '127.0.0.1')
  assert.equal((await outcome(harness.dial(port).end('no header'))).text, 'false undefined')
  assert.equal((await outcome(harness.dial(port).end(at(port)))).text, 'true true')
})

test('secure as a function gets the info, and info.secure is its answer', async t => {
  const harness = createHarness(t)
  const secure: Secure = ({ tlvs }) => tlvs.authority === 'example.org'
  const server = attach(
    net.createServer(socket =>
      socket
        .on('error', () => {})
        .resume()
        .end(String(connectionInfo(socket)?.secure)),
    ),
    { trust: 'anyone', secure },
  )
  assert.equal(await ask(harness, server, at(80, [tlv.authority('example.org')])), 'true')
  assert.equal(await ask(harness, server, at(80)), 'false')
})

for (const kind of ['http', 'h2c'] as const) {
  test(`secure reaches the requests of a server with ${kind}`, async t => {
    const harness = createHarness(t)
    const onRequest = (
      request: Connected,
      response: Pick<http.ServerResponse, 'setHeader' | 'end'>,
    ): void => {
      const { encrypted } = request.socket as { encrypted?: boolean }
      const body = JSON.stringify({ encrypted, secure: isSecure(request) })
      response.setHeader('content-length', body.length)
      response.end(body)
    }
    const server = kind === 'http' ? http.createServer(onRequest) : http2.createServer(onRequest as never)
    attach(server, { trust: 'anyone', secure: { ports: [443] } }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    harness.defer(async () => {
      server.close()
      await once(server, 'close')
    })
    const { port } = server.address() as AddressInfo
    const stream = new HeaderFirst(harness.dial(port), at(443), 'one segment')
    const protocol = kind === 'http' ? 'HTTP/1.1' : 'HTTP/2'
    const answers = await httpClients[protocol](stream, { count: 2 })
    assert.deepEqual(answers, [
      { encrypted: true, secure: true },
      { encrypted: true, secure: true },
    ])
  })
}

for (const [name, open] of doors) {
  for (const [how, secure] of [
    ['throws', () => assert.fail('fault')],
    ['returns a promise', untyped(() => Promise.reject(new Error('fault')))],
    ['returns a number', untyped(() => 1)],
  ] as const satisfies readonly (readonly [string, Secure])[]) {
    test(`${name}: a function for secure that ${how} refuses the connection`, async t => {
      const harness = createHarness(t)
      const door = await open(t, harness, { options: { secure } })
      assert.equal((await send(harness, door.port, V1, 'hello')).text, '')
      assert.deepEqual(
        door.refused.map(({ error }) => error.code),
        ['denied_acl'],
      )
      if (door.server) assert.equal(door.errors.length, 1)
    })
  }
}
