// Two ways to the first bytes of a socket that attach() holds back: the public one, by which the first connection of a
// process is read, and push(). Both tell and lose the same.

import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { PassThrough } from 'node:stream'
import { test } from 'node:test'
import { attach } from '../../src/server/index.ts'
import { SOURCE, V2 } from '../support/headers.ts'
import { content, outcome, text, turns } from '../support/sockets.ts'
import { setStage, type Stage } from '../support/stage.ts'
import { untyped } from '../support/untyped.ts'

interface Attached {
  readonly port: number
  readonly server: ReturnType<typeof createServer>
  /** The next connection that comes through. */
  readonly next: () => Promise<Socket>
}

async function listen(stage: Stage, pauseOnConnect = false): Promise<Attached> {
  const server = createServer({ pauseOnConnect })
  server.on('connection', (socket: Socket) => {
    socket.on('error', () => {})
    stage.defer(() => socket.destroy())
  })
  attach(server, { trust: 'anyone' }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  stage.defer(() => server.close())
  const next = async (): Promise<Socket> => ((await once(server, 'connection')) as [Socket])[0]
  return { port: (server.address() as AddressInfo).port, server, next }
}

test('attach() delivers the same for the first connection of a process and for all later ones', async t => {
  const stage = setStage(t)
  const { port, next } = await listen(stage)
  await outcome(stage.dial(port).end()) // a FIN shows nothing of how bytes come
  for (let nth = 0; nth < 3; nth++) {
    const accepted = next()
    stage.dial(port).end(Buffer.concat([V2, Buffer.from('hello')]))
    const socket = await accepted
    assert.equal(socket.remoteAddress, SOURCE.address)
    assert.equal(Object.hasOwn(socket, 'push'), false, 'the socket is as Node made it')
    assert.equal(await text(socket), 'hello')
  }
})

test('attach() goes on reading where a large payload shares the chunk of the header', async t => {
  const stage = setStage(t)
  const { port, next } = await listen(stage)
  const payload = randomBytes(1_000_000)
  for (let nth = 0; nth < 2; nth++) {
    const accepted = next()
    stage.dial(port).end(Buffer.concat([V2, payload]))
    assert.ok((await content(await accepted)).equals(payload))
  }
})

test('attach() keeps a socket paused whose server pauses what it accepts', async t => {
  const stage = setStage(t)
  const { port, next } = await listen(stage, true)
  const accepted = next()
  stage.dial(port).end(Buffer.concat([V2, Buffer.from('hello')]))
  const socket = await accepted
  let seen = ''
  socket.on('data', chunk => (seen += String(chunk)))
  await turns()
  assert.deepEqual([seen, socket.isPaused()], ['', true])
  await once(socket.resume(), 'end')
  assert.equal(seen, 'hello')
})

test('attach() takes the FIN and the reset of a client that sends no whole header', async t => {
  const stage = setStage(t)
  const { port, server } = await listen(stage)
  for (const bytes of ['', V2.subarray(0, 20)]) {
    assert.equal((await outcome(stage.dial(port).end(bytes))).text, '')
    const client = stage.dial(port)
    client.write(bytes)
    await turns()
    client.resetAndDestroy()
  }
  await turns()
  assert.equal(await new Promise(resolve => server.getConnections((_, count) => resolve(count))), 0)
})

test('attach() reads a stream that is no socket the public way', async t => {
  const { server, next } = await listen(setStage(t))
  const stream = new PassThrough()
  const accepted = next()
  server.emit('connection', untyped(stream))
  stream.end(Buffer.concat([V2, Buffer.from('hello')]))
  assert.equal(await text(await accepted), 'hello')
})

test('attach() refuses a socket that gives text', async t => {
  const { server } = await listen(setStage(t))
  const stream = new PassThrough().setEncoding('latin1')
  server.emit('connection', untyped(stream))
  assert.equal(stream.destroyed, true)
})
