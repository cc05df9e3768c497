// The contract of a handler on TLS: what it says of sockets holds there as well (contract 24).

import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { test } from 'node:test'
import { connect } from 'node:tls'
import { setImmediate as turn } from 'node:timers/promises'
import { errorMessages, type ProxyProtocolError } from '../../../src/codec/index.ts'
import type { Connection, Handler, ServerOptions } from '../../../src/server/index.ts'
import { certificate } from '../../support/certificate.ts'
import { gate } from '../../support/gate.ts'
import { V2 } from '../../support/headers.ts'
import { dialSecure, type SecureClient } from '../../support/secure.ts'
import { HeaderFirst } from '../../support/segments.ts'
import { content, listenRaw, outcome, text, turns, until } from '../../support/sockets.ts'
import {
  counted,
  opened,
  over,
  readToEnd,
  createHarness,
  type Served,
  type Harness,
} from '../../support/harness.ts'

const MIB = 1024 * 1024
const CONNECTIONS = 16
/** The content types of TLS records (RFC 8446, 5.1). */
const ALERT = 21
const DATA = 23

function serve(harness: Harness, handler: Handler, options: Partial<ServerOptions> = {}): Promise<Served> {
  return harness.serve(handler, { tls: certificate, ...options })
}

async function aborted({ signal }: Connection): Promise<ProxyProtocolError> {
  if (!signal.aborted) await once(signal, 'abort')
  return signal.reason as ProxyProtocolError
}

/** A client whose connection is open on both sides. */
async function dialOpen(
  harness: Harness,
  served: Served,
): Promise<SecureClient & { connection: Connection }> {
  const client = dialSecure(harness, served.port)
  const [[connection = assert.fail()]] = await Promise.all([
    opened(served),
    once(client.secure, 'secureConnect'),
  ])
  return { ...client, connection }
}

test('contract 6: a return sends close_notify and FIN, discards what still comes, and waits for the peer', async t => {
  const harness = createHarness(t)
  const served = await serve(harness, ({ socket }) => void socket.write('bye'))
  const records: Buffer[] = []
  const raw = harness.dial(served.port)
  raw.on('data', (chunk: Buffer) => records.push(chunk))
  const secure = connect({
    socket: new HeaderFirst(raw, V2, 'one segment'),
    ca: certificate.cert,
    servername: 'localhost',
    maxVersion: 'TLSv1.2', // 1.3 hides the types of records
  })
  assert.equal(await text(secure), 'bye')
  assert.deepEqual(recordTypes(Buffer.concat(records)).slice(-2), [DATA, ALERT])
  for (let i = 0; i < 4; i++) secure.write(Buffer.alloc(MIB))
  await until(() => secure.writableLength === 0)
  await turns()
  const [connection] = served.server.connections
  assert.equal(connection?.state, 'closing')
  secure.end()
  await over(served, 1)
  assert.equal(connection.state, 'closed')
  assert.deepEqual(counted(served), { done: 1 })
})

test('contract 6: a return after the FIN of the peer closes at once', async t => {
  const harness = createHarness(t)
  const served = await serve(harness, async ({ socket }) => void socket.write(`got ${await text(socket)}`))
  const { secure } = dialSecure(harness, served.port)
  assert.deepEqual(await outcome(secure.end('hello')), { text: 'got hello', end: 'FIN' })
  await over(served, 1)
  assert.deepEqual(counted(served), { done: 1 })
})

test('contract 6: what was written before the return arrives, however much it is', async t => {
  const harness = createHarness(t)
  const served = await serve(harness, ({ socket }) => void socket.write(Buffer.alloc(16 * MIB, 'x')))
  const { secure } = await dialOver(harness, served)
  const { text: received, end } = await outcome(secure.once('end', () => secure.end()))
  assert.deepEqual([received.length, end], [16 * MIB, 'FIN'])
  await over(served, 1)
  assert.deepEqual(counted(served), { done: 1 })
})

test('contract 6: a peer that does not end its side is closed after timeouts.halfClose', async t => {
  const harness = createHarness(t)
  const served = await serve(harness, ({ socket }) => void socket.write('bye'), {
    timeouts: { halfClose: 50 },
  })
  const { secure } = await dialOver(harness, served)
  const ended = outcome(secure)
  await over(served, 1)
  assert.deepEqual(counted(served), { half_close_timeout: 1 })
  secure.end()
  assert.equal((await ended).text, 'bye')
})

