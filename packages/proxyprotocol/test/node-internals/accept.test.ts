// Sockets that acceptAs() makes are what Node makes of the same options, and where a runtime accepts otherwise nothing changes.

import assert from 'node:assert/strict'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { once } from 'node:events'
import {
  BlockList,
  connect,
  createServer,
  Socket,
  type AddressInfo,
  type Server,
  type ServerOpts,
} from 'node:net'
import { constants } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { temporaryFolder } from 'test-support/folder'
import { acceptAs } from '../../src/node-internals/index.ts'
import { createHarness, type Harness } from '../support/harness.ts'

interface Handled {
  _handle: { onconnection?: ((status: number, accepted: object | undefined) => void) | undefined }
}

interface Flags {
  readonly autoDestroy: boolean
  readonly emitClose: boolean
}

interface Streams {
  readonly _readableState: Flags
  readonly _writableState: Flags
}

async function listening(
  harness: Harness,
  options: ServerOpts = { allowHalfOpen: true, noDelay: true },
): Promise<{ readonly server: Server; readonly port: number }> {
  const server = createServer(options).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const sockets: Socket[] = []
  server.on('connection', socket => sockets.push(socket))
  harness.defer(async () => {
    server.close()
    for (const socket of sockets) socket.destroy()
    await once(server, 'close')
  })
  return { server, port: (server.address() as AddressInfo).port }
}

async function accepted(
  harness: Harness,
  { server, port }: { readonly server: Server; readonly port: number },
): Promise<Socket> {
  const connection = once(server, 'connection')
  harness.dial(port)
  const [socket] = (await connection) as [Socket]
  return socket
}

/** What a socket says of itself, those of its symbols included that say how Node treats it. */
function traits(socket: Socket): unknown {
  const { allowHalfOpen, readable, writable, readableHighWaterMark, writableHighWaterMark } = socket
  const symbols = Object.getOwnPropertySymbols(socket)
    .filter(key => !['object', 'undefined'].includes(typeof Reflect.get(socket, key)))
    .map(key => `${String(key)} ${String(key).includes('async_id') ? '' : String(Reflect.get(socket, key))}`)
    .sort()
  const { _readableState: reads, _writableState: writes } = socket as unknown as Streams
  const flags = [reads, writes].map(({ autoDestroy, emitClose }) => [autoDestroy, emitClose])
  const keys = Object.keys(socket).sort()
  return {
    allowHalfOpen,
    readable,
    writable,
    readableHighWaterMark,
    writableHighWaterMark,
    symbols,
    flags,
    keys,
  }
}

function acceptPlain(server: Server): boolean {
  return acceptAs(server, settings => new Socket(settings))
}

function connectionsOf(server: Server): Promise<number> {
  return new Promise((resolve, reject) => {
    server.getConnections((error, count) => {
      if (error) reject(error)
      else resolve(count)
    })
  })
}

const optionSets: readonly ServerOpts[] = [
  {},
  { allowHalfOpen: true, noDelay: true },
  { pauseOnConnect: true },
  { keepAlive: true, keepAliveInitialDelay: 7_000 },
  { highWaterMark: 1_000 },
]

for (const options of optionSets) {
  test(`a socket of ${JSON.stringify(options)} is what Node would have made`, async t => {
    const harness = createHarness(t)
    const [ordinary, quick] = [await listening(harness, options), await listening(harness, options)]
    assert.equal(acceptPlain(quick.server), true)
    const sockets = [await accepted(harness, ordinary), await accepted(harness, quick)] as const
    assert.deepEqual(traits(sockets[1]), traits(sockets[0]))
    assert.equal((sockets[1] as { server?: Server }).server, quick.server)
  })
}

test('maxConnections turns away who comes too late, and drop says whom', async t => {
  const harness = createHarness(t)
  const served = await listening(harness)
  served.server.maxConnections = 1
  acceptPlain(served.server)
  await accepted(harness, served)
  const dropped = once(served.server, 'drop')
  const late = harness.dial(served.port)
  const [data] = (await dropped) as [{ remotePort: number }]
  await once(late.resume(), 'end')
  assert.equal(data.remotePort > 0, true)
  assert.equal(await connectionsOf(served.server), 1)
})

