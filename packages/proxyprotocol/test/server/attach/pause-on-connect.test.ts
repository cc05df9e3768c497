// `pauseOnConnect` behind attach(): what follows the header stays with the kernel, for the next owner of the socket.

import assert from 'node:assert/strict'
import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { content, turns } from 'test-support/sockets'
import { attach } from '../../../src/server/index.ts'
import { V2 } from '../../support/headers.ts'
import { createHarness, type Harness } from '../../support/harness.ts'

const script = fileURLToPath(new URL('../../support/socket-counter.ts', import.meta.url))

interface Paused {
  readonly client: Socket
  readonly socket: Socket
}

/** Gives the two ends of connections whose server pauses them, once their headers are read. */
async function listen(harness: Harness): Promise<(first: Uint8Array) => Promise<Paused>> {
  const server = attach(createServer({ pauseOnConnect: true }), { trust: ['127.0.0.1'] })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  harness.defer(() => server.close())
  const { port } = server.address() as AddressInfo
  return async first => {
    const accepted = once(server, 'connection') as Promise<[Socket]>
    const client = harness.dial(port)
    client.write(first)
    const [socket] = await accepted
    socket.on('error', () => {})
    harness.defer(() => socket.destroy())
    return { client, socket }
  }
}

/** Sends to a process, and tells how many bytes it has counted. */
async function count(child: ChildProcess, { client, socket }: Paused, id: number): Promise<number> {
  const counted = new Promise<number>(resolve => {
    child.on('message', (message: { id: number; bytes: number }) => {
      if (message.id === id) resolve(message.bytes)
    })
  })
  child.send({ id }, socket)
  client.end()
  return counted
}

for (const [name, early] of [
  ['the header alone', 0],
  ['the header and the first bytes in one segment', 400],
] as const) {
  test(`no byte is lost of 60 sockets that are sent to another process, after ${name}`, async t => {
    const harness = createHarness(t)
    const open = await listen(harness)
    const child = fork(script, { execArgv: ['--import', 'tsx'] })
    child.setMaxListeners(100)
    harness.defer(async () => {
      child.kill()
      await once(child, 'exit')
    })
    const payload = Buffer.alloc(1_000, '.')
    const counts: Promise<number>[] = []
    for (let id = 0; id < 60; id++) {
      const paused = await open(Buffer.concat([V2, payload.subarray(0, early)]))
      paused.client.write(payload.subarray(early))
      await turns(5) // in which a socket that reads would have read them
      counts.push(count(child, paused, id))
    }
    assert.deepEqual(new Set(await Promise.all(counts)), new Set([1_000]))
  })
}

test('nothing is read behind the header before it is wanted, and then everything', async t => {
  const harness = createHarness(t)
  const open = await listen(harness)
  for (const [name, read] of Object.entries({
    'resume()': async (socket: Socket) => {
      const chunks: Buffer[] = []
      socket.on('data', (chunk: Buffer) => chunks.push(chunk))
      assert.equal(socket.isPaused(), true)
      await once(socket.resume(), 'end')
      return Buffer.concat(chunks)
    },
    "one read() for each 'readable'": async (socket: Socket) => {
      const chunks: Buffer[] = []
      socket.on('readable', () => chunks.push((socket.read() as Buffer | null) ?? Buffer.alloc(0)))
      await once(socket, 'end')
      return Buffer.concat(chunks)
    },
    'for await': content,
  })) {
    for (const early of ['', 'early ']) {
      const { client, socket } = await open(Buffer.concat([V2, Buffer.from(early)]))
      client.end('late')
      await turns(10)
      assert.equal(socket.bytesRead, V2.length, name)
      assert.equal(String(await read(socket)), `${early}late`, name)
    }
  }
})
