// connector(): undici's own dispatchers, on connections that start with a header.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import http from 'node:http'
import http2 from 'node:http2'
import https from 'node:https'
import { Socket } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import type { TLSSocket } from 'node:tls'
import { Agent, Client, fetch, Pool, type Dispatcher } from 'undici'
import { certificate } from 'test-support/certificates'
import { closedPort } from 'test-support/sockets'
import { untyped } from 'test-support/untyped'
import { temporaryFolder } from 'test-support/folder'
import { connector, type ConnectorOptions } from '../../src/client/index.ts'
import { tlvType, type InetInit, type ProxyProtocolError } from '../../src/codec/index.ts'
import { connectionInfo } from '../../src/server/index.ts'
import { listenAttached, type AttachedServer } from '../support/attached.ts'
import { DESTINATION } from '../support/headers.ts'
import { createHarness, type Harness } from '../support/harness.ts'

const HOST = '127.0.0.1'
const TRUSTED: ConnectorOptions = { tls: { ca: certificate.cert } }

function client(n: number): InetInit {
  return { source: { address: '192.0.2.1', port: n }, destination: DESTINATION }
}

/** What a server answers with: the protocol, the client, and what it knows of the TLS connection. */
function tellClient(
  request: http.IncomingMessage | http2.Http2ServerRequest,
  response: { end(text: string): unknown },
): void {
  const { stream, socket: own } = request as Partial<http2.Http2ServerRequest>
  const socket = (stream?.session?.socket ?? own) as TLSSocket
  const name = String(socket.servername ?? '-')
  response.end(`${request.httpVersion} ${socket.remoteAddress}:${socket.remotePort} ${name}`)
}

async function ask(dispatcher: Dispatcher, origin?: string): Promise<string> {
  const { body } = await dispatcher.request({ ...(origin ? { origin } : {}), path: '/', method: 'GET' })
  return body.text()
}

function plain(harness: Harness): Promise<AttachedServer> {
  return listenAttached(harness, http.createServer(tellClient))
}

function secure(harness: Harness, options: https.ServerOptions = {}): Promise<AttachedServer> {
  return listenAttached(harness, https.createServer({ ...certificate, ...options }, tellClient))
}

function both(harness: Harness): Promise<AttachedServer> {
  return listenAttached(harness, http2.createSecureServer({ ...certificate, allowHTTP1: true }, tellClient))
}

test('connector() serves a Client over http and https, TLS behind the header', async t => {
  const harness = createHarness(t)
  for (const [server, origin, answer] of [
    [await plain(harness), `http://${HOST}`, '1.1 192.0.2.1:1 -'],
    [await secure(harness), `https://${HOST}`, '1.1 192.0.2.1:1 false'],
    [await secure(harness), 'https://localhost', '1.1 192.0.2.1:1 localhost'],
  ] as const) {
    const connect = connector(client(1), { ...TRUSTED, family: 4 })
    const dispatcher = new Client(`${origin}:${server.port}`, { connect })
    assert.equal(await ask(dispatcher), answer)
    assert.equal(await ask(dispatcher), answer)
    assert.equal(server.sockets.length, 1, 'undici keeps the connection')
    await dispatcher.close()
  }
})

test('connector() offers HTTP/2 where the dispatcher allows it, or its own option says so', async t => {
  const harness = createHarness(t)
  const { port } = await both(harness)
  for (const [allowH2, own, version] of [
    [undefined, undefined, '1.1'],
    [true, undefined, '2.0'],
    [undefined, true, '2.0'],
    [true, false, '1.1'],
  ] as const) {
    const connect = connector(client(1), { ...TRUSTED, allowH2: own })
    const options = allowH2 === undefined ? { connect } : { connect, allowH2 }
    const dispatcher = new Client(`https://${HOST}:${port}`, options)
    assert.equal(await ask(dispatcher), `${version} 192.0.2.1:1 false`)
    await dispatcher.close()
  }
})

