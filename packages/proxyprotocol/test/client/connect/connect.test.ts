// connect(): the header is what the other side receives first, and every way to fail has a code of its own.

import assert from 'node:assert/strict'
import dns from 'node:dns'
import { getEventListeners, once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { createServer as createNetServer, type AddressInfo, type Socket } from 'node:net'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { Worker } from 'node:worker_threads'
import { temporaryFolder } from 'test-support/folder'
import { closedPort, content, listenRaw, text, turns } from 'test-support/sockets'
import { untyped } from 'test-support/untyped'
import { connect } from '../../../src/client/index.ts'
import type { HeaderInit } from '../../../src/codec/index.ts'
import { DESTINATION, encode, SOURCE, V1, V2 } from '../../support/headers.ts'
import { faultOf, createHarness, type Harness } from '../../support/harness.ts'

const HOST = '127.0.0.1'
const HEADER: HeaderInit = { source: SOURCE, destination: DESTINATION }

/** The next chunk, as it was read from the system. */
async function sayHello(socket: Socket, far: Socket): Promise<void> {
  socket.end('hello')
  assert.equal(await text(far), 'hello')
  far.end()
  await once(socket.resume(), 'close')
}

async function chunk(socket: Socket): Promise<string> {
  const [bytes] = (await once(socket, 'data')) as [Buffer]
  socket.pause()
  return bytes.toString('latin1')
}

for (const [name, header, bytes] of [
  ['version 2', HEADER, V2],
  ['version 1', { ...HEADER, version: 1 }, V1],
] as const) {
  test(`connect() sends a header of ${name} first, and it has left when the promise resolves`, async t => {
    const harness = createHarness(t)
    const { port, accept } = await listenRaw(harness)
    const socket = await connect({ host: HOST, port }, header)
    assert.deepEqual(
      [socket.writableLength, socket.writableCorked, socket.bytesWritten],
      [0, 0, bytes.length],
    )
    const far = await accept()
    assert.equal(await chunk(far), bytes.toString('latin1'))
    await sayHello(socket, far)
  })
}

test('connect() sends header and payload in one write', async t => {
  const harness = createHarness(t)
  const { port, accept } = await listenRaw(harness)
  const payload = (): Uint8Array => Buffer.from('hello')
  const socket = await connect({ host: HOST, port, checksum: true, padTo: 64, payload }, HEADER)
  const header = encode(HEADER, { checksum: true, padTo: 64 })
  assert.equal(await chunk(await accept()), header.toString('latin1') + 'hello')
  socket.destroy()
})

test('connect() asks for the payload once, when the connection stands, and takes null for none', async t => {
  const harness = createHarness(t)
  const { port, accept } = await listenRaw(harness)
  let asked = 0
  const payload = (): null => {
    asked++
    return null
  }
  const connecting = connect({ host: HOST, port, payload }, HEADER)
  assert.equal(asked, 0)
  const socket = await connecting
  assert.equal(asked, 1)
  socket.end()
  assert.equal((await content(await accept())).length, V2.length)
  socket.destroy()
})

test('connect() closes what it has opened when the payload throws', async t => {
  const harness = createHarness(t)
  const { port, accept } = await listenRaw(harness)
  const fault = new Error('payload')
  const payload = (): never => {
    throw fault
  }
  await assert.rejects(connect({ host: HOST, port, payload }, HEADER), fault)
  assert.equal(await text(await accept()), '', 'not even the header was sent')
})

test("connect() with 'none' in place of a header just connects", async t => {
  const harness = createHarness(t)
  const { port, accept } = await listenRaw(harness)
  const socket = await connect({ host: HOST, port }, 'none')
  assert.equal(socket.bytesWritten, 0)
  await sayHello(socket, await accept())
})

test('connect() gives a socket as Node makes it: no listener of ours, and half-open only where asked for', async t => {
  const harness = createHarness(t)
  const { port, accept } = await listenRaw(harness)
  const { signal } = new AbortController()
  for (const allowHalfOpen of [undefined, true]) {
    const socket: Socket = await connect({ host: HOST, port, signal, allowHalfOpen }, HEADER)
    for (const event of ['connect', 'error', 'data']) assert.equal(socket.listenerCount(event), 0, event)
    assert.equal(getEventListeners(signal, 'abort').length, 0)
    assert.equal(socket.allowHalfOpen, allowHalfOpen === true)
    const far = await accept()
    far.end()
    await once(socket.resume(), 'end')
    await turns()
    assert.equal(socket.writableEnded, allowHalfOpen !== true)
    socket.destroy()
  }
})

test('connect() reaches a UNIX socket', async t => {
  const harness = createHarness(t)
  const path = join(temporaryFolder(t), 'socket')
  const { accept } = await listenRaw(harness, path)
  const socket = await connect({ path }, HEADER)
  socket.end('hello')
  assert.equal((await text(await accept())).slice(-5), 'hello')
  socket.destroy()
})

test('connect() rejects with connect_refused without a listener, and names the system error', async t => {
  createHarness(t)
  const error = await faultOf(connect({ host: HOST, port: await closedPort() }, HEADER))
  assert.equal(error.code, 'connect_refused')
  assert.match(error.message, /^the upstream refused the connection: connect ECONNREFUSED 127\.0\.0\.1:\d+$/)
  assert.equal((error.cause as NodeJS.ErrnoException).code, 'ECONNREFUSED')
})

test('connect() names the error of each address where all of a name fail', async t => {
  createHarness(t)
  const port = await closedPort()
  resolveTo(t, [
    { address: '127.0.0.1', family: 4 },
    { address: '127.0.0.2', family: 4 },
  ])
  const error = await faultOf(connect({ host: 'two.invalid', port }, HEADER))
  assert.equal(error.code, 'connect_refused')
  assert.match(
    error.message,
    /: Error: connect ECONNREFUSED 127\.0\.0\.1:\d+, Error: connect ECONNREFUSED 127\.0\.0\.2:\d+$/,
  )
})

test('connect() rejects with connect_error for other faults', async t => {
  createHarness(t)
  const path = join(temporaryFolder(t), 'missing')
  const error = await faultOf(connect({ path }, HEADER))
  assert.equal(error.code, 'connect_error')
  assert.match(error.message, /ENOENT/)
  const plain = join(temporaryFolder(t), 'file')
  writeFileSync(plain, '')
  assert.equal((await faultOf(connect({ path: plain }, HEADER))).code, 'connect_refused')
})

/** Makes names resolve to these addresses, or fail as the resolver does. */
function resolveTo(t: TestContext, answer: { address: string; family: number }[] | Error): void {
  t.mock.method(dns, 'lookup', (_name: string, _options: unknown, callback: (...args: unknown[]) => void) => {
    if (answer instanceof Error) process.nextTick(callback, answer)
    else process.nextTick(callback, null, answer)
  })
}

test('connect() rejects with dns_error for a name that does not exist', async t => {
  createHarness(t)
  const properties = { code: 'ENOTFOUND', syscall: 'getaddrinfo', hostname: 'missing.invalid' }
  resolveTo(t, Object.assign(new Error('getaddrinfo ENOTFOUND missing.invalid'), properties))
  const error = await faultOf(connect({ host: 'missing.invalid', port: 1 }, HEADER))
  assert.equal(error.code, 'dns_error')
  assert.match(
    error.message,
    /^the upstream name could not be resolved: getaddrinfo ENOTFOUND missing\.invalid$/,
  )
})

test('connect() rejects with dns_error for what the system itself finds to be no name', async t => {
  createHarness(t)
  const host = `${'x'.repeat(64)}.invalid` // a label has at most 63 bytes, so that no server is asked
  assert.equal((await faultOf(connect({ host, port: 1 }, HEADER))).code, 'dns_error')
})

/** A port where connections stand in line for ever: no connection is accepted, and the line is full. */
async function deafPort(harness: Harness): Promise<number> {
  const shared = new Int32Array(new SharedArrayBuffer(4))
  const listener = `
    const { parentPort, workerData } = require('node:worker_threads')
    const server = require('node:net').createServer().listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => {
      parentPort.postMessage(server.address().port)
      Atomics.wait(workerData, 0, 0)
      server.close()
    })`
  const worker = new Worker(listener, { eval: true, workerData: shared })
  const [port] = (await once(worker, 'message')) as [number]
  const waiting: Socket[] = []
  harness.defer(async () => {
    for (const socket of waiting) socket.destroy()
    Atomics.store(shared, 0, 1)
    Atomics.notify(shared, 0)
    await once(worker, 'exit')
  })
  for (let connected = true; connected;) {
    const socket = harness.dial(port)
    waiting.push(socket)
    connected = await Promise.race([once(socket, 'connect').then(() => true), turns(200).then(() => false)])
  }
  return port
}

test('connect() rejects with connect_timeout after its timeout, and takes its attempt back', async t => {
  const harness = createHarness(t)
  const port = await deafPort(harness)
  const error = await faultOf(connect({ host: HOST, port, timeout: 30 }, HEADER))
  assert.equal(error.code, 'connect_timeout')
  assert.equal(error.message, 'the upstream did not accept the connection in time: 30 ms')
})

test('connect() rejects with connect_timeout where the system gives up first', async t => {
  createHarness(t)
  resolveTo(t, Object.assign(new Error('connect ETIMEDOUT'), { code: 'ETIMEDOUT', syscall: 'connect' }))
  assert.equal((await faultOf(connect({ host: 'slow.invalid', port: 1 }, HEADER))).code, 'connect_timeout')
})

test('connect() counts the look-up of the name in, and lets go of it', async t => {
  createHarness(t)
  t.mock.method(dns, 'lookup', () => {})
  const error = await faultOf(connect({ host: 'slow.invalid', port: 1, timeout: 20 }, HEADER))
  assert.equal(error.code, 'connect_timeout')
})

test('connect() rejects with aborted while it connects, and takes its attempt back', async t => {
  const harness = createHarness(t)
  const port = await deafPort(harness)
  const controller = new AbortController()
  const connecting = connect({ host: HOST, port, signal: controller.signal }, HEADER)
  await turns()
  const why = new Error('why')
  controller.abort(why)
  const error = await faultOf(connecting)
  assert.deepEqual([error.code, error.cause], ['aborted', why])
  assert.equal(getEventListeners(controller.signal, 'abort').length, 0)
})

/** The port of a server that must see no connection. */
async function untouchedPort(harness: Harness): Promise<number> {
  const server = createNetServer(() => assert.fail('something was opened')).listen(0, HOST)
  await once(server, 'listening')
  harness.defer(() => server.close())
  return (server.address() as AddressInfo).port // TCP
}

test('connect() rejects with aborted before it opens anything', async t => {
  const harness = createHarness(t)
  const port = await untouchedPort(harness)
  const error = await faultOf(connect({ host: HOST, port, signal: AbortSignal.abort('why') }, HEADER))
  assert.deepEqual([error.code, error.cause], ['aborted', 'why'])
  await turns()
})

test('connect() leaves an established connection alone when its signal aborts', async t => {
  const harness = createHarness(t)
  const { port, accept } = await listenRaw(harness)
  const controller = new AbortController()
  const socket = await connect({ host: HOST, port, signal: controller.signal }, 'none')
  controller.abort()
  socket.end('hello')
  assert.equal(await text(await accept()), 'hello')
  socket.destroy()
})

test('connect() refuses a wrong header or option before it opens anything', async t => {
  const harness = createHarness(t)
  const port = await untouchedPort(harness)
  const tlvs = [{ type: 0x05, value: new Uint8Array(129) }]
  await assert.rejects(connect({ host: HOST, port }, { ...HEADER, tlvs }), RangeError)
  await assert.rejects(connect({ host: HOST, port }, untyped({ source: SOURCE })), TypeError)
  for (const nothing of [undefined, null, '']) {
    const message = `header must be an object such as { source, destination }, got ${nothing === '' ? '""' : nothing}`
    await assert.rejects(connect({ host: HOST, port }, untyped(nothing)), { name: 'TypeError', message })
  }
  await assert.rejects(connect({ host: HOST, port, checksum: true }, { ...HEADER, version: 1 }), TypeError)
  for (const timeout of [-1, NaN, Infinity, 2 ** 31]) {
    const message = `timeout must be milliseconds from 0 to 2147483647, got ${timeout}`
    await assert.rejects(connect({ host: HOST, port, timeout }, HEADER), { name: 'RangeError', message })
  }
  await assert.rejects(connect({ host: HOST, port: 65_536 }, HEADER), RangeError)
  await assert.rejects(connect({}, HEADER), { code: 'ERR_MISSING_ARGS' })
  await turns()
})
