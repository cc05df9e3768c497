// One direction after the other, with buffers that are used again: what must never happen is that a byte is read over one
// that has not been written yet.

import assert from 'node:assert/strict'
import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import type { Socket } from 'node:net'
import { test, type TestContext } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { content, until } from 'test-support/sockets'
import { giveBuffer, takeBuffer } from '../../../src/relay/tunnel/read-buffers.ts'
import { readInto } from 'proxyprotocol/internal/node'
import type { Traffic } from '../../../src/relay/tunnel/direction.ts'
import { tunnel, type TunnelOptions } from '../../../src/relay/tunnel/tunnel.ts'
import { readPieces, sendPieces } from '../../support/pieces.ts'
import { dialSecure, listenSecure } from '../../support/secure.ts'
import { chunk, MEBIBYTE, pair, random, sha256 } from '../../support/connections.ts'

interface Ends {
  readonly client: Socket
  readonly downstream: Socket
  readonly upstream: Socket
  readonly server: Socket
}

/** What a large buffer holds. */
const OWN_BYTES = 240 * 1024

/** What a record of TLS holds at most. */
const RECORD_BYTES = 16 * 1024

type Path = 'own buffers' | 'TLS' | "'data'" | "'data' of TLS"

const paths: readonly Path[] = ['own buffers', 'TLS', "'data'", "'data' of TLS"]

async function ends(t: TestContext, path: Path): Promise<Ends> {
  const pairOf = path.includes('TLS') ? securePair : pair
  const [client, downstream] = await pairOf(t)
  const [upstream, server] = await pairOf(t)
  if (path.includes('data')) for (const socket of [downstream, upstream]) hideBuffers(socket)
  return { client, downstream, upstream, server }
}

async function securePair(t: TestContext): Promise<[near: Socket, far: Socket]> {
  const listener = await listenSecure(t, {}, { header: false })
  const { secure: near } = dialSecure(t, listener.port)
  const { secure: far } = await listener.accept()
  return [near, far]
}

function options(traffic: Traffic = { bytesUp: 0, bytesDown: 0 }): TunnelOptions {
  return { traffic, halfClose: 60_000, keepAlive: 60_000 }
}

/** Makes a socket one of a runtime that has no such thing. */
function hideBuffers(socket: Socket): void {
  const { _handle: handle } = socket as unknown as { _handle: object }
  Object.defineProperty(handle, 'useUserBuffer', { value: undefined })
}

/** Whether a socket reads into buffers of the relay's, and emits nothing. */
function readsInto(socket: Socket): boolean {
  return socket.listenerCount('data') === 0
}

for (const path of paths) {
  test(`every byte arrives unchanged, both ways at once, on many connections that stop and go on (${path})`, async t => {
    const conversations = Array.from({ length: 4 }, async () => {
      const { client, downstream, upstream, server } = await ends(t, path)
      const done = tunnel(downstream, upstream, options())
      assert.equal(readsInto(downstream), !path.includes('data'))
      assert.equal(readsInto(upstream), !path.includes('data'))
      const size = 12 * MEBIBYTE + randomInt(4 * MEBIBYTE) // more than the kernel takes for who does not read
      const sent = Promise.all([sendPieces(client, size), sendPieces(server, size)])
      await until(() => downstream.isPaused() || client.writableFinished)
      await until(() => upstream.isPaused() || server.writableFinished)
      const [gotUp, gotDown] = await Promise.all([readPieces(server), readPieces(client)])
      const [up, down] = await sent
      assert.deepEqual([gotUp, gotDown], [up, down])
      await done
    })
    await Promise.all(conversations)
  })
}

for (const path of paths) {
  test(`small messages stop as well when they are not taken, and all arrive (${path})`, async t => {
    const { client, downstream, upstream, server } = await ends(t, path)
    const done = tunnel(downstream, upstream, options())
    const message = random(8_000)
    let sent = 0
    while (!downstream.isPaused()) {
      client.write(message)
      sent++
      await turn()
    }
    assert.ok(upstream.writableLength > 0)
    client.end()
    assert.ok((await content(server)).equals(Buffer.concat(Array<Buffer>(sent).fill(message))))
    server.end()
    client.resume()
    await done
  })
}

test('what a socket has read before goes first', async t => {
  const { client, downstream, upstream, server } = await ends(t, 'own buffers')
  client.write('first, ')
  await until(() => downstream.readableLength > 0)
  const traffic = { bytesUp: 0, bytesDown: 0 }
  const done = tunnel(downstream, upstream, options(traffic))
  client.end('then')
  assert.equal((await content(server)).toString(), 'first, then')
  server.end()
  client.resume()
  await done
  assert.deepEqual([traffic.bytesUp, traffic.bytesDown], ['first, then'.length, 0])
})