test('connector() serves a Pool, an Agent and fetch()', async t => {
  const harness = createHarness(t)
  const [one, two] = [await plain(harness), await secure(harness)]
  const pool = new Pool(`http://${HOST}:${one.port}`, { connect: connector(client(1)), connections: 3 })
  const answers = await Promise.all(Array.from({ length: 9 }, () => ask(pool)))
  assert.deepEqual(new Set(answers), new Set(['1.1 192.0.2.1:1 -']))
  assert.equal(one.sockets.length, 3)
  await pool.close()
  const agent = new Agent({ connect: connector(client(2), TRUSTED) })
  assert.equal(await ask(agent, `http://${HOST}:${one.port}`), '1.1 192.0.2.1:2 -')
  const response = await fetch(`https://${HOST}:${two.port}`, { dispatcher: agent })
  assert.equal(await response.text(), '1.1 192.0.2.1:2 false')
  await agent.close()
})

test('connector() is for one client: a dispatcher serves all of its users as that one, so each client gets its own', async t => {
  const harness = createHarness(t)
  const { port, sockets } = await plain(harness)
  const origin = `http://${HOST}:${port}`
  const header: { -readonly [Key in keyof InetInit]: InetInit[Key] } = client(1)
  const dispatcher = new Agent({ connect: connector(header) })
  assert.equal(await ask(dispatcher, origin), '1.1 192.0.2.1:1 -')
  header.source = client(2).source
  assert.equal(await ask(dispatcher, origin), '1.1 192.0.2.1:1 -', 'undici reuses the connection')
  const disconnected = once(dispatcher, 'disconnect')
  for (const socket of sockets) socket.destroy()
  await disconnected
  assert.equal(await ask(dispatcher, origin), '1.1 192.0.2.1:1 -', 'and a new one speaks for the same client')
  await dispatcher.close()
  const dispatchers = [1, 2].map(n => new Agent({ connect: connector(client(n)) }))
  const answers = await Promise.all(dispatchers.map(each => ask(each, origin)))
  assert.deepEqual(answers, ['1.1 192.0.2.1:1 -', '1.1 192.0.2.1:2 -'])
  await Promise.all(dispatchers.map(each => each.close()))
})

test('connector() passes checksum and padding on', async t => {
  const harness = createHarness(t)
  const seen: unknown[] = []
  const server = http.createServer((request, response) => {
    seen.push(connectionInfo(request)?.header?.tlvs.map(({ type }) => type))
    response.end()
  })
  const { port } = await listenAttached(harness, server)
  const connect = connector(client(1), { checksum: true, padTo: 64 })
  const dispatcher = new Client(`http://${HOST}:${port}`, { connect })
  await ask(dispatcher)
  await dispatcher.close()
  assert.deepEqual(seen, [[tlvType.checksum, tlvType.noop]])
})

/** Whether each of three connections, one after the other, resumed a session. */
async function resumed(harness: Harness, options: https.ServerOptions): Promise<boolean[]> {
  const reused: boolean[] = []
  const { port } = await secure(harness, { ...options, keepAliveTimeout: 1 })
  const connects = [connector(client(1), TRUSTED), connector(client(2), TRUSTED)]
  for (const connect of [connects[0], connects[0], connects[1]]) {
    const dispatcher = new Client(`https://${HOST}:${port}`, {
      connect: (target, callback) => {
        connect?.(target, (...result) => {
          if (result[1]) reused.push((result[1] as TLSSocket).isSessionReused())
          callback(...result)
        })
      },
    })
    await ask(dispatcher)
    await dispatcher.close()
  }
  return reused
}

for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
  test(`connector() resumes ${maxVersion} sessions of its own client, and of no other`, async t => {
    assert.deepEqual(await resumed(createHarness(t), { maxVersion }), [false, true, false])
  })
}