test('contract 6: a peer that does not take what was written is reset', async t => {
  const harness = createHarness(t)
  const served = await serve(harness, ({ socket }) => void socket.write(Buffer.alloc(64 * MIB)), {
    timeouts: { halfClose: 50 },
  })
  const { secure, raw } = await dialOver(harness, served)
  await once(secure, 'readable')
  const failed = once(raw, 'error') as Promise<[NodeJS.ErrnoException]>
  await over(served, 1)
  assert.deepEqual(counted(served), { half_close_timeout: 1 })
  raw.write('') // sends nothing, and fails where an RST has come
  assert.equal((await failed)[0].code, 'ECONNRESET')
})

/** A client that has made its handshake. */
async function dialOver(harness: Harness, { port }: Served): Promise<SecureClient> {
  const client = dialSecure(harness, port)
  await once(client.secure, 'secureConnect')
  return client
}

const faults: Readonly<Record<string, (connection: Connection, fault: Error) => unknown>> = {
  'throws synchronously': (_, fault) => {
    throw fault
  },
  'rejects at once': (_, fault) => Promise.reject(fault),
  'rejects later': async (_, fault) => {
    await turns()
    throw fault
  },
  'rejects in the midst of a stream': async ({ socket }, fault) => {
    socket.write('the first half')
    await turns()
    throw fault
  },
  'has written more than the peer takes, and rejects': async ({ socket }, fault) => {
    socket.write(Buffer.alloc(4 * MIB))
    await turns()
    throw fault
  },
  'destroys its socket with an error': ({ socket }, fault) => void socket.destroy(fault),
  'destroys its socket with an error and rejects later': async ({ socket }, fault) => {
    await once(socket.destroy(fault), 'close')
    throw new Error('not reported: the first error counts')
  },
  'runs a pipeline that fails at its source': ({ socket }, fault) => {
    const source = new Readable({ read: () => source.destroy(fault) })
    return pipeline(source, socket)
  },
  'runs a pipeline that fails in the midst of a stream': ({ socket }, fault) => {
    async function* source(): AsyncGenerator<string> {
      yield 'the first half'
      await turns()
      throw fault
    }
    return pipeline(source, socket)
  },
}

for (const [name, handler] of Object.entries(faults)) {
  test(`contract 7: a handler that ${name} resets, no client sees a clean end, and onError runs once`, async t => {
    const harness = createHarness(t)
    const served = await serve(harness, async connection => {
      await once(connection.socket, 'data') // the client has made its handshake
      await handler(connection, new Error('fault'))
    })
    const ends = Array.from({ length: CONNECTIONS }, async () => {
      const { secure } = dialSecure(harness, served.port)
      secure.write('go')
      return (await outcome(secure)).end
    })
    assert.deepEqual(new Set(await Promise.all(ends)), new Set(['ECONNRESET']))
    await over(served, CONNECTIONS)
    assert.deepEqual(counted(served), { handler_error: CONNECTIONS })
    const errors = served.errors.splice(0)
    assert.equal(new Set(errors.map(({ connection }) => connection)).size, CONNECTIONS)
    for (const { error } of errors) assert.equal((error as Error).message, 'fault')
    assert.equal(served.server.state, 'listening')
  })
}

test('contract 7: a handler that ended its side and fails at once is closed and counted, not left behind', async t => {
  const harness = createHarness(t)
  const served = await serve(harness, ({ socket }) => {
    socket.end('bye')
    throw new Error('fault')
  })
  const clients = Array.from({ length: CONNECTIONS }, () => dialSecure(harness, served.port).secure)
  await Promise.all(clients.map(secure => outcome(secure.once('end', () => secure.end()))))
  await over(served, CONNECTIONS)
  assert.deepEqual(counted(served), { handler_error: CONNECTIONS })
  assert.equal(served.errors.splice(0).length, CONNECTIONS)
})

test('contract 7: the reset of another stream that a pipeline passes on is the fault of the handler', async t => {
  const harness = createHarness(t)
  const upstream = await listenRaw(harness)
  const served = await serve(harness, async ({ socket }) => {
    await pipeline(harness.dial(upstream.port), socket)
  })
  const { secure } = await dialOpen(harness, served)
  const ended = outcome(secure)
  ;(await upstream.accept()).resetAndDestroy()
  assert.equal((await ended).end, 'ECONNRESET')
  await over(served, 1)
  assert.equal(served.errors.splice(0).length, 1)
  assert.deepEqual(counted(served), { handler_error: 1 })
})