for (const path of ['own buffers', 'TLS'] as const) {
  test(`a flow that turns quiet gives its buffer back, and another gets the same (${path})`, async t => {
    const { client, downstream, upstream, server } = await ends(t, path)
    const done = tunnel(downstream, upstream, options())
    const used: Buffer[] = []
    t.mock.method(upstream, 'write', spyOn(upstream, used))
    const payload = random(4 * MEBIBYTE)
    client.write(payload)
    let received = 0
    server.on('data', (bytes: Buffer) => (received += bytes.length))
    await until(() => received === payload.length)
    const own = used.find(({ buffer }) => buffer.byteLength === OWN_BYTES)
    assert.ok(own)
    for (let i = 0; i < 10; i++) {
      const before = received
      client.write('quiet')
      await until(() => received > before)
    }
    const [last] = used.slice(-1)
    assert.notEqual(last?.buffer, own.buffer)
    const next = takeBuffer()
    assert.equal(next?.buffer, own.buffer)
    giveBuffer(next, true)
    client.end()
    server.end()
    client.resume()
    await done
  })
}

function spyOn(socket: Socket, used: Buffer[]): Socket['write'] {
  const write = socket.write.bind(socket) as (bytes: Buffer, callback?: () => void) => boolean
  return ((bytes: Buffer, callback?: () => void) => {
    used.push(bytes)
    return write(bytes, callback)
  }) as Socket['write']
}

for (const path of ['own buffers', 'TLS'] as const) {
  test(`where all large buffers are taken a flow goes on with the small one (${path})`, async t => {
    const taken: Buffer[] = []
    for (let buffer = takeBuffer(); buffer; buffer = takeBuffer()) taken.push(buffer)
    t.after(() => {
      for (const buffer of taken) giveBuffer(buffer, true)
    })
    const { client, downstream, upstream, server } = await ends(t, path)
    const done = tunnel(downstream, upstream, options())
    const payload = random(8 * MEBIBYTE)
    client.end(payload)
    assert.equal(sha256(await content(server)), sha256(payload))
    server.end()
    client.resume()
    await done
  })
}

test('a buffer that may still be read is not given to another reader', () => {
  const first = takeBuffer()
  assert.ok(first)
  giveBuffer(first, false)
  const second = takeBuffer()
  assert.ok(second)
  assert.notEqual(second.buffer, first.buffer)
  giveBuffer(second, true)
})

test('full records that come together leave together, and the last of them before the end', async t => {
  const { client, downstream, upstream, server } = await ends(t, 'TLS')
  const done = tunnel(downstream, upstream, options())
  const used: Buffer[] = []
  t.mock.method(upstream, 'write', spyOn(upstream, used))
  const payload = random(256 * RECORD_BYTES)
  client.end(payload)
  assert.equal(sha256(await content(server)), sha256(payload))
  assert.ok(used.length < 128, `${used.length} writes`)
  server.end()
  client.resume()
  await done
})

/** Calls in every turn of the event loop until the socket has ended. */
async function untilEnd(socket: Socket, each: () => void): Promise<void> {
  while (!socket.readableEnded) {
    each()
    await turn()
  }
}

for (const path of ['own buffers', 'TLS'] as const) {
  test(`others have their turn after each large read of a bulk flow (${path})`, async t => {
    const { client, downstream, upstream, server } = await ends(t, path)
    const done = tunnel(downstream, upstream, options())
    let inTurn = 0
    let most = 0
    const write = spyOn(upstream, [])
    t.mock.method(upstream, 'write', ((bytes: Buffer, callback?: () => void) => {
      inTurn += bytes.length
      most = Math.max(most, inTurn)
      return write(bytes, callback as never)
    }) as Socket['write'])
    const turns = untilEnd(server, () => (inTurn = 0))
    client.end(random(16 * MEBIBYTE))
    await content(server)
    await turns
    assert.ok(most < MEBIBYTE, `${most} bytes in one turn`)
    server.end()
    client.resume()
    await done
  })
}

test('of several bulk flows that do not have to wait, one has a large read in a turn', async t => {
  const flows = await Promise.all(Array.from({ length: 8 }, () => ends(t, 'own buffers')))
  const inTurns: number[] = []
  let inTurn = 0
  const conversations = flows.map(async ({ client, downstream, upstream, server }) => {
    const done = tunnel(downstream, upstream, options())
    const write = spyOn(upstream, [])
    t.mock.method(upstream, 'write', ((bytes: Buffer, callback?: () => void) => {
      if (bytes.length === OWN_BYTES) inTurn++
      return write(bytes, callback as never)
    }) as Socket['write'])
    client.end(random(8 * MEBIBYTE))
    await content(server)
    server.end()
    client.resume()
    await done
  })
  const all = Promise.all(conversations)
  const state = { over: false }
  void all.finally(() => (state.over = true))
  while (!state.over) {
    if (inTurn > 0) inTurns.push(inTurn)
    inTurn = 0
    await turn()
  }
  await all
  assert.equal(inTurns.toSorted((a, b) => a - b)[inTurns.length >> 1], 1)
})

test('readInto() changes nothing where a socket has no handle or its handle cannot', async t => {
  const [near, far] = await pair(t)
  hideBuffers(near)
  const reader = { onBytes: () => true }
  assert.equal(
    readInto(near, reader, () => Buffer.alloc(16)),
    false,
  )
  far.write('as before')
  assert.equal((await chunk(near)).toString(), 'as before')
  near.destroy()
  await once(near, 'close')
  assert.equal(
    readInto(near, reader, () => Buffer.alloc(16)),
    false,
  )
})