test('a block list turns its peers away, and no others', async t => {
  const harness = createHarness(t)
  const served = await listening(harness)
  const blockList = new BlockList()
  Object.assign(served.server, { blockList })
  acceptPlain(served.server)
  blockList.addAddress('::1', 'ipv6')
  await accepted(harness, served)
  blockList.addAddress('127.0.0.1')
  await once(harness.dial(served.port).resume(), 'end')
  assert.equal(await connectionsOf(served.server), 1)
})

test('a block list leaves clients of a UNIX socket alone', async t => {
  const harness = createHarness(t)
  const server = createServer()
  Object.assign(server, { blockList: new BlockList() })
  const path = join(temporaryFolder(t), 'block-list.sock')
  server.listen(path)
  await once(server, 'listening')
  harness.defer(() => void server.close())
  acceptPlain(server)
  const connection = once(server, 'connection')
  const client = connect(path)
  const [socket] = (await connection) as [Socket]
  assert.equal(await connectionsOf(server), 1)
  client.destroy()
  socket.destroy()
})

test('on a line of Node that is not known yet nothing changes', async t => {
  const served = await listening(createHarness(t))
  const { versions } = process
  Object.defineProperty(process, 'versions', { value: { ...versions, node: '99.0.0' } })
  t.after(() => Object.defineProperty(process, 'versions', { value: versions }))
  assert.equal(acceptPlain(served.server), false)
})

test('a server counts the sockets that it has accepted quickly, and waits for them at its end', async t => {
  const harness = createHarness(t)
  const served = await listening(harness)
  acceptPlain(served.server)
  await accepted(harness, served)
  await accepted(harness, served)
  assert.equal(await connectionsOf(served.server), 2)
})

test('the tracing channel reports a socket that is accepted quickly', async t => {
  const harness = createHarness(t)
  const told: unknown[] = []
  const note = (message: unknown): void => void told.push(message)
  subscribe('net.server.socket', note)
  t.after(() => unsubscribe('net.server.socket', note))
  const served = await listening(harness)
  acceptPlain(served.server)
  const socket = await accepted(harness, served)
  assert.deepEqual(told, [{ socket }])
})

test('what Node says where the kernel has no connection to give is said as before', async t => {
  const harness = createHarness(t)
  const served = await listening(harness)
  acceptPlain(served.server)
  const failed = once(served.server, 'error')
  const { _handle: handle } = served.server as unknown as Handled
  handle.onconnection?.(-constants.errno.EMFILE, undefined)
  const [error] = (await failed) as [NodeJS.ErrnoException]
  assert.equal(error.code, 'EMFILE')
  assert.equal((await accepted(harness, served)).allowHalfOpen, true)
})

test('what is accepted by no handle of Node is left to the runtime, as Bun needs it', async t => {
  const harness = createHarness(t)
  const served = await listening(harness)
  const { _handle: handle } = served.server as unknown as Handled
  const passedOn: unknown[] = []
  handle.onconnection = (...args) => void passedOn.push(args)
  acceptPlain(served.server)
  const foreign = {}
  handle.onconnection(0, foreign)
  assert.deepEqual(passedOn, [[0, foreign]])
  assert.equal(await connectionsOf(served.server), 0)
})

test('a second acceptAs() takes the place of the first, and does not wrap it', async t => {
  const harness = createHarness(t)
  const served = await listening(harness)
  acceptAs(served.server, () => assert.fail('the first maker was asked'))
  acceptPlain(served.server)
  assert.equal((await accepted(harness, served)).allowHalfOpen, true)
  const { _handle: handle } = served.server as unknown as Handled
  let asked = 0
  const foreign = {
    get readStart(): undefined {
      asked++
      return undefined
    },
    getpeername: () => -1,
    close: () => undefined,
  }
  served.server.maxConnections = 1 // Node's own function then drops it
  handle.onconnection?.(0, foreign)
  assert.equal(asked, 1)
})

test('where a runtime accepts in another way, nothing changes', async t => {
  const harness = createHarness(t)
  const served = await listening(harness)
  const { _handle: handle } = served.server as unknown as Handled
  const { onconnection } = handle
  assert.equal(acceptPlain(createServer()), false, 'it does not listen')
  handle.onconnection = undefined
  assert.equal(acceptPlain(served.server), false)
  assert.equal(handle.onconnection, undefined)
  handle.onconnection = onconnection
  assert.equal((await accepted(harness, served)).allowHalfOpen, true)
})