test('contract 7: a reset of another stream, with which a handler destroys its socket, is the fault of the handler', async t => {
  const harness = createHarness(t)
  const fault = Object.assign(new Error('of another stream'), { code: 'ECONNRESET' })
  const served = await serve(harness, async ({ socket }) => {
    await once(socket, 'data')
    socket.destroy(fault)
  })
  const { secure } = await dialOver(harness, served)
  secure.write('go')
  assert.equal((await outcome(secure)).end, 'ECONNRESET')
  await over(served, 1)
  assert.deepEqual(
    served.errors.splice(0).map(({ error }) => error),
    [fault],
  )
  assert.deepEqual(counted(served), { handler_error: 1 })
})

test('contract 7: a loop that breaks off has closed its socket, which is no error', async t => {
  const harness = createHarness(t)
  const served = await serve(harness, async ({ socket }) => {
    for await (const chunk of socket) if (String(chunk).includes('\n')) break
  })
  const { secure } = await dialOver(harness, served)
  secure.write('hello\n')
  const ended = outcome(secure.once('end', () => secure.end()))
  await over(served, 1)
  assert.equal((await ended).end, 'FIN')
  assert.deepEqual(counted(served), { done: 1 })
})

const resets: Readonly<Record<string, (client: SecureClient) => unknown>> = {
  'of an idle connection': ({ raw }) => raw.resetAndDestroy(),
  'together with data': ({ secure, raw }) => secure.write('hello', () => raw.resetAndDestroy()),
  'together with much data': ({ secure, raw }) => {
    secure.write(Buffer.alloc(MIB))
    raw.resetAndDestroy()
  },
}

const waits: Readonly<Record<string, (connection: Connection) => Promise<unknown>>> = {
  'that waits': aborted,
  'that reads': connection => Promise.all([aborted(connection), readToEnd(connection)]),
  'that lets it flow': connection => {
    connection.socket.resume()
    return aborted(connection)
  },
}

for (const [how, reset] of Object.entries(resets)) {
  for (const [name, wait] of Object.entries(waits)) {
    // Who does not read does not see an RST behind more data than the socket takes.
    if (how.endsWith('much data') && name === 'that waits') continue
    test(`contract 9: a reset by the client ${how} aborts a handler ${name} with client_reset, and is no error`, async t => {
      const harness = createHarness(t)
      const seen: unknown[] = []
      const served = await serve(harness, async connection => {
        const { signal } = connection
        signal.addEventListener('abort', () => seen.push((signal.reason as ProxyProtocolError).code))
        await wait(connection)
        throw new Error('no error any more')
      })
      for (let i = 1; i <= 5; i++) {
        reset(await dialOpen(harness, served))
        await over(served, i)
      }
      assert.deepEqual(seen, Array.from({ length: 5 }).fill('client_reset'))
      assert.deepEqual(counted(served), { client_reset: 5 })
    })
  }
}

test('contract 9: a reset while the connection waits for the FIN of its peer is counted, and no error', async t => {
  const harness = createHarness(t)
  const served = await serve(harness, () => {})
  const { secure, raw } = await dialOver(harness, served)
  await once(secure.resume(), 'end')
  raw.resetAndDestroy()
  await over(served, 1)
  assert.deepEqual(counted(served), { client_reset: 1 })
})

test('contract 9: a record that is broken aborts with tls_client_error, and is no error of the handler', async t => {
  const harness = createHarness(t)
  const seen: unknown[] = []
  const served = await serve(harness, async connection => {
    const { code, cause } = await aborted(connection)
    seen.push(code, String((cause as NodeJS.ErrnoException).code).slice(0, 8))
    throw new Error('no error any more')
  })
  const { secure, raw, connection } = await dialOpen(harness, served)
  connection.socket.resume()
  const ended = outcome(secure)
  raw.write('GET / HTTP/1.1\r\n\r\n') // past TLS
  await over(served, 1)
  assert.deepEqual(seen, ['tls_client_error', 'ERR_SSL_'])
  assert.deepEqual(counted(served), { tls_client_error: 1 })
  secure.destroy()
  await ended
})

