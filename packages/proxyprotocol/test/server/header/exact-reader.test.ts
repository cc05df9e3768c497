// attach() reads the header and not a byte more, and the socket emits the rest as if no header had been there. A stream that
// is not a socket is read the public way.

import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import http2 from 'node:http2'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { PassThrough } from 'node:stream'
import { test } from 'node:test'
import { content, outcome, text, turns } from 'test-support/sockets'
import { untyped } from 'test-support/untyped'
import { ProxyProtocolError } from '../../../src/codec/index.ts'
import { attach, type AttachOptions } from '../../../src/server/index.ts'
import { DESTINATION, encode, LOCAL, SOURCE, V1, V2 } from '../../support/headers.ts'
import { createHarness, type Harness } from '../../support/harness.ts'

/** Longer than what most headers fit in. */
const LONG = encode({
  source: SOURCE,
  destination: DESTINATION,
  tlvs: [{ type: 4, value: new Uint8Array(1_000) }],
})

interface Attached {
  readonly port: number
  readonly server: ReturnType<typeof createServer>
  /** The next connection that comes through. */
  readonly next: () => Promise<Socket>
}

async function listen(
  harness: Harness,
  pauseOnConnect = false,
  options: Partial<AttachOptions> = {},
): Promise<Attached> {
  const server = createServer({ pauseOnConnect })
  server.on('connection', (socket: Socket) => {
    socket.on('error', () => {})
    harness.defer(() => socket.destroy())
  })
  attach(server, { trust: 'anyone', ...options }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  harness.defer(() => server.close())
  const next = async (): Promise<Socket> => ((await once(server, 'connection')) as [Socket])[0]
  return { port: (server.address() as AddressInfo).port, server, next }
}

test('attach() delivers the same for every connection', async t => {
  const harness = createHarness(t)
  const { port, next } = await listen(harness)
  for (let nth = 0; nth < 3; nth++) {
    const accepted = next()
    harness.dial(port).end(Buffer.concat([V2, Buffer.from('hello')]))
    const socket = await accepted
    assert.equal(socket.remoteAddress, SOURCE.address)
    assert.deepEqual([Object.hasOwn(socket, 'push'), Object.hasOwn(socket, 'read')], [false, false])
    assert.equal(await text(socket), 'hello')
  }
})

test('attach() goes on reading where a large payload shares the chunk of the header', async t => {
  const harness = createHarness(t)
  const { port, next } = await listen(harness)
  const payload = randomBytes(1_000_000)
  for (let nth = 0; nth < 2; nth++) {
    const accepted = next()
    harness.dial(port).end(Buffer.concat([V2, payload]))
    assert.ok((await content(await accepted)).equals(payload))
  }
})

/** A client sends a header and `hello`, and its server pauses what it accepts. */
async function acceptedPaused(harness: Harness, header: Uint8Array): Promise<Socket> {
  const { port, next } = await listen(harness, true)
  const accepted = next()
  harness.dial(port).end(Buffer.concat([header, Buffer.from('hello')]))
  return accepted
}

test('attach() keeps a socket paused whose server pauses what it accepts', async t => {
  const harness = createHarness(t)
  const socket = await acceptedPaused(harness, V2)
  let seen = ''
  socket.on('data', chunk => (seen += String(chunk)))
  await turns()
  assert.deepEqual([seen, socket.isPaused()], ['', true])
  await once(socket.resume(), 'end')
  assert.equal(seen, 'hello')
})

test('attach() takes the FIN and the reset of a client that sends no whole header', async t => {
  const harness = createHarness(t)
  const { port, server } = await listen(harness)
  for (const bytes of ['', V2.subarray(0, 20)]) {
    assert.equal((await outcome(harness.dial(port).end(bytes))).text, '')
    const client = harness.dial(port)
    client.write(bytes)
    await turns()
    client.resetAndDestroy()
  }
  await turns()
  assert.equal(await new Promise(resolve => server.getConnections((_, count) => resolve(count))), 0)
})

test('attach() reads a stream that is not a socket the public way', async t => {
  const { server, next } = await listen(createHarness(t))
  const stream = new PassThrough()
  const accepted = next()
  server.emit('connection', untyped(stream))
  stream.end(Buffer.concat([V2, Buffer.from('hello')]))
  assert.equal(await text(await accepted), 'hello')
})

test('attach() refuses a socket that gives text', async t => {
  const refused: unknown[] = []
  const onRejected = (error: Error): void => void refused.push(error)
  const { server } = await listen(createHarness(t), false, { onRejected })
  const stream = new PassThrough().setEncoding('latin1')
  server.emit('connection', untyped(stream))
  assert.equal(stream.destroyed, true)
  const [error, ...others] = refused
  assert.ok(error instanceof ProxyProtocolError && others.length === 0)
  assert.deepEqual([error.code, error.cause instanceof TypeError], ['aborted', true])
})

test('attach() leaves what follows the header in the kernel until the connection is handed on', async t => {
  const harness = createHarness(t)
  const { port, server } = await listen(harness)
  const seen: unknown[] = []
  server.on('connection', (socket: Socket) => {
    seen.push(socket.readableLength, socket.bytesRead, socket.readableFlowing)
    socket.destroy()
  })
  for (const header of [V1, V2, LONG]) {
    await outcome(harness.dial(port).end(Buffer.concat([header, Buffer.from('hello')])))
    assert.deepEqual(seen.splice(0), [0, header.length, null])
  }
})

test('attach() reads nothing behind a LOCAL header for HTTP/2, so that a session may be destroyed at once', async t => {
  const harness = createHarness(t)
  const server = http2.createServer().on('session', session => session.destroy())
  attach(server, { trust: 'anyone' }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  harness.defer(() => server.close())
  const client = harness.dial((server.address() as AddressInfo).port)
  client.end(Buffer.concat([LOCAL, Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')]))
  await outcome(client) // Node would throw uncaught for bytes that were put back
})

test('attach() reads nothing behind a line with addresses, whatever its length', async t => {
  const harness = createHarness(t)
  const { port, server } = await listen(harness)
  const seen: unknown[] = []
  server.on('connection', (socket: Socket) => {
    seen.push(socket.readableLength, socket.bytesRead)
    socket.destroy()
  })
  const lines = [
    'TCP4 1.1.1.1 1.1.1.1 1 1',
    'TCP4 192.0.2.100 198.51.100.100 56324 443',
    'TCP6 2001:db8::1 2001:db8::2 1 1',
  ]
  for (const line of lines) {
    const header = Buffer.from(`PROXY ${line}\r\n`)
    await outcome(harness.dial(port).end(Buffer.concat([header, Buffer.alloc(100)])))
    assert.deepEqual(seen.splice(0), [0, header.length])
  }
})

test('attach() reads nothing behind the header of a socket whose server pauses what it accepts', async t => {
  const harness = createHarness(t)
  const socket = await acceptedPaused(harness, V1)
  await turns()
  assert.deepEqual([socket.bytesRead, socket.readableLength], [V1.length, 0])
  assert.equal(await text(socket), 'hello')
})

test('attach() keeps back-pressure where a program reads in small pieces', async t => {
  const harness = createHarness(t)
  const { port, next } = await listen(harness)
  const accepted = next()
  harness.dial(port).end(Buffer.concat([V2, randomBytes(1_000_000)]))
  const socket = await accepted
  let most = 0
  for (let nth = 0; nth < 50; nth++) {
    socket.read(1)
    await turns(1)
    most = Math.max(most, socket.readableLength)
  }
  assert.ok(most <= socket.readableHighWaterMark + 64 * 1024, `${most} bytes wait in the socket`)
  assert.equal((await content(socket)).length + 50 >= 1_000_000, true)
})

for (const first of ['hello', 'GET / HTTP/1.1\r\n\r\n']) {
  test(`attach() gives a client without a header all that it has sent: ${JSON.stringify(first)}`, async t => {
    const harness = createHarness(t)
    const { port, next } = await listen(harness, false, { missing: 'direct', timeouts: { header: 50 } })
    const accepted = next()
    harness.dial(port).end(first)
    assert.equal(await text(await accepted), first)
    const silent = next()
    const client = harness.dial(port)
    const socket = await silent
    client.end(first)
    assert.equal(await text(socket), first)
  })
}

test('attach() gives a stream that is not a socket back what came without a header', async t => {
  const { server, next } = await listen(createHarness(t), false, { missing: 'direct' })
  const stream = new PassThrough()
  const accepted = next()
  server.emit('connection', untyped(stream))
  stream.end('hello')
  assert.equal(await text(await accepted), 'hello')
})
