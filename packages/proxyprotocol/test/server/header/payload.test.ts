// What comes after the header reaches the handler whole, in order and once, however it arrives and is read (contract 13).

import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import type { Socket } from 'node:net'
import { PassThrough, Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { test } from 'node:test'
import { content, outcome, text, turns, until } from 'test-support/sockets'
import type { ProxyProtocolError } from '../../../src/codec/index.ts'
import type { Connection, ServerOptions } from '../../../src/server/index.ts'
import { LOCAL, UNKNOWN, V1, V2 } from '../../support/headers.ts'
import { answerAfterEnd, counted, over, createHarness, type Served } from '../../support/harness.ts'

const KIB = 1024
const MIB = KIB * KIB
const BIG = randomBytes(MIB)

/** Ways to read a socket to its end. */
const readers: Readonly<Record<string, (socket: Socket) => Promise<Buffer>>> = {
  data: async socket => {
    const chunks: Buffer[] = []
    socket.on('data', (chunk: Buffer) => chunks.push(chunk))
    if (!socket.readableEnded) await once(socket, 'end')
    return Buffer.concat(chunks)
  },
  'data, paused at first': async socket => {
    const chunks: Buffer[] = []
    socket.on('data', (chunk: Buffer) => chunks.push(chunk))
    socket.pause()
    await turns()
    assert.deepEqual(chunks, [], 'a paused socket is silent')
    socket.resume()
    if (!socket.readableEnded) await once(socket, 'end')
    return Buffer.concat(chunks)
  },
  readable: async socket => {
    const chunks: Buffer[] = []
    socket.on('readable', () => {
      for (let chunk: unknown; (chunk = socket.read()) !== null;) chunks.push(chunk as Buffer)
    })
    if (!socket.readableEnded) await once(socket, 'end')
    return Buffer.concat(chunks)
  },
  pipe: async socket => {
    const sink = collector()
    socket.pipe(sink.stream)
    await once(sink.stream, 'finish')
    return sink.bytes()
  },
  pipeline: async socket => {
    const sink = collector()
    await pipeline(socket, new PassThrough(), sink.stream)
    return sink.bytes()
  },
  'the iterator': async socket => {
    const chunks: Buffer[] = []
    for await (const chunk of socket) chunks.push(chunk as Buffer)
    return Buffer.concat(chunks)
  },
  'the iterator that leaves the socket': socket => content(socket),
}

function collector(): { stream: Writable; bytes: () => Buffer } {
  const chunks: Buffer[] = []
  const stream = new Writable({
    write: (chunk: Buffer, _, done) => {
      chunks.push(chunk)
      setImmediate(done)
    },
  })
  return { stream, bytes: () => Buffer.concat(chunks) }
}

const payloads = {
  'without payload': Buffer.alloc(0),
  'with a line': Buffer.from('hello\n'),
  'with 1 MiB': BIG,
}

for (const [reader, read] of Object.entries(readers)) {
  for (const [waiting, wait] of [
    ['', 0],
    [' after a while', 20],
  ] as const) {
    test(`contract 13: ${reader}${waiting} gives what follows the header, in one segment or in another`, async t => {
      const harness = createHarness(t)
      const received: Buffer[] = []
      const served = await harness.serve(async ({ socket }) => {
        await turns(wait)
        received.push(await read(socket))
      })
      let connections = 0
      for (const payload of Object.values(payloads)) {
        for (const apart of [false, true]) {
          const client = harness.dial(served.port)
          const ended = outcome(client)
          if (apart) {
            client.write(V2)
            await until(() => bytesRead(served) === V2.length)
            client.end(payload)
          } else client.end(Buffer.concat([V2, payload]))
          await over(served, ++connections)
          assert.ok(
            received[connections - 1]?.equals(payload),
            `${connections}: ${String(received.at(-1)?.length)}`,
          )
          assert.equal((await ended).end, 'FIN')
        }
      }
      assert.deepEqual(counted(served), { done: connections })
    })
  }
}

/** Bytes that the only open connection has read. */
function bytesRead({ server }: Served): number | undefined {
  const [connection] = server.connections
  return connection?.socket.bytesRead
}

const bytes = { 'version 1': V1, 'version 2': V2, 'PROXY UNKNOWN': UNKNOWN, LOCAL }

for (const [name, header] of Object.entries(bytes)) {
  const whole = Buffer.concat([header, Buffer.from('hello')])

  test(`contract 13: ${name} and payload may be cut anywhere (known bugs 4 and 26)`, async t => {
    const harness = createHarness(t)
    const received: string[] = []
    const served = await harness.serve(async ({ socket }) => void received.push(await text(socket)))
    const cuts = Array.from({ length: whole.length - 1 }, (_, index) => [index + 1])
    cuts.push([5, header.length - 1], [12, 16], [1, header.length + 1], Array.from(whole.keys()))
    for (const [index, at] of cuts.entries()) {
      const client = harness.dial(served.port)
      const ended = outcome(client)
      for (const [n, cut] of at.entries()) {
        client.write(whole.subarray(at[n - 1] ?? 0, cut))
        await until(() => (bytesRead(served) ?? -1) >= cut)
      }
      client.end(whole.subarray(at.at(-1)))
      await ended
      await over(served, index + 1)
      assert.deepEqual(received.splice(0), ['hello'], `cut at ${String(at)}`)
    }
    assert.deepEqual(counted(served), { done: cuts.length })
  })
}

for (const size of [16 * KIB, 64 * KIB, 200 * KIB]) {
  test(`contract 13: ${size / KIB} KiB that come with the header come once and in order (known bug 32)`, async t => {
    const harness = createHarness(t)
    const payload = randomBytes(size)
    const received: Buffer[] = []
    const served = await harness.serve(async ({ socket }) => {
      await turns()
      received.push(await content(socket))
      socket.end('thanks')
    })
    const client = harness.dial(served.port)
    const ended = outcome(client)
    client.end(Buffer.concat([V1, payload]))
    assert.deepEqual(await ended, { text: 'thanks', end: 'FIN' })
    assert.ok(received[0]?.equals(payload))
  })
}

test('contract 13: a second header is payload, and changes no address (known bugs 12 and 13)', async t => {
  const harness = createHarness(t)
  const seen: unknown[] = []
  const served = await harness.serve(async ({ socket, info }) => {
    seen.push(info.header?.version, await text(socket), socket.remoteAddress)
  })
  for (const first of [V1, V2, UNKNOWN, LOCAL]) {
    const client = harness.dial(served.port)
    client.end(Buffer.concat([first, V1, V2]))
    await outcome(client)
  }
  await over(served, 4)
  const rest = Buffer.concat([V1, V2]).toString()
  assert.deepEqual(seen, [
    ...[1, rest, '192.0.2.1', 2, rest, '192.0.2.1'],
    ...[1, rest, '127.0.0.1', 2, rest, '127.0.0.1'],
  ])
})

test('contract 13: what a handler does not read stays with the peer', async t => {
  const harness = createHarness(t)
  let release = (): void => {}
  const sizes: number[] = []
  const served = await harness.serve(async ({ socket }) => {
    await new Promise<void>(resolve => (release = resolve))
    sizes.push(socket.bytesRead)
    sizes.push((await content(socket)).length)
  })
  const client = harness.dial(served.port)
  const ended = outcome(client)
  client.write(V2)
  for (let i = 0; i < 32; i++) client.write(BIG)
  client.end()
  // Nothing moves any more: the socket's buffer is full, then the kernel's.
  for (let before = -1; before !== client.writableLength; await turns(100)) before = client.writableLength
  await until(() => bytesRead(served) !== undefined)
  assert.ok(client.writableLength > 16 * MIB)
  const [connection] = served.server.connections
  const { readableLength = 0, readableHighWaterMark = 0 } = connection?.socket ?? {}
  assert.ok(readableHighWaterMark <= 64 * KIB, 'the mark is as Node set it')
  assert.ok(readableLength <= readableHighWaterMark + 64 * KIB, `${readableLength} bytes wait in the socket`)
  release()
  await ended
  await over(served, 1)
  assert.ok((sizes[0] ?? Infinity) <= V2.length + readableHighWaterMark + 64 * KIB)
  assert.equal(sizes[1], 32 * MIB)
})

test('contract 14: the peer may end its side first and still get an answer (known bug 33)', async t => {
  const harness = createHarness(t)
  const served = await harness.serve(answerAfterEnd)
  for (const payload of ['', 'hello']) {
    const client = harness.dial(served.port)
    client.end(Buffer.concat([V2, Buffer.from(payload)]))
    assert.deepEqual(await outcome(client), { text: `got ${payload}bye`, end: 'FIN' })
  }
  await over(served, 2)
  assert.deepEqual(counted(served), { done: 2 })
})

test('contract 14: the handler may end its side first and still read', async t => {
  const harness = createHarness(t)
  const received: string[] = []
  const served = await harness.serve(async ({ socket }) => {
    socket.end('hello')
    received.push(await text(socket))
  })
  const client = harness.dial(served.port)
  client.write(V2)
  assert.equal(await text(client), 'hello')
  assert.equal(served.server.stats().active, 1)
  client.end('late')
  await outcome(client)
  await over(served, 1)
  assert.deepEqual(received, ['late'])
  assert.deepEqual(counted(served), { done: 1 })
})

test('contract 22: no timer of ours fires after the header, and the timeout of the user does (known bug 3)', async t => {
  const harness = createHarness(t)
  const options: Partial<ServerOptions> = { timeouts: { header: 100, halfClose: 100, abort: 100 } }
  const seen: unknown[] = []
  const handler = async ({ socket, reason, signal }: Connection): Promise<void> => {
    seen.push(socket.timeout, socket.listenerCount('timeout'))
    socket.setTimeout(500)
    await once(socket, 'timeout') // five times as long as each of ours
    seen.push(reason, signal.aborted, socket.destroyed, socket.timeout)
    socket.end('still here')
  }
  const served = await harness.serve(handler, options)
  const client = harness.dial(served.port)
  client.write(V2)
  const ended = outcome(client)
  client.once('end', () => client.end())
  assert.deepEqual(await ended, { text: 'still here', end: 'FIN' })
  assert.deepEqual(seen, [undefined, 0, undefined, false, false, 500])
})

test('the socket comes without listeners of the reader, neither flowing nor paused', async t => {
  const harness = createHarness(t)
  const seen: unknown[] = []
  const served = await harness.serve(({ socket }) => {
    seen.push(socket.listenerCount('readable'), socket.listenerCount('data'))
    seen.push(socket.readableFlowing, socket.isPaused(), socket.listenerCount('error'))
  })
  const client = harness.dial(served.port).end(V2)
  await outcome(client)
  assert.deepEqual(seen, [0, 0, null, false, 1])
})

test('contract 9: a reset that comes together with the last bytes is not an end of the stream', async t => {
  const harness = createHarness(t)
  const seen: unknown[] = []
  const served = await harness.serve(async ({ socket, signal }) => {
    socket.resume()
    await once(signal, 'abort')
    seen.push((signal.reason as ProxyProtocolError).code)
  })
  for (let i = 1; i <= 10; i++) {
    const client = harness.dial(served.port)
    client.write(Buffer.concat([V2, Buffer.from('hello')]), () => client.resetAndDestroy())
    await over(served, i)
  }
  assert.deepEqual(counted(served), { client_reset: 10 })
  assert.deepEqual(seen, Array.from({ length: 10 }).fill('client_reset'))
})