test('contract 9: a reset gives no more than its code, and a record that is broken what was wrong with it', async t => {
  const harness = createHarness(t)
  const reasons: ProxyProtocolError[] = []
  const served = await serve(harness, async connection => void reasons.push(await aborted(connection)))
  for (const act of [
    ({ raw }: SecureClient) => raw.resetAndDestroy(),
    ({ raw }: SecureClient) => raw.write('GET / HTTP/1.1\r\n\r\n'), // past TLS
  ]) {
    const { connection, ...client } = await dialOpen(harness, served)
    connection.socket.resume()
    act(client)
    await over(served, reasons.length + 1)
    client.secure.destroy()
  }
  const [reset, broken] = reasons as [ProxyProtocolError, ProxyProtocolError]
  assert.equal(reset.message, errorMessages.client_reset)
  assert.equal(broken.message, `${errorMessages.tls_client_error}: ${(broken.cause as Error).message}`)
  for (const { cause } of reasons) assert.ok(cause instanceof Error)
})

test('contract 9: the TLS socket has a listener for errors in every state, so that none is thrown', async t => {
  const harness = createHarness(t)
  const served = await serve(harness, readToEnd)
  const { secure, connection } = await dialOpen(harness, served)
  await outcome(secure.end())
  await over(served, 1)
  assert.ok(connection.socket.listenerCount('error') > 0)
  connection.socket.emit('error', new Error('late'))
  assert.deepEqual(counted(served), { done: 1 })
})

test('contract 10: abort() resets, and a throw after it is no error', async t => {
  const harness = createHarness(t)
  const served = await serve(harness, async connection => {
    const { code } = await aborted(connection)
    assert.equal(code, 'denied_acl')
    throw new Error('no error any more')
  })
  const { secure, connection } = await dialOpen(harness, served)
  const ended = outcome(secure)
  connection.socket.write('the first half')
  connection.abort('denied_acl')
  assert.equal((await ended).end, 'ECONNRESET')
  await over(served, 1)
  assert.deepEqual(counted(served), { denied_acl: 1 })
})

test('contract 10: the signal aborts with done when the socket has closed in order', async t => {
  const harness = createHarness(t)
  const served = await serve(harness, async connection => {
    connection.socket.end('bye')
    connection.socket.resume()
    await aborted(connection)
    connection.signal.throwIfAborted()
  })
  const { secure, connection } = await dialOpen(harness, served)
  assert.deepEqual(await outcome(secure.end()), { text: 'bye', end: 'FIN' })
  await over(served, 1)
  assert.equal((connection.signal.reason as ProxyProtocolError).code, 'done')
  assert.deepEqual(counted(served), { done: 1 })
})

test('contract 13: payload comes whole, in order and once, whatever size its records have', async t => {
  const harness = createHarness(t)
  const received: Buffer[] = []
  const served = await serve(harness, async ({ socket }) => {
    await turns()
    received.push(await content(socket))
    socket.end('thanks')
  })
  for (const size of [0, 1, 16 * 1024, MIB, 4 * MIB + 1]) {
    const payload = randomBytes(size)
    const { secure } = dialSecure(harness, served.port)
    const ended = outcome(secure)
    await once(secure, 'secureConnect')
    secure.write(payload.subarray(0, size / 3))
    secure.end(payload.subarray(size / 3))
    assert.deepEqual(await ended, { text: 'thanks', end: 'FIN' }, `${size} bytes`)
    assert.ok(received.pop()?.equals(payload), `${size} bytes`)
  }
})

test('contract 13: payload that is written before the handshake is done waits for it', async t => {
  const harness = createHarness(t)
  const served = await serve(harness, async ({ socket }) => void socket.end(await text(socket)))
  const { secure } = dialSecure(harness, served.port)
  for (const word of ['one ', 'two ', 'three']) secure.write(word)
  assert.deepEqual(await outcome(secure.end()), { text: 'one two three', end: 'FIN' })
})

test('contract 13: what a handler does not read stays with the peer', async t => {
  const harness = createHarness(t)
  const go = gate()
  const sizes: number[] = []
  const served = await serve(harness, async ({ socket }) => {
    await go.promise
    sizes.push((await content(socket)).length)
  })
  const { secure, connection } = await dialOpen(harness, served)
  const ended = outcome(secure)
  for (let i = 0; i < 32; i++) secure.write(Buffer.alloc(MIB))
  secure.end()
  // Nothing moves any more: the socket's buffer is full, then the kernel's.
  for (let before = -1; before !== secure.writableLength; await turns(100)) before = secure.writableLength
  assert.ok(secure.writableLength > 16 * MIB)
  const { readableLength, readableHighWaterMark } = connection.socket
  assert.ok(
    readableLength <= readableHighWaterMark + 128 * 1024,
    `${readableLength} bytes wait in the socket`,
  )
  go.open()
  await ended
  assert.deepEqual(sizes, [32 * MIB])
})

