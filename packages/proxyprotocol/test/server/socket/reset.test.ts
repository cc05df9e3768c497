// reset() on every kind of socket: the peer sees a reset where there is such a thing, and nothing is left.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, Socket, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { createServer as createTlsServer } from 'node:tls'
import { certificate } from 'test-support/certificates'
import { listenRaw, outcome, turns } from 'test-support/sockets'
import { temporaryFolder } from 'test-support/folder'
import { distinguishResets, reset } from '../../../src/server/index.ts'
import { secureOver } from '../../support/secure.ts'
import { createHarness, type Harness } from '../../support/harness.ts'

const KIB = 1024
const CONNECTIONS = 16
/** Bytes: as many as a record of TLS has room for. */
const RECORD = 16 * KIB

interface Pair {
  readonly client: Socket
  /** The client's socket under TLS, or the same. */
  readonly raw: Socket
  /** The accepted socket. */
  readonly socket: Socket
}

type Kind = (
  harness: Harness,
  t: TestContext,
) => Promise<(onSocket: (socket: Socket) => unknown) => Promise<Pair>>

/** Kinds of servers; what each gives is called for a connection, and calls back in the moment that it is accepted. */
const kinds: Readonly<Record<'TCP' | 'TLS' | 'UNIX' | 'TLS over UNIX', Kind>> = {
  TCP: harness => listen(harness, { secure: false }),
  TLS: harness => listen(harness, { secure: true }),
  UNIX: (harness, t) => listen(harness, { secure: false, path: pathFor(t) }),
  'TLS over UNIX': (harness, t) => listen(harness, { secure: true, path: pathFor(t) }),
}

function pathFor(t: TestContext): string {
  const folder = temporaryFolder(t)
  return join(folder, 'socket')
}

async function listen(
  harness: Harness,
  { secure, path }: { readonly secure: boolean; readonly path?: string },
): ReturnType<Kind> {
  const server = secure
    ? createTlsServer({ ...certificate, allowHalfOpen: true })
    : createServer({ allowHalfOpen: true })
  server.listen(path === undefined ? { port: 0, host: '127.0.0.1' } : { path })
  await once(server, 'listening')
  harness.defer(async () => {
    await once(server.close(), 'close')
  })
  const where = path ?? (server.address() as AddressInfo).port
  return async onSocket => {
    const accepted = new Promise<Socket>(resolve => {
      server.once(secure ? 'secureConnection' : 'connection', (socket: Socket) => {
        socket.on('error', () => {})
        onSocket(socket)
        resolve(socket)
      })
    })
    const raw = harness.dial(where)
    const client = secure ? secureOver(harness, raw).secure : raw
    return { client, raw, socket: await accepted }
  }
}

const states: Readonly<Record<string, (socket: Socket) => unknown>> = {
  'that is idle': () => {},
  'that has written': socket => socket.write('hello'),
  'that has written more than the peer takes': socket => socket.write(Buffer.alloc(4096 * KIB)),
  'that has read': socket => socket.resume(),
  'whose FIN is in flight': socket => socket.end(),
  'whose FIN is in flight behind data': socket => socket.end('hello'),
  'whose FIN waits behind more data than the peer takes': socket => socket.end(Buffer.alloc(4096 * KIB)),
}

for (const [kind, start] of Object.entries(kinds)) {
  for (const [state, bring] of Object.entries(states)) {
    test(`reset() closes a socket of ${kind} ${state}, in whatever turn of the event loop`, async t => {
      const harness = createHarness(t)
      const open = await start(harness, t)
      for (const wait of [undefined, 0, 1, 2, 3, 10]) {
        for (let i = 0; i < CONNECTIONS / 4; i++) {
          const closed: Promise<unknown>[] = []
          const { client, raw, socket } = await open(accepted => {
            closed.push(once(accepted, 'close'))
            bring(accepted)
            if (wait === undefined) reset(accepted)
          })
          const ended = outcome(client.once('end', () => endLater(client, raw)))
          if (wait !== undefined) {
            await turns(wait)
            reset(socket)
          }
          await Promise.all(closed)
          const { end } = await ended
          assert.equal(socket.destroyed, true)
          const mayEnd = kind.endsWith('UNIX') || state.includes('FIN')
          if (!mayEnd && wait !== undefined) assert.equal(end, 'ECONNRESET', `after ${wait} turns`)
        }
      }
    })
  }
}

test('reset() of a socket that is closed already changes nothing', async t => {
  const harness = createHarness(t)
  for (const kind of Object.values(kinds)) {
    const open = await kind(harness, t)
    const { client, raw, socket } = await open(() => {})
    const ended = outcome(client.once('end', () => endLater(client, raw)))
    let closes = 0
    socket.on('close', () => closes++)
    socket.destroy()
    reset(socket)
    await ended
    reset(socket)
    await turns()
    assert.equal(closes, 1)
  }
})

