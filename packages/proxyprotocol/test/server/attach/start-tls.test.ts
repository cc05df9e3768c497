// startTls() and peekByte(): TLS that starts inside a connection is as TLS right behind the header.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import http from 'node:http'
import https from 'node:https'
import { createServer as createNetServer, Socket } from 'node:net'
import { text as textOf } from 'node:stream/consumers'
import { test } from 'node:test'
import type { TLSSocket, TlsOptions } from 'node:tls'
import { outcome, text, turns, until } from 'test-support/sockets'
import { untyped } from 'test-support/untyped'
import { certificate } from 'test-support/certificates'
import { type Connection, connectionInfo, isSecure, peekByte, startTls } from '../../../src/server/index.ts'
import { listenAttached } from '../../support/attached.ts'
import { SOURCE, V2 } from '../../support/headers.ts'
import { counted, createHarness, faultOf, type Harness } from '../../support/harness.ts'
import { secureOver } from '../../support/secure.ts'

const TLS: TlsOptions = certificate
const GO = 'go ahead\r\n'
const HANDSHAKE = 0x16

/** A client that has sent its header and STARTTLS, and has been told to go ahead. */
async function askForTls(harness: Harness, port: number): Promise<Socket> {
  const raw = harness.dial(port)
  raw.write(Buffer.concat([V2, Buffer.from('STARTTLS\r\n')]))
  await until(() => raw.readableLength >= GO.length)
  assert.equal(String(raw.read()), GO)
  return raw
}

/** The server's part before the handshake. */
async function goAhead(socket: Socket): Promise<void> {
  await once(socket, 'readable')
  assert.equal(String(socket.read()), 'STARTTLS\r\n')
  socket.write(GO)
}

/** Attaches to a server that starts TLS on each of its sockets; gives its port and the outcome of each start. */
async function listenStarting(
  harness: Harness,
  options: TlsOptions & { readonly half?: boolean } = TLS,
): Promise<{
  port: number
  started: Promise<PromiseSettledResult<TLSSocket>>
  raw: () => Socket | undefined
}> {
  const { half, ...tls } = options
  let settle: (result: PromiseSettledResult<TLSSocket>) => void = () => {}
  const started = new Promise<PromiseSettledResult<TLSSocket>>(resolve => (settle = resolve))
  let raw: Socket | undefined
  const server = createNetServer({ allowHalfOpen: half ?? false }, socket => {
    raw = socket
    void goAhead(socket)
      .then(() => Promise.allSettled([startTls(socket, tls)]))
      .then(([result]) => settle(result))
  })
  const { port } = await listenAttached(harness, server)
  return { port, started, raw: () => raw }
}

test('startTls() on a connection: its socket is the TLS socket, and the client and its info stay', async t => {
  const harness = createHarness(t)
  const seen: unknown[] = []
  const served = await harness.serve(async connection => {
    await goAhead(connection.socket)
    const secure = await startTls(connection, TLS)
    const { source } = connectionInfo(secure) ?? {}
    seen.push(connection.socket === secure, connection.tls === secure, source, isSecure(secure))
    secure.write(`${secure.remoteAddress}:${secure.remotePort}`)
  })
  const { secure } = secureOver(harness, await askForTls(harness, served.port))
  assert.equal(await text(secure), `${SOURCE.address}:${SOURCE.port}`)
  assert.deepEqual(seen, [true, true, SOURCE, true])
  secure.end()
  await until(() => served.server.stats().active === 0)
  assert.deepEqual(counted(served), { done: 1 })
})

test('startTls() on a connection: a reset by the client aborts it, as without TLS', async t => {
  const harness = createHarness(t)
  let aborted: unknown
  const served = await harness.serve(async connection => {
    await goAhead(connection.socket)
    const secure = await startTls(connection, TLS)
    secure.write('hello')
    await once(connection.signal, 'abort')
    aborted = (connection.signal.reason as NodeJS.ErrnoException).code
  })
  const { secure, raw } = secureOver(harness, await askForTls(harness, served.port))
  await once(secure, 'data')
  raw.resetAndDestroy()
  await until(() => served.server.stats().active === 0)
  assert.deepEqual([aborted, counted(served)], ['client_reset', { client_reset: 1 }])
})

for (const [name, act] of [
  ['breaks TLS', (raw: Socket) => raw.write('EHLO mail.example\r\n')],
  ['leaves without a byte', (raw: Socket) => raw.end()],
  ['sends nothing in time', () => {}],
] as const) {
  test(`startTls() on a connection whose client ${name} rejects with tls_client_error, which is not the handler's fault`, async t => {
    const harness = createHarness(t)
    const codes: string[] = []
    const served = await harness.serve(async (connection: Connection) => {
      await goAhead(connection.socket)
      await startTls(connection, { ...TLS, handshakeTimeout: 100 }).catch((error: unknown) => {
        codes.push((error as { code: string }).code)
        throw error
      })
    })
    const raw = await askForTls(harness, served.port)
    raw.resume()
    act(raw)
    await until(() => served.server.stats().active === 0)
    assert.deepEqual([codes, counted(served)], [['tls_client_error'], { tls_client_error: 1 }])
  })
}