test('contract 13: a handler may pause what has begun to flow', async t => {
  const harness = createHarness(t)
  const go = gate()
  const chunks: Buffer[] = []
  const served = await serve(harness, async ({ socket }) => {
    socket.on('data', (chunk: Buffer) => chunks.push(chunk))
    await once(socket, 'data')
    socket.pause()
    await go.promise
    socket.resume()
    await once(socket, 'end')
  })
  const { secure } = await dialOpen(harness, served)
  secure.write('one ')
  await until(() => chunks.length === 1)
  secure.end('two')
  await turns(20)
  assert.equal(Buffer.concat(chunks).toString(), 'one ')
  go.open()
  await outcome(secure)
  assert.equal(Buffer.concat(chunks).toString(), 'one two')
})

test('contract 14: the peer may end its side first and still get an answer', async t => {
  const harness = createHarness(t)
  const served = await serve(harness, async ({ socket }) => {
    const request = await text(socket)
    assert.equal(socket.writable, true)
    await turns()
    socket.write(`got ${request}`)
    socket.end('bye')
  })
  for (const payload of ['', 'hello']) {
    const { secure } = await dialOver(harness, served)
    assert.deepEqual(await outcome(secure.end(payload)), { text: `got ${payload}bye`, end: 'FIN' })
  }
  await over(served, 2)
  assert.deepEqual(counted(served), { done: 2 })
})

test('contract 14: an end that comes while an answer is on its way leaves every byte of it as it is', async t => {
  const harness = createHarness(t)
  const parts = Array.from({ length: 4 }, () => randomBytes(8 * MIB)) // each more than the kernel takes
  const served = await serve(harness, ({ socket }) => pipeline(Readable.from(parts), socket.resume()))
  const { secure, connection } = await dialOpen(harness, served)
  secure.end('all')
  await once(connection.socket, 'end')
  const hash = createHash('sha256')
  for await (const chunk of secure as AsyncIterable<Buffer>) hash.update(chunk)
  const sent = createHash('sha256').update(Buffer.concat(parts))
  assert.equal(hash.digest('hex'), sent.digest('hex'))
})

test('contract 14: the handler may end its side first and still read', async t => {
  const harness = createHarness(t)
  const received: string[] = []
  const served = await serve(harness, async ({ socket }) => {
    socket.end('hello')
    received.push(await text(socket))
  })
  const { secure } = await dialOver(harness, served)
  assert.equal(await text(secure), 'hello')
  await turns()
  assert.equal(served.server.stats().active, 1)
  secure.end('late')
  await over(served, 1)
  assert.deepEqual(received, ['late'])
  assert.deepEqual(counted(served), { done: 1 })
})

test('contract 16 and 18: close() waits for handlers on TLS, and resolves when the last is done', async t => {
  const harness = createHarness(t)
  const served = await serve(harness, async ({ socket }) => void socket.end(await text(socket)))
  const clients = [dialSecure(harness, served.port), dialSecure(harness, served.port)]
  const connections = await opened(served, 2)
  const closing = served.server.close()
  assert.deepEqual(
    connections.map(({ draining }) => draining),
    [true, true],
  )
  for (const { secure } of clients) {
    assert.deepEqual(await outcome(secure.end('hello')), { text: 'hello', end: 'FIN' })
  }
  assert.deepEqual(await closing, { drained: 2, forced: 0, stuck: [] })
  assert.deepEqual(counted(served), { done: 2 })
})

test('contract 17: at the deadline handlers are aborted with drain_deadline and TLS sockets are reset', async t => {
  const harness = createHarness(t)
  const served = await serve(harness, async connection => {
    connection.socket.write('the first half')
    assert.equal((await aborted(connection)).code, 'drain_deadline')
    connection.signal.throwIfAborted()
  })
  const { secure } = await dialOpen(harness, served)
  const ended = outcome(secure)
  assert.deepEqual(await served.server.close({ drain: 10 }), { drained: 0, forced: 1, stuck: [] })
  assert.equal((await ended).end, 'ECONNRESET')
  assert.deepEqual(counted(served), { drain_deadline: 1 })
})

