// Relays that pass TLS through, and look at the name that the client asks for.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { Socket } from 'node:net'
import { test, type TestContext } from 'node:test'
import { connect, type ConnectionOptions } from 'node:tls'
import { encodeHeader, parseHeader, readTlvs, tlv, type HeaderInit } from 'proxyprotocol'
import { createServer } from 'proxyprotocol/server'
import { certificate } from 'test-support/certificates'
import { content, until } from 'test-support/sockets'
import { parseService, type PassthroughInit, type ServiceOptions } from '../../../src/config/index.ts'
import { clientHello } from '../../support/client-hello.ts'
import { passed, startRelay, type TestRelay } from '../../support/relay.ts'
import { dial, listen, outcome, type Listener } from '../../support/connections.ts'
import { atEnd } from '../../support/teardown.ts'

interface Scene {
  readonly relay: TestRelay
  readonly upstream: Listener
}

async function scene(
  t: TestContext,
  sends = '',
  options: ServiceOptions & { source?: string } = {},
): Promise<Scene> {
  const upstream = await listen(t)
  const relay = await startRelay(t, `127.0.0.1:${upstream.port}${sends}`, { passthrough: {}, ...options })
  return { relay, upstream }
}

function tlvsBefore(bytes: Buffer, hello: Buffer): ReturnType<typeof readTlvs> {
  assert.deepEqual(bytes.subarray(-hello.length), hello, 'the ClientHello goes on byte for byte')
  return readTlvs(parseHeader(bytes.subarray(0, -hello.length)))
}

test('the upstream is told the server name, and the protocol where the client offers one', async t => {
  const { relay, upstream } = await scene(t)
  const one = await clientHello({ servername: 'a.example', ALPNProtocols: ['h2'] })
  const told = tlvsBefore(await passed(t, relay, upstream, one), one)
  assert.deepEqual([told.authority, told.alpn], ['a.example', 'h2'])
  assert.ok(told.uniqueId)
  const two = await clientHello({ servername: 'b.example', ALPNProtocols: ['h2', 'http/1.1'] })
  const choice = tlvsBefore(await passed(t, relay, upstream, two), two)
  assert.deepEqual([choice.authority, choice.alpn], ['b.example', undefined])
  const none = await clientHello()
  const nothing = tlvsBefore(await passed(t, relay, upstream, none), none)
  assert.deepEqual([nothing.authority, nothing.alpn], [undefined, undefined])
  assert.equal((await relay.record(0)).tls?.serverName, 'a.example')
})

test('the handshake is made with the server behind the relay, end to end', async t => {
  const server = createServer(
    { trust: ['127.0.0.1'], tls: { ...certificate, ALPNProtocols: ['x'] } },
    ({ socket, info }) => {
      socket.end(`${info.tlvs.authority ?? ''} ${info.tlvs.alpn ?? ''}`)
    },
  )
  const address = await server.listen(0, '127.0.0.1')
  atEnd(t, () => server.abort())
  const relay = await startRelay(t, `127.0.0.1:${typeof address === 'object' ? address.port : ''}`, {
    passthrough: {},
  })
  const options: ConnectionOptions = { servername: 'localhost', ca: certificate.cert, ALPNProtocols: ['x'] }
  const client = connect({ port: relay.port, host: '127.0.0.1', ...options })
  await once(client, 'secureConnect')
  assert.ok(client.authorized)
  assert.equal((await content(client)).toString(), 'localhost x')
  client.destroy()
})

test('connections go to the upstreams of the most exact name, all others to those of the service', async t => {
  const [exact, wild, other] = [await listen(t), await listen(t), await listen(t)]
  const relay = await startRelay(t, `127.0.0.1:${other.port}`, {
    passthrough: {
      routes: [
        { names: ['A.example'], upstreams: [`127.0.0.1:${exact.port}`] },
        { names: ['*.example', 'b.test'], upstreams: [`127.0.0.1:${wild.port}`] },
      ],
    },
  })
  const ways = [
    ['a.example', exact],
    ['x.y.example', wild],
    ['b.test', wild],
    ['c.test', other],
    [undefined, other],
  ] as const
  for (const [servername, to] of ways) {
    const hello = await clientHello(servername === undefined ? {} : { servername })
    assert.equal(tlvsBefore(await passed(t, relay, to, hello), hello).authority, servername)
  }
  assert.deepEqual(
    relay.upstreams().upstreams.map(({ name, total }) => [name, total]),
    [
      [`127.0.0.1:${other.port}`, 2],
      [`127.0.0.1:${exact.port}`, 1],
      [`127.0.0.1:${wild.port}`, 2],
    ],
  )
})

