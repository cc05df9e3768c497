// The promise that the product is about, under load: with the garbage collector forced all along, no byte is lost, every
// handler ends once, and close() waits for the last of them. It needs descriptors: four sockets a connection.

import assert from 'node:assert/strict'
import { createHash, randomInt } from 'node:crypto'
import { once } from 'node:events'
import type { AddressInfo, Socket } from 'node:net'
import { pipeline } from 'node:stream/promises'
import { test, type TestContext } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { createServer, type Connection, type ProxyServer } from 'proxyprotocol/server'
import { content, until } from 'test-support/sockets'
import { createRelay, parseService, type Relay } from '../src/index.ts'
import { assertBalanced } from './support/relay.ts'
import { dial, random, sha256, warnings } from './support/connections.ts'
import { atEnd } from './support/teardown.ts'

const CONNECTIONS = 2_000
/** Four for each connection, and some for the process itself. */
const DESCRIPTORS = 10_000
/** Fewer than either listener's backlog of 511, so that no handshake has to be repeated. */
const AT_ONCE = 200
const MAX_PAYLOAD = 32 * 1024
/** A collection takes tens of milliseconds with so many sockets; so often it is forced dozens of times. */
const EVENTS_PER_COLLECTION = 400
/** Milliseconds; never reached, and longer than the slowest machine needs. */
const PATIENCE = 120_000

interface Harness {
  readonly echo: ProxyServer
  readonly relay: Relay
  readonly port: number
  /** What happened, in order: `echo` or `relay` for the end of a handler, and the closing of either server. */
  readonly events: string[]
  /** How often each handler ended, by its connection's id. */
  readonly ends: Map<string, number>
  /** SHA-256 of what the echo received, by the client's port. */
  readonly received: Map<number | undefined, string>
}

interface Client {
  readonly socket: Socket
  readonly payload: Buffer
  /** What came back, once it is complete. */
  readonly echoed: Promise<Buffer>
  /** Known while it is connected only. */
  readonly port: number | undefined
}

const pool = random(2 * MAX_PAYLOAD)
setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void
let events = 0
let collections = 0

/** Called wherever something happens. */
function forceCollection(): void {
  if (++events % EVENTS_PER_COLLECTION !== 0) return
  collect()
  collections++
}

function assertDescriptors(): void {
  const { userLimits } = process.report.getReport() as unknown as {
    userLimits: { open_files: { hard: number | 'unlimited' } }
  }
  const { hard } = userLimits.open_files
  const enough = hard === 'unlimited' || hard >= DESCRIPTORS
  assert.ok(
    enough,
    `needs ${DESCRIPTORS} file descriptors, but \`ulimit -Hn\` says ${hard}: raise the hard limit`,
  )
}

async function startStage(t: TestContext): Promise<Harness> {
  const trail: string[] = []
  const ends = new Map<string, number>()
  const received = new Map<number | undefined, string>()
  const onEnd = (what: string, id: string): void => {
    forceCollection()
    trail.push(what)
    ends.set(what + id, (ends.get(what + id) ?? 0) + 1)
  }
  const onError = (error: unknown): void => assert.fail(`a handler failed: ${String(error)}`)
  const echo = createServer(
    { trust: ['127.0.0.1'], onError },
    async ({ id, info, socket, signal }: Connection) => {
      const hash = createHash('sha256')
      try {
        socket.on('data', (chunk: Buffer) => {
          forceCollection()
          hash.update(chunk)
        })
        await pipeline(socket, socket, { signal })
        const { source } = info
        received.set(source && 'port' in source ? source.port : undefined, hash.digest('hex'))
      } finally {
        onEnd('echo', id)
      }
    },
  )
  const { port: echoPort } = (await echo.listen(0, '127.0.0.1')) as AddressInfo
  const relay = createRelay(parseService('127.0.0.1:0', `127.0.0.1:${echoPort}`), {
    onError,
    onClosed: ({ id }) => {
      onEnd('relay', id)
    },
  })
  const { port } = (await relay.listen()) as AddressInfo
  warnings(t)
  atEnd(t, () => Promise.all([relay.server.abort(), echo.abort()]))
  return { echo, relay, port, events: trail, ends, received }
}

