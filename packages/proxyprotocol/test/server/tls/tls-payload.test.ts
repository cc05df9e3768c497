// Reading, writing and half-open connections on TLS (contract 13 and 14 on TLS).

import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { test } from 'node:test'
import { certificate } from 'test-support/certificates'
import { gate } from 'test-support/gate'
import { content, outcome, text, turns, until } from 'test-support/sockets'
import type { Handler, ServerOptions } from '../../../src/server/index.ts'
import { dialSecure } from '../../support/secure.ts'
import {
  answerAfterEnd,
  counted,
  over,
  createHarness,
  type Served,
  type Harness,
} from '../../support/harness.ts'
import { MIB, dialOpen, dialOver } from '../../support/secure-contract.ts'

function serve(harness: Harness, handler: Handler, options: Partial<ServerOptions> = {}): Promise<Served> {
  return harness.serve(handler, { tls: certificate, ...options })
}

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
  const served = await serve(harness, answerAfterEnd)
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
