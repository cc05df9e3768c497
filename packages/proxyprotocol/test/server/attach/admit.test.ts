// admit(): streams without a header, as tunnels and multiplexers have them, for a server that is attached to.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import http from 'node:http'
import http2 from 'node:http2'
import https from 'node:https'
import net, { type Server, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { duplexPair } from 'node:stream'
import { text as textOf } from 'node:stream/consumers'
import { test } from 'node:test'
import tls, { TLSSocket } from 'node:tls'
import * as another from 'proxyprotocol/server'
import { certificate } from 'test-support/certificates'
import { content, text, turns } from 'test-support/sockets'
import { untyped } from 'test-support/untyped'
import { headerFor } from '../../../src/client/index.ts'
import {
  admit,
  attach,
  connectionInfo,
  diagnosticsChannels,
  isSecure,
  type AcceptedMessage,
  type Connected,
  type ConnectionInfo,
} from '../../../src/server/index.ts'
import { listenAttached } from '../../support/attached.ts'
import { DESTINATION, SOURCE, V2 } from '../../support/headers.ts'
import { collect, createHarness } from '../../support/harness.ts'

const INFO = { source: SOURCE, destination: DESTINATION }
const GET = 'GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n'
const TUNNEL = 'HTTP/1.1 200 OK\r\n\r\n'
const options = { trust: ['127.0.0.1'] }

/** What a socket shows, what is known of it, and what the next hop would be told. */
function say(socket: Socket, connected: Connected | Socket): string {
  const { source, destination } = headerFor(socket) as { source?: unknown; destination?: unknown }
  const { remoteAddress, remotePort, localAddress } = socket
  const known = connectionInfo(connected)?.source
  return JSON.stringify([remoteAddress, remotePort, localAddress, known, source, destination])
}

const SAID = JSON.stringify([SOURCE.address, SOURCE.port, DESTINATION.address, SOURCE, SOURCE, DESTINATION])

function onRequest(
  request: Connected & { readonly socket: Socket },
  response: { end(text: string): unknown },
): void {
  response.end(say(request.socket, request))
}

function bodyOf(answer: string): string {
  return answer.slice(answer.lastIndexOf('\r\n\r\n') + 4)
}

test('admit() takes the socket of a CONNECT tunnel for the same server, whose requests are the same client', async t => {
  const harness = createHarness(t)
  const server = http.createServer(onRequest)
  server.on('connect', (_request, socket: Socket, head) => {
    socket.write(TUNNEL)
    socket.unshift(head)
    admit(server, socket)
  })
  const { port } = await listenAttached(harness, server)
  const client = harness.dial(port)
  client.write(V2)
  client.write('CONNECT a:80 HTTP/1.1\r\nhost: a:80\r\n\r\n')
  await text(client, TUNNEL.length)
  client.write(GET)
  assert.equal(bodyOf(await text(client)), SAID)
})

/** The client's end of a Duplex that a server has admitted. */
function throughDuplex(server: Server): Duplex {
  const [near, far] = duplexPair()
  admit(attach(server, options), far, INFO)
  return near
}

test('admit() takes a Duplex that is not a socket, for a server of http', async () => {
  const near = throughDuplex(http.createServer(onRequest))
  near.write(GET)
  assert.equal(bodyOf(await textOf(near)), SAID)
})

test('admit() takes a Duplex that is not a socket, for a server of https', async () => {
  const socket = throughDuplex(https.createServer(certificate, onRequest))
  const client = tls.connect({ socket, ca: certificate.cert, servername: 'localhost' })
  client.write(GET)
  assert.equal(bodyOf(await textOf(client)), SAID)
})

test('admit() takes a Duplex that is not a socket, for a server of http2', async () => {
  const near = throughDuplex(http2.createServer(onRequest))
  const session = http2.connect('http://localhost', { createConnection: () => near })
  assert.equal(await textOf(session.request({ ':path': '/' })), SAID)
  session.close()
  await once(session, 'close')
})

test('admit() takes a stream of HTTP/2 for a server of http, and it is the client of its session', async t => {
  const harness = createHarness(t)
  const inner = attach(http.createServer(onRequest), options)
  const outer = http2.createServer()
  outer.on('stream', stream => {
    stream.respond({ ':status': 200 })
    admit(inner, stream)
  })
  const { port } = await listenAttached(harness, outer)
  const raw = harness.dial(port)
  raw.write(V2)
  const session = http2.connect('http://localhost', { createConnection: () => raw })
  const tunnel = session.request({ ':method': 'CONNECT', ':authority': 'a:80' })
  tunnel.write(GET)
  assert.equal(bodyOf(await textOf(tunnel)), SAID)
  session.destroy()
})

test('TLS that a program starts over a Duplex that it has admitted is the client of that', async () => {
  const seen: unknown[] = []
  const server = attach(
    net.createServer(stream => {
      const secureContext = tls.createSecureContext(certificate)
      const secure = new TLSSocket(stream, { isServer: true, secureContext })
      secure.once('secure', () => {
        const { source } = headerFor(secure) as { source?: unknown }
        seen.push(connectionInfo(secure)?.source, source, isSecure(secure))
        secure.end('hello')
      })
    }),
    options,
  )
  const [near, far] = duplexPair()
  admit(server, far, INFO)
  const client = tls.connect({ socket: near, ca: certificate.cert, servername: 'localhost' })
  assert.equal(await textOf(client), 'hello')
  assert.deepEqual(seen, [SOURCE, SOURCE, true])
})

/** What is known of a stream once it is admitted. */
function admitted(stream: Duplex, info?: Parameters<typeof admit>[2]): ConnectionInfo | undefined {
  const seen: Duplex[] = []
  const server = attach(
    net.createServer(socket => void seen.push(socket)),
    options,
  )
  admit(server, stream, info)
  assert.deepEqual(seen, [stream])
  return connectionInfo(stream)
}

test('admit() takes what is known of another connection as it is', async t => {
  const harness = createHarness(t)
  const known: (ConnectionInfo | undefined)[] = []
  const { port } = await listenAttached(
    harness,
    net.createServer(socket => {
      known.push(connectionInfo(socket))
      socket.end('.')
    }),
  )
  const client = harness.dial(port)
  client.write(V2)
  await content(client)
  const [stream] = duplexPair()
  assert.equal(admitted(stream, known[0]), known[0])
  const channel = admitted(stream, { source: { path: '/a' }, destination: undefined })
  assert.deepEqual(channel?.via, known[0]?.via, 'the real peer stays')
  assert.deepEqual(
    [channel?.source, channel?.fromLocalhost, channel?.header],
    [{ path: '/a' }, true, undefined],
  )
})

test('admit() without info shows what is known of a stream, or else its own ends', async t => {
  const harness = createHarness(t)
  const server = net.createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const accepted = once(server, 'connection') as Promise<[Socket]>
  const client = harness.dial((server.address() as net.AddressInfo).port)
  const [socket] = await accepted
  harness.defer(() => {
    socket.destroy()
    server.close()
  })
  const own = { address: '127.0.0.1', port: client.localPort }
  assert.deepEqual([admitted(socket)?.source, socket.remotePort], [own, client.localPort])
  const [stream] = duplexPair()
  assert.deepEqual([admitted(stream)?.source, admitted(stream)?.fromLocalhost], [undefined, false])
  assert.deepEqual(headerFor(untyped(stream)), { version: 2, command: 'LOCAL', tlvs: [] })
})

test('admit() refuses a stream that the server has already, or waits for the header of', async t => {
  const harness = createHarness(t)
  const refused = {
    name: 'TypeError',
    message: 'stream must be new to the server, got one that it has already',
  }
  const waiting: Socket[] = []
  let checked = 0
  const server = net.createServer(socket => {
    assert.throws(() => admit(server, socket), refused)
    checked++
    socket.end('.')
  })
  const { port } = await listenAttached(harness, server)
  const emit = server.emit.bind(server)
  server.emit = (event: string, ...args: unknown[]) => {
    if (event === 'connection') waiting.push(args[0] as Socket)
    return emit(event, ...args)
  }
  const client = harness.dial(port)
  await once(client, 'connect')
  while (waiting.length === 0) await turns(1)
  assert.throws(() => admit(server, waiting[0] ?? assert.fail()), refused)
  client.write(V2)
  await content(client)
  assert.equal(checked, 1)
  const [stream] = duplexPair()
  const other = attach(
    net.createServer(() => {}),
    options,
  )
  admit(other, stream)
  assert.throws(() => admit(other, stream), refused)
})

test('admit() leaves a stream alone that is destroyed already', () => {
  const server = attach(
    net.createServer(() => assert.fail('it was handed on')),
    options,
  )
  const [stream] = duplexPair()
  admit(server, stream.destroy())
  assert.equal(connectionInfo(stream), undefined)
})

test('admit() lets its caller have what a listener throws', () => {
  const fault = new Error('fault')
  const server = attach(
    net.createServer(() => {
      throw fault
    }),
    options,
  )
  assert.throws(() => admit(server, duplexPair()[0]), fault)
})

test('admit() is told on the channels: accepted, opened and closed', async t => {
  const server = attach(
    net.createServer(stream => stream.destroy()),
    options,
  )
  const seen: AcceptedMessage[] = []
  for (const name of ['accepted', 'opened', 'closed'] as const)
    collect(t, diagnosticsChannels[name], { server, seen })
  const [stream] = duplexPair()
  admit(server, stream, INFO)
  await once(stream, 'close')
  assert.deepEqual(
    seen.map(({ info }) => info.source),
    [SOURCE, SOURCE, SOURCE],
  )
})

test('admit() refuses what is not an attached server, a stream or an info', () => {
  const [stream] = duplexPair()
  const server = attach(net.createServer(), options)
  const plain: Server = net.createServer()
  const end = 'must be { address, port } or { path }, got '
  const { source, destination } = INFO
  const refused: readonly (readonly [Parameters<typeof admit>, string])[] = [
    [[plain, stream], 'server must be one that attach() was called on, got one that it was not called on'],
    [
      [another.attach(net.createServer(), options), stream],
      'server must be one that attach() was called on, got one that another copy of this library serves',
    ],
    [[server, untyped(undefined)], 'stream must be an object, got undefined'],
    [[server, untyped({})], 'stream must be a Duplex, got {}'],
    [[server, untyped({ pipe: () => {} })], 'stream must be a Duplex, got { pipe: [Function: pipe] }'],
    [[server, stream, untyped('192.0.2.1')], 'info must be an object, got "192.0.2.1"'],
    [[server, stream, untyped({ source: '192.0.2.1' })], 'info.source must be an object, got "192.0.2.1"'],
    [
      [server, stream, { source: { address: 'a', port: 1 }, destination }],
      `info.source ${end}{ address: 'a', port: 1 }`,
    ],
    [[server, stream, { source, destination: untyped({}) }], `info.destination ${end}{}`],
  ]
  for (const [given, message] of refused) assert.throws(() => admit(...given), { name: 'TypeError', message })
  for (const port of [-1, 65_536, 1.5]) {
    assert.throws(() => admit(server, stream, { source: { address: '::1', port }, destination }), TypeError)
  }
})