test('reset() of a socket that is connecting closes it', async t => {
  const harness = createHarness(t)
  const { port } = await listenRaw(harness)
  const socket = harness.dial(port)
  assert.equal(socket.connecting, true)
  reset(socket)
  assert.equal((await outcome(socket)).text, '')
  assert.equal(socket.destroyed, true)
})

test('reset() of a socket whose FIN is kept back for good closes it', async t => {
  const harness = createHarness(t)
  const { port, accept } = await listenRaw(harness)
  const socket = harness.dial(port)
  const peer = await accept()
  socket._final = () => undefined // as TLS keeps it where the peer does not read
  reset(socket.end())
  await once(socket, 'close')
  peer.destroy()
})

/** Node before 24 takes an RST that comes together with data for an end; an empty write sends nothing, but tells. */
function endLater(client: Socket, raw: Socket): void {
  raw.write('')
  setImmediate(() => client.end())
}

test('a TLS socket that is destroyed by one of several records that came together takes no more, and nothing is thrown', async t => {
  const harness = createHarness(t)
  const dial = await kinds.TLS(harness, t)
  const records: number[] = []
  const { client, socket } = await dial(accepted => {
    distinguishResets(accepted)
    accepted.on('data', (record: Buffer) => {
      records.push(record.length)
      accepted.destroy(new Error('one is enough'))
    })
  })
  client.write(Buffer.alloc(4 * RECORD))
  await Promise.all([outcome(client), outcome(socket)])
  await turns(3)
  assert.deepEqual(records, [RECORD])
})

for (const has of ['ended', 'not ended'] as const) {
  test(`distinguishResets() gives no end of a stream that was reset, also right behind data, where the reader has ${has}`, async t => {
    const harness = createHarness(t)
    const dial = await kinds.TCP(harness, t)
    for (let i = 0; i < CONNECTIONS; i++) {
      const { client, socket } = await dial(distinguishResets)
      if (has === 'ended') {
        socket.end()
        await once(client.resume(), 'end')
      }
      const ends: unknown[] = []
      socket.on('end', () => ends.push('end'))
      const seen = outcome(socket)
      client.write(Buffer.alloc(i % 2 === 0 ? 10 : 4096 * KIB), () => client.resetAndDestroy())
      assert.equal((await seen).end, 'ECONNRESET')
      assert.deepEqual(ends, [])
    }
  })
}

test('distinguishResets() gives an end of a stream that has one, whichever side ends first', async t => {
  const harness = createHarness(t)
  const dial = await kinds.TCP(harness, t)
  for (let i = 0; i < CONNECTIONS; i++) {
    const { client, socket } = await dial(distinguishResets)
    if (i % 2 === 0) {
      socket.end()
      await once(client.resume(), 'end')
    }
    const seen = outcome(socket)
    client.end(Buffer.alloc(4096 * KIB))
    if (i % 2 === 1) client.resume()
    await once(socket, 'end')
    socket.end()
    assert.deepEqual([(await seen).end, (await seen).text.length], ['FIN', 4096 * KIB])
  }
})

/** A socket over a handle that answers as it is told, and has no peer. */
function over(answers: readonly number[]): { socket: Socket; stops: () => number } {
  const left = [...answers]
  let stops = 0
  const socket = new Socket({ writable: false })
  const handle = {
    getpeername: () => -1,
    readStart: () => left.shift(),
    readStop: () => {
      stops++
    },
    close: (done: () => void) => {
      done()
    },
  }
  Object.assign(socket, { _handle: handle })
  distinguishResets(socket)
  return { socket, stops: () => stops }
}

test('distinguishResets() holds an end back until a second read gives it again, and takes data that comes in between', async () => {
  const { socket } = over([0, -114, 0, -114])
  const chunks: string[] = []
  socket.on('data', chunk => chunks.push(String(chunk))).on('end', () => chunks.push('end'))
  for (const chunk of [null, Buffer.from('more'), null]) socket.push(chunk)
  await turns()
  assert.deepEqual(chunks, ['more'])
  socket.push(null)
  await turns()
  assert.deepEqual(chunks, ['more', 'end'])
})

test('distinguishResets() passes an end on where libuv reads on, or says nothing, or without a handle', async () => {
  for (const [answers, expected] of [
    [[-114], 0],
    [[0, 0], 1],
  ] as const) {
    const { socket, stops } = over(answers)
    socket.push(null)
    socket.resume()
    await once(socket, 'end')
    assert.equal(stops(), expected)
  }
  const socket = new Socket({ writable: false })
  distinguishResets(socket)
  socket.push(null)
  socket.resume()
  await once(socket, 'end')
})

test('distinguishResets() of a socket that tells resets from ends already changes nothing', async t => {
  const harness = createHarness(t)
  const dial = await kinds.TCP(harness, t)
  const { client, socket } = await dial(accepted => {
    distinguishResets(accepted)
    distinguishResets(accepted)
  })
  const [seen] = await Promise.all([outcome(client), outcome(socket.destroy(new Error('cut off')))])
  assert.equal(seen.end, 'ECONNRESET')
})
