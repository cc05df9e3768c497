// readHeader() on sockets that someone else accepted: what it takes, what it leaves, and why it fails.

import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type AddressInfo, type ServerOpts, type Socket } from 'node:net'
import { test } from 'node:test'
import { content, text, turns, until } from 'test-support/sockets'
import { untyped } from 'test-support/untyped'
import { readHeader } from '../../../src/server/index.ts'
import { DEFAULT_HEADER_TIMEOUT } from '../../../src/server/header/read-header.ts'
import { SOURCE, V1, V2 } from '../../support/headers.ts'
import { faultOf, createHarness, type Harness } from '../../support/harness.ts'

/** Both ends of a connection. */
async function pair(harness: Harness, options: ServerOpts = {}): Promise<{ client: Socket; socket: Socket }> {
  const server = createServer({ allowHalfOpen: true, ...options }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const accepted = once(server, 'connection') as Promise<[Socket]>
  const client = harness.dial((server.address() as AddressInfo).port)
  const [socket] = await accepted
  socket.on('error', () => {})
  harness.defer(() => socket.destroy())
  server.close()
  return { client, socket }
}

async function codeOf(promise: Promise<unknown>): Promise<string> {
  return (await faultOf(promise)).code
}

function listeners(socket: Socket): number[] {
  return ['readable', 'data', 'end', 'error', 'close'].map(name => socket.listenerCount(name))
}

test('readHeader() gives the header and the rest of its chunk, and leaves the socket as it was', async t => {
  const { client, socket } = await pair(createHarness(t))
  const before = listeners(socket)
  client.write(Buffer.concat([V2, Buffer.from('hello ')]))
  const { header, rest } = await readHeader(socket)
  assert.ok('source' in header)
  assert.deepEqual(header.source, SOURCE)
  assert.equal(Buffer.from(rest).toString(), 'hello ')
  assert.deepEqual(listeners(socket), before)
  assert.deepEqual([socket.readableFlowing, socket.isPaused()], [null, false])
  socket.unshift(rest)
  client.end('world')
  assert.equal(await text(socket), 'hello world')
})

test('readHeader() may come late: header, payload and FIN that wait already lose nothing', async t => {
  const { client, socket } = await pair(createHarness(t))
  client.end(Buffer.concat([V1, Buffer.from('hello')]))
  await once(client, 'finish')
  await turns()
  assert.equal(socket.readableLength, V1.length + 5)
  const { rest } = await readHeader(socket)
  await turns()
  assert.equal(socket.readableEnded, false)
  socket.unshift(rest)
  assert.equal(await text(socket), 'hello')
  assert.equal(socket.errored, null)
})

test('readHeader() may come late: after header and FIN the end of the stream is still to come', async t => {
  const { client, socket } = await pair(createHarness(t))
  client.end(V1)
  await once(client, 'finish')
  await turns()
  const { rest } = await readHeader(socket)
  assert.equal(rest.length, 0)
  await turns()
  assert.equal(socket.readableEnded, false)
  await once(socket.resume(), 'end')
})

for (const highWaterMark of [0, 1, 1024, 1024 * 1024]) {
  test(`readHeader() keeps a high-water mark of ${highWaterMark} and every byte`, async t => {
    const { client, socket } = await pair(createHarness(t), { highWaterMark })
    const payload = randomBytes(100_000)
    client.end(Buffer.concat([V2, payload]))
    const { rest } = await readHeader(socket)
    assert.equal(socket.readableHighWaterMark, Math.max(highWaterMark, 1)) // nothing can be read below 1
    socket.unshift(rest)
    assert.ok((await content(socket)).equals(payload))
  })
}

test('readHeader() rejects with the code of the fault in the bytes', async t => {
  const { client, socket } = await pair(createHarness(t))
  client.write('PROXY TCP4 192.0.2.1 198.51.100.7 056324 443\r\n')
  assert.equal(await codeOf(readHeader(socket)), 'v1_port')
  assert.equal(socket.destroyed, false, 'it is for the caller to destroy it')
})

test('readHeader() rejects what is not a header, and what the options do not accept', async t => {
  const harness = createHarness(t)
  for (const [bytes, options] of [
    ['hello', undefined],
    [V1, { versions: [2] }],
    [V2, { versions: [1] }],
  ] as const) {
    const { client, socket } = await pair(harness)
    client.write(bytes)
    assert.equal(await codeOf(readHeader(socket, options)), 'header_missing')
  }
})

test('readHeader() accepts what the options promote', async t => {
  const { client, socket } = await pair(createHarness(t))
  client.write('PROXY TCP6 2001:db8::1 127.0.0.1 1 2\r\n')
  const { header } = await readHeader(socket, { mixedFamilies: 'promote' })
  assert.equal(header.family, 'INET6')
})

test('readHeader() rejects at its deadline and says how far it came', async t => {
  const harness = createHarness(t)
  for (const [bytes, message] of [
    ['', /^no complete header arrived in time: nothing came within 50 ms; .* on_first_ack$/],
    ['PROXY', /: 5 bytes had come after 50 ms$/],
  ] as const) {
    const { client, socket } = await pair(harness)
    client.write(bytes)
    await until(() => socket.bytesRead === bytes.length)
    await assert.rejects(readHeader(socket, { timeout: 50 }), { code: 'header_timeout', message })
  }
})

test('readHeader() gives a retransmission the time it needs by default (spec 2, known bug 3)', () => {
  const timeout: number = DEFAULT_HEADER_TIMEOUT
  assert.ok(timeout >= 3_000)
})

test('readHeader() tells a probe from a header that was cut off', async t => {
  const harness = createHarness(t)
  for (const [bytes, code] of [
    ['', 'probe'],
    ['PROXY TCP4', 'header_truncated'],
  ] as const) {
    const { client, socket } = await pair(harness)
    client.end(bytes)
    assert.equal(await codeOf(readHeader(socket)), code)
  }
})

test('readHeader() tells a reset, with its cause, from one without a byte before', async t => {
  const harness = createHarness(t)
  for (const [bytes, code] of [
    ['', 'probe'],
    ['PROXY TCP4', 'client_reset'],
  ] as const) {
    const { client, socket } = await pair(harness)
    const reading = readHeader(socket)
    client.write(bytes)
    await until(() => socket.bytesRead === bytes.length)
    client.resetAndDestroy()
    const error = await faultOf(reading)
    assert.equal(error.code, code)
    assert.equal((error.cause as NodeJS.ErrnoException).code, 'ECONNRESET')
  }
})

test('readHeader() rejects with aborted where this side destroys the socket, before or meanwhile', async t => {
  const harness = createHarness(t)
  const { socket } = await pair(harness)
  const reading = readHeader(socket)
  socket.destroy()
  assert.equal(await codeOf(reading), 'aborted')
  assert.equal(await codeOf(readHeader(socket)), 'aborted')
})

test('readHeader() rejects at once where the socket has failed or ended before', async t => {
  const harness = createHarness(t)
  const failed = await pair(harness)
  failed.socket.destroy(new Error('before'))
  await until(() => failed.socket.closed)
  assert.equal(await codeOf(readHeader(failed.socket)), 'probe')
  const ended = await pair(harness)
  ended.client.end()
  await once(ended.socket.resume(), 'end')
  assert.equal(await codeOf(readHeader(ended.socket)), 'probe')
})

test('readHeader() refuses wrong options by name, and sockets that give text', async t => {
  const { socket } = await pair(createHarness(t))
  const before = listeners(socket)
  for (const timeout of [-1, NaN, Infinity, 2 ** 31, '5000']) {
    const message = /^timeout must be milliseconds from 0 to 2147483647, got /
    await assert.rejects(readHeader(socket, { timeout: untyped(timeout) }), { name: 'RangeError', message })
  }
  await assert.rejects(readHeader(socket, { maxHeaderBytes: 15 }), {
    name: 'RangeError',
    message: /^maxHeaderBytes/,
  })
  await assert.rejects(readHeader(socket, { versions: [] }), { name: 'TypeError', message: /^versions/ })
  socket.setEncoding('latin1')
  const message = 'socket must give bytes, got one with the encoding latin1'
  await assert.rejects(readHeader(socket), { name: 'TypeError', message })
  assert.deepEqual(listeners(socket), before)
})