test('connector() keeps the sessions of the last hundred servers', async t => {
  const harness = createHarness(t)
  const { port } = await secure(harness)
  const connect = connector(client(1), { tls: { ...TRUSTED.tls, checkServerIdentity: () => undefined } })
  const dial = async (servername: string, at = port): Promise<boolean> => {
    const target = { hostname: HOST, protocol: 'https:', port: String(at), servername }
    const socket = await new Promise<TLSSocket>((resolve, reject) => {
      connect(target, (error, established) => (error ? reject(error) : resolve(established as TLSSocket)))
    })
    const reused = socket.isSessionReused()
    socket.end('GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n')
    await once(socket.resume(), 'close')
    return reused
  }
  for (let i = 0; i <= 100; i++) assert.equal(await dial(`s${i}.example`), false)
  assert.equal(await dial('s1.example'), true)
  assert.equal(await dial('s0.example'), false, 'the oldest had to go')
})

test('connector() hands what went wrong to undici', async t => {
  const harness = createHarness(t)
  const server = await secure(harness)
  for (const [port, code] of [
    [await closedPort(), 'connect_refused'],
    [server.port, 'tls_upstream_error'],
  ] as const) {
    const dispatcher = new Client(`https://${HOST}:${port}`, { connect: connector(client(1)) })
    await assert.rejects(ask(dispatcher), (error: ProxyProtocolError) => error.code === code)
    await dispatcher.close()
  }
  const connect = connector(client(1), { timeout: 20, lookup: () => {} }) // a look-up that does not end
  const dispatcher = new Client('http://a.example', { connect })
  await assert.rejects(ask(dispatcher), (error: ProxyProtocolError) => error.code === 'connect_timeout')
  await dispatcher.close()
})

test('connector() reaches a UNIX socket, by its own option or that of the dispatcher', async t => {
  const harness = createHarness(t)
  const folder = temporaryFolder(t)
  const path = join(folder, 'socket')
  await listenAttached(harness, http.createServer(tellClient), { at: path })
  for (const options of [
    { connect: connector(client(1), { path }) },
    { connect: connector(client(1)), socketPath: path },
  ]) {
    const dispatcher = new Client('http://localhost', options)
    assert.equal(await ask(dispatcher), '1.1 192.0.2.1:1 -')
    await dispatcher.close()
  }
})

test("connector() takes the protocol's port where undici names none, and the local address that it names", async t => {
  createHarness(t)
  for (const [protocol, port] of [
    ['http:', 80],
    ['https:', 443],
  ] as const) {
    const lookup = (_name: string, _options: unknown, done: (error: Error) => void): void => {
      done(new Error('no name is looked up'))
    }
    const connect = connector(client(1), { lookup: untyped(lookup) })
    const { port: asked, localAddress } = await new Promise<{ port: number; localAddress: string }>(
      resolve => {
        t.mock.method(Socket.prototype, 'connect', function (this: Socket, options: never) {
          resolve(options)
          return this.destroy(new Error('not connected'))
        })
        connect({ hostname: 'a.example', protocol, port: '', localAddress: HOST }, () => {})
      },
    )
    assert.deepEqual([asked, localAddress], [port, HOST])
    t.mock.reset()
  }
})

test('connector() refuses a socket that it is given, which would lead elsewhere', () => {
  const connect = connector(client(1))
  const target = { hostname: HOST, protocol: 'https:', port: '1', httpSocket: new Socket() }
  connect(target, (error, socket) => {
    assert.deepEqual(
      [error?.message, socket],
      ['connector() opens its own sockets, it cannot use httpSocket', null],
    )
  })
})

test('connector() refuses a wrong header or option when it is made', () => {
  assert.throws(() => connector(untyped({})), TypeError)
  assert.throws(() => connector(client(1), { padTo: 1 }), RangeError)
  assert.throws(() => connector(client(1), { tls: { cert: 'none' } }), /PEM|no start line|DECODER/)
  assert.throws(() => connector(client(1), untyped({ socketPath: '/a' })), {
    name: 'TypeError',
    message: /^options must have only path, tls, headerInsideTls, .*, got "socketPath"$/,
  })
})