/** Opens so many clients, each with a first part of its payload sent. */
async function openClients(t: TestContext, port: number, count: number): Promise<Client[]> {
  const clients: Client[] = []
  while (clients.length < count) {
    const wave = Array.from({ length: AT_ONCE }, () => openClient(t, port))
    clients.push(...(await Promise.all(wave)))
  }
  return clients
}

async function openClient(t: TestContext, port: number): Promise<Client> {
  const socket = dial(t, port)
  const start = randomInt(MAX_PAYLOAD)
  const payload = pool.subarray(start, start + 2 + randomInt(MAX_PAYLOAD))
  const echoed = content(socket)
  echoed.catch(() => {}) // a client that resets gets no end, and does not read the rest
  socket.write(payload.subarray(0, payload.length / 2))
  await once(socket, 'data')
  forceCollection()
  return { socket, payload, echoed, port: socket.localPort }
}

/** Closes both servers, which waits for all that is still open, and puts down when each was closed. */
function closeStage({ echo, relay, events: trail }: Harness): Promise<unknown> {
  return Promise.all([
    relay.server.close({ drain: PATIENCE }).then(() => trail.push('relay closed')),
    echo.close({ drain: PATIENCE }).then(() => trail.push('echo closed')),
  ])
}

async function assertEchoed(clients: readonly Client[], { received }: Harness): Promise<void> {
  for (const { payload, echoed, port } of clients) {
    const sent = sha256(payload)
    assert.equal(sha256(await echoed), sent, 'what came back differs')
    assert.equal(received.get(port), sent, 'what the echo received differs')
  }
}

function assertEnded({ echo, relay, events: trail, ends }: Harness, count: number): void {
  assert.equal(ends.size, 2 * count)
  for (const times of ends.values()) assert.equal(times, 1, 'a handler did not end once')
  assert.ok(
    trail.indexOf('echo closed') > trail.lastIndexOf('echo'),
    'the echo closed before its last handler',
  )
  assert.ok(
    trail.indexOf('relay closed') > trail.lastIndexOf('relay'),
    'the relay closed before its last handler',
  )
  for (const server of [echo, relay.server]) {
    assertBalanced(server.stats())
    assert.equal(server.stats().accepted, count)
  }
}

test('2,000 concurrent connections through relay and echo lose no byte, and every handler ends once', async t => {
  assertDescriptors()
  const harness = await startStage(t)
  const clients = await openClients(t, harness.port, CONNECTIONS)
  assert.equal(harness.relay.server.connections.size, CONNECTIONS)
  assert.equal(harness.echo.connections.size, CONNECTIONS)
  const closed = closeStage(harness)
  for (const { socket, payload } of clients) socket.end(payload.subarray(payload.length / 2))
  await closed
  await assertEchoed(clients, harness)
  assertEnded(harness, CONNECTIONS)
  for (const server of [harness.echo, harness.relay.server])
    assert.equal(server.stats().closed.done, CONNECTIONS)
  assert.ok(collections >= 20, `the collector was forced ${collections} times only`)
})

test('clients that reset midway leave the others unharmed, and their handlers end once as well', async t => {
  const count = 200
  const harness = await startStage(t)
  const clients = await openClients(t, harness.port, count)
  const [leaving, staying] = [clients.filter((_, i) => i % 4 === 0), clients.filter((_, i) => i % 4 !== 0)]
  for (const { socket } of leaving) {
    socket.resetAndDestroy()
    forceCollection()
  }
  for (const server of [harness.relay.server, harness.echo]) {
    await until(() => server.connections.size === staying.length)
  }
  const closed = closeStage(harness)
  for (const { socket, payload } of staying) socket.end(payload.subarray(payload.length / 2))
  await closed
  await assertEchoed(staying, harness)
  assertEnded(harness, count)
  for (const server of [harness.echo, harness.relay.server]) {
    const { done, client_reset } = server.stats().closed
    assert.deepEqual({ done, client_reset }, { done: staying.length, client_reset: leaving.length })
  }
})