test('startTls() on a socket of an attached server shows the client', async t => {
  const harness = createHarness(t)
  const { port, started } = await listenStarting(harness)
  const { secure: client } = secureOver(harness, await askForTls(harness, port))
  const result = await started
  assert.ok(result.status === 'fulfilled')
  const { value: secure } = result
  assert.deepEqual([secure.remoteAddress, secure.remotePort], [SOURCE.address, SOURCE.port])
  assert.deepEqual(connectionInfo(secure)?.source, SOURCE)
  secure.end('hello')
  assert.equal(await textOf(client), 'hello')
})

for (const half of [false, true]) {
  test(`startTls() keeps a socket ${half ? '' : 'not '}half-open`, async t => {
    const harness = createHarness(t)
    const { port, started } = await listenStarting(harness, { ...TLS, half })
    const { secure: client } = secureOver(harness, await askForTls(harness, port))
    const result = await started
    assert.ok(result.status === 'fulfilled')
    client.end()
    await once(result.value.resume(), 'end')
    await turns()
    assert.equal(result.value.writableEnded, !half)
  })
}

test('startTls() on a socket: a stream that is cut off is an error, and a reset as well', async t => {
  const harness = createHarness(t)
  for (const [act, code] of [
    [(raw: Socket) => raw.end(), 'ERR_SSL_UNEXPECTED_EOF_WHILE_READING'],
    [(raw: Socket) => raw.resetAndDestroy(), 'ECONNRESET'],
  ] as const) {
    const { port, started } = await listenStarting(harness)
    const { secure: client, raw } = secureOver(harness, await askForTls(harness, port))
    const result = await started
    assert.ok(result.status === 'fulfilled')
    const ended = outcome(result.value)
    client.write('half a mes')
    await once(result.value, 'data')
    act(raw)
    assert.equal((await ended).end, code)
  }
})

test('startTls() closes a socket whose handshake fails', async t => {
  const harness = createHarness(t)
  const { port, started, raw } = await listenStarting(harness)
  const client = await askForTls(harness, port)
  client.resume().write('EHLO mail.example\r\n')
  const result = await started
  assert.ok(result.status === 'rejected')
  assert.equal((result.reason as NodeJS.ErrnoException).code, 'tls_client_error')
  assert.equal(raw()?.destroyed, true)
})

test('startTls() resumes sessions between connections of one options object', async t => {
  const harness = createHarness(t)
  const served = await harness.serve(async connection => {
    await goAhead(connection.socket)
    await startTls(connection, TLS)
  })
  const first = secureOver(harness, await askForTls(harness, served.port)).secure
  const [session] = (await once(first.resume(), 'session')) as [Buffer]
  const second = secureOver(harness, await askForTls(harness, served.port), { session }).secure
  await once(second, 'secureConnect')
  assert.equal(second.isSessionReused(), true)
  for (const client of [first, second]) client.resume().end()
  await until(() => served.server.stats().active === 0)
})

test('startTls() refuses wrong arguments before it touches the socket', async t => {
  const harness = createHarness(t)
  const wrong = (target: unknown, options: unknown): Promise<unknown> =>
    startTls(untyped(target), untyped(options))
  const socket = new Socket()
  harness.defer(() => socket.destroy())
  await assert.rejects(
    wrong({}, TLS),
    /^TypeError: target must be a connection of createServer\(\) or a socket, got /,
  )
  await assert.rejects(wrong(socket, undefined), /^TypeError: options must be an object/)
  await assert.rejects(
    wrong(socket, { key: certificate.key }),
    /^TypeError: tls must have key and cert together/,
  )
  await assert.rejects(
    wrong(socket, { ...TLS, handshakeTimeout: -1 }),
    /^RangeError: handshakeTimeout must be milliseconds/,
  )
  await assert.rejects(
    wrong(socket, { ...TLS, handshakeTimeout: 0 }),
    /^RangeError: handshakeTimeout must be milliseconds from 1 to 2147483647, got 0$/,
  )
  await assert.rejects(
    wrong(new Socket().setEncoding('utf8'), TLS),
    /^TypeError: target must give bytes, got one with the encoding utf8$/,
  )
  assert.equal(socket.destroyed, false)
})