test('contract 17: handlers that end their side in the moment of the deadline are closed and counted', async t => {
  const harness = createHarness(t)
  for (let wait = 0; wait < 4; wait++) {
    const go = gate()
    const served = await serve(harness, async ({ socket }) => {
      await go.promise
      socket.end('bye')
    })
    const clients = Array.from({ length: CONNECTIONS }, () => dialSecure(harness, served.port).secure)
    await opened(served, CONNECTIONS)
    const ends = clients.map(secure => outcome(secure.once('end', () => secure.end())))
    go.open()
    await turns(wait)
    const { drained, forced, stuck } = await served.server.abort()
    assert.deepEqual([drained + forced, stuck], [CONNECTIONS, []])
    await Promise.all(ends)
    await over(served, CONNECTIONS)
    assert.equal(served.server.stats().active, 0)
  }
})

test('contract 23: accepted is active and all of closed together, whatever becomes of TLS connections', async t => {
  const harness = createHarness(t)
  const served = await serve(harness, async ({ socket }) => {
    const request = await text(socket, 1)
    if (request === 'x') throw new Error('fault')
    await text(socket)
  })
  const ends: Promise<unknown>[] = []
  for (const act of [
    ({ secure }: SecureClient) => secure.end('a'),
    ({ secure }: SecureClient) => secure.write('x'),
    ({ secure, raw }: SecureClient) => secure.write('a', () => raw.resetAndDestroy()),
  ]) {
    const client = await dialOver(harness, served)
    ends.push(outcome(client.secure))
    act(client)
    counted(served)
  }
  await Promise.all(ends)
  await outcome(harness.dial(served.port).end(V2))
  await outcome(harness.dial(served.port).end(Buffer.concat([V2, Buffer.of(22)])))
  await over(served, 5)
  assert.deepEqual(counted(served), {
    ...{ done: 1, probe: 1, client_reset: 1, tls_client_error: 1, handler_error: 1 },
  })
  assert.equal(served.errors.splice(0).length, 1)
})

test('contract 6: detach() hands the TLS socket out, which survives the return and the server', async t => {
  const harness = createHarness(t)
  const served = await serve(harness, connection => {
    const socket = connection.detach()
    assert.equal(socket, connection.tls)
    harness.defer(() => socket.destroy())
    void pipeline(socket, socket)
  })
  const { secure } = await dialOver(harness, served)
  const ended = outcome(secure)
  await over(served, 1)
  assert.deepEqual(counted(served), { done: 1 })
  await served.server.close()
  secure.end('still here')
  assert.deepEqual(await ended, { text: 'still here', end: 'FIN' })
})

test('contract 6: a reset of a detached TLS socket is for its owner alone', async t => {
  const harness = createHarness(t)
  const seen: unknown[] = []
  const served = await serve(harness, async connection => {
    connection
      .detach()
      .on('error', () => {})
      .resume()
    seen.push((await aborted(connection)).code)
  })
  for (let i = 1; i <= 5; i++) {
    const { secure, raw } = await dialOpen(harness, served)
    secure.write(Buffer.alloc(MIB)) // so that the socket below TLS comes to the reset first
    raw.resetAndDestroy()
    await over(served, i)
  }
  assert.deepEqual(new Set(seen), new Set(['done']))
  assert.deepEqual(counted(served), { done: 5 })
})

test('contract 6: a detached TLS socket is not reset by a throw, which is reported', async t => {
  const harness = createHarness(t)
  const served = await serve(harness, async connection => {
    const socket = connection.detach()
    harness.defer(() => socket.destroy())
    await turn()
    socket.end('bye')
    throw new Error('fault')
  })
  const { secure } = dialSecure(harness, served.port)
  assert.deepEqual(await outcome(secure.once('end', () => secure.end())), { text: 'bye', end: 'FIN' })
  assert.equal(served.errors.splice(0).length, 1)
})

/** The types of the TLS records of which a stream consists. */
function recordTypes(bytes: Buffer): number[] {
  const types: number[] = []
  for (let at = 0; at < bytes.length; at += 5 + bytes.readUInt16BE(at + 3)) types.push(bytes.readUInt8(at))
  return types
}