test('what is not TLS is reset before an upstream is connected to', async t => {
  const { relay, upstream } = await scene(t)
  assert.equal((await outcome(dial(t, relay.port).end('GET / HTTP/1.1\r\n\r\n'))).error, 'ECONNRESET')
  const { reason, error } = await relay.record(0)
  assert.equal(reason, 'tls_client_error')
  assert.match(error?.message ?? '', /its record has the type 71, not 22; it starts with "GET/)
  assert.equal(upstream.accepted, 0)
})

test('a client that ends or resets without a byte is a probe; one that resets within its ClientHello is not', async t => {
  const { relay, upstream } = await scene(t)
  const ways: [bytes: string, end: (client: Socket) => unknown, reason: string][] = [
    ['', client => client.end(), 'probe'],
    ['', client => client.resetAndDestroy(), 'probe'],
    ['\x16', client => client.resetAndDestroy(), 'client_reset'],
  ]
  for (const [index, [bytes, end, reason]] of ways.entries()) {
    const client = dial(t, relay.port)
    const ended = outcome(client)
    client.write(bytes)
    await until(() =>
      [...relay.server.connections].some(
        ({ state, socket }) => state === 'open' && socket.bytesRead === bytes.length,
      ),
    )
    end(client)
    await ended
    assert.equal((await relay.record(index)).reason, reason)
  }
  await until(() => relay.server.connections.size === 0)
  const { probe, client_reset: resets } = relay.server.stats().closed
  assert.deepEqual([probe, resets, upstream.accepted], [2, 1, 0])
})

test('behind a proxy its own word of the name goes on, and its checks are not looked at', async t => {
  const { relay, upstream } = await scene(t, '', { source: '127.0.0.1:0?pp=v2', trust: ['127.0.0.1'] })
  const ends = { source: { address: '192.0.2.1', port: 1 }, destination: { address: '192.0.2.2', port: 443 } }
  const hello = await clientHello({ servername: 'a.example' })
  const behind = (header: HeaderInit, payload: Buffer): Promise<Buffer> =>
    passed(t, relay, upstream, Buffer.concat([encodeHeader(header), payload]))
  const kept = await behind({ ...ends, tlvs: [tlv.authority('front.example')] }, hello)
  assert.equal(tlvsBefore(kept, hello).authority, 'front.example')
  assert.equal(tlvsBefore(await behind(ends, hello), hello).authority, 'a.example')
  const check = await behind({ command: 'LOCAL' }, Buffer.from('ping'))
  assert.equal(parseHeader(check.subarray(0, -4)).command, 'LOCAL')
})

test('version 1 has no place for a name, and neither has an upstream without header', async t => {
  const hello = await clientHello({ servername: 'a.example' })
  const v1 = await scene(t, '?pp=v1')
  assert.match(
    (await passed(t, v1.relay, v1.upstream, hello)).toString('latin1'),
    /^PROXY TCP4 \S+ \S+ \d+ \d+\r\n\x16\x03/,
  )
  const none = await scene(t, '?pp=noop')
  assert.deepEqual(await passed(t, none.relay, none.upstream, hello), hello)
})

test('what is wrong with the routes is said', () => {
  const parse = (passthrough: PassthroughInit): unknown => parseService(':1', '127.0.0.1:2', { passthrough })
  const route = { names: ['a.example'], upstreams: ['127.0.0.1:3'] }
  assert.throws(
    () => parse({ routes: [route, { names: ['b.example', 'A.example'], upstreams: ['127.0.0.1:4'] }] }),
    /passthrough\.routes\[1\]\.names\[1\] must be another server name, got "a\.example" twice/,
  )
  assert.throws(
    () => parse({ routes: [route, { names: ['b.example'], upstreams: ['127.0.0.1:3'] }] }),
    /passthrough\.routes\[1\]\.upstreams must be another upstream, got a second '127\.0\.0\.1:3'; give one more weight, or a name of its own/,
  )
  assert.throws(
    () => parse({ routes: [{ names: ['b.example'], upstreams: ['127.0.0.1:2'] }] }),
    /passthrough\.routes\[0\]\.upstreams must be another upstream, got a second '127\.0\.0\.1:2'/,
    'the only upstream of the service',
  )
  assert.throws(
    () => parse({ routes: [{ ...route, upstreams: [] }] }),
    /passthrough\.routes\[0\]\.upstreams must have at least one entry/,
  )
  for (const name of ['', '*', 'a.*.b', 'a b', 'a.example.']) {
    assert.throws(
      () => parse({ routes: [{ ...route, names: [name] }] }),
      /must be a server name such as "a\.example"/,
      name,
    )
  }
})