test('startTls() refuses a socket that has TLS, or is about to have it', async t => {
  const harness = createHarness(t)
  const { port, started, raw } = await listenStarting(harness)
  const { secure: client } = secureOver(harness, await askForTls(harness, port))
  const result = await started
  assert.ok(result.status === 'fulfilled')
  const message = 'target must be a socket without TLS, got one with TLS'
  for (const target of [result.value, raw()]) {
    await assert.rejects(startTls(untyped(target), TLS), { name: 'TypeError', message })
  }
  client.destroy()
})

/** A server that takes a look at each socket. */
async function listenPeeking(
  harness: Harness,
  timeout?: number,
): Promise<{ port: number; peeked: Promise<[Socket, number | undefined]> }> {
  let found: (peeked: [Socket, number | undefined]) => void = () => {}
  const peeked = new Promise<[Socket, number | undefined]>(resolve => (found = resolve))
  const server = createNetServer(socket => {
    void peekByte(socket, { timeout }).then(byte => found([socket, byte]))
  })
  return { port: (await listenAttached(harness, server)).port, peeked }
}

test('peekByte() tells TLS from plain HTTP on one port, and loses nothing of either', async t => {
  const harness = createHarness(t)
  const onRequest: http.RequestListener = ({ socket }, response) => response.end(socket.remoteAddress)
  const servers = { plain: http.createServer(onRequest), secure: https.createServer(TLS, onRequest) }
  const server = createNetServer(socket => {
    void peekByte(socket).then(byte =>
      (byte === HANDSHAKE ? servers.secure : servers.plain).emit('connection', socket),
    )
  })
  const { port } = await listenAttached(harness, server)
  const request = 'GET / HTTP/1.0\r\n\r\n'
  const plain = harness.dial(port)
  plain.write(Buffer.concat([V2, Buffer.from(request)]))
  assert.match(await textOf(plain), /\r\n\r\n192\.0\.2\.1$/)
  const raw = harness.dial(port)
  raw.write(V2)
  const { secure } = secureOver(harness, raw)
  secure.write(request)
  assert.match(await textOf(secure), /\r\n\r\n192\.0\.2\.1$/)
})

test('peekByte() gives the first byte and leaves it there, whether it has come already or comes later', async t => {
  const harness = createHarness(t)
  for (const late of [false, true]) {
    const { port, peeked } = await listenPeeking(harness)
    const client = harness.dial(port)
    client.write(late ? V2 : Buffer.concat([V2, Buffer.from('abc')]))
    if (late) client.write('abc')
    client.end()
    const [socket, byte] = await peeked
    assert.equal(byte, 'a'.charCodeAt(0))
    for (const event of ['readable', 'error'])
      assert.equal(socket.listenerCount(event), event === 'error' ? 1 : 0)
    assert.equal(await textOf(socket), 'abc')
  }
})

test('peekByte() leaves what has come in one piece', async t => {
  const harness = createHarness(t)
  const { port, peeked } = await listenPeeking(harness)
  harness.dial(port).write(Buffer.concat([V2, Buffer.from('abc')]))
  const [socket] = await peeked
  assert.equal(String(socket.read()), 'abc')
})

test('peekByte() gives undefined for a client that ends, resets or is silent', async t => {
  const harness = createHarness(t)
  for (const [act, timeout] of [
    [(client: Socket) => client.end(), undefined],
    [(client: Socket) => client.resetAndDestroy(), undefined],
    [() => {}, 1],
  ] as const) {
    const { port, peeked } = await listenPeeking(harness, timeout)
    const client = harness.dial(port)
    await new Promise(resolve => client.write(V2, resolve))
    await turns()
    act(client)
    assert.equal((await peeked)[1], undefined)
  }
  const gone = new Socket().destroy()
  assert.equal(await peekByte(gone), undefined)
})

test('peekByte() refuses wrong arguments', async () => {
  await assert.rejects(peekByte(untyped(undefined)), /^TypeError: socket must be an object/)
  await assert.rejects(
    peekByte(new Socket().setEncoding('utf8')),
    /^TypeError: socket must give bytes, got one with the encoding utf8$/,
  )
  await assert.rejects(peekByte(new Socket(), untyped({ time: 1 })), /^TypeError: .*time/)
  await assert.rejects(peekByte(new Socket(), { timeout: -1 }), /^RangeError: timeout must be milliseconds/)
})

test('the fault of startTls() is the error that the signal of its connection has', async t => {
  const harness = createHarness(t)
  let same = false
  const served = await harness.serve(async connection => {
    await goAhead(connection.socket)
    const error = await faultOf(startTls(connection, TLS))
    same = connection.signal.reason === error
  })
  const raw = await askForTls(harness, served.port)
  raw.resume().end('no TLS')
  await until(() => served.server.stats().active === 0)
  assert.equal(same, true)
})
