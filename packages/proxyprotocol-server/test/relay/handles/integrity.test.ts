// Large buffers are used again and again, so a slip would corrupt bytes silently: all that goes through must come out.

import assert from 'node:assert/strict'
import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import type { Socket } from 'node:net'
import { test, type TestContext } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { content, until } from 'test-support/sockets'
import { Flow } from '../../../src/relay/tunnel/handles/flow.ts'
import { dial, listen, MEBIBYTE, random, sha256 } from '../../support/connections.ts'
import { startOnHandles } from '../../support/handles.ts'
import type { TestRelay } from '../../support/relay.ts'

const CONNECTIONS = 12
const LARGEST = 4 * MEBIBYTE
const MOST_TURNS = 40

/** Most are small, some fill large buffers many times. */
function randomSize(): number {
  return Math.ceil(LARGEST * Math.random() ** 4)
}

/** Reads all, and stands still now and then. */
async function readHaltingly(socket: Socket): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of socket.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    chunks.push(chunk)
    if (randomInt(4) > 0) continue
    for (let turns = randomInt(MOST_TURNS); turns > 0; turns--) await turn()
  }
  return Buffer.concat(chunks)
}

async function writeHaltingly(socket: Socket, bytes: Buffer): Promise<void> {
  for (let at = 0; at < bytes.length;) {
    const end = at + randomInt(1, 300_000)
    if (!socket.write(bytes.subarray(at, end))) await once(socket, 'drain')
    at = end
    for (let turns = randomInt(MOST_TURNS) - MOST_TURNS / 2; turns > 0; turns--) await turn()
  }
  socket.end()
}

interface Ends {
  readonly client: Socket
  readonly far: Socket
}

async function ends(t: TestContext): Promise<{ relay: TestRelay; all: readonly Ends[] }> {
  const upstream = await listen(t)
  const relay = await startOnHandles(t, `127.0.0.1:${upstream.port}?pp=noop`)
  const all: Ends[] = []
  for (let i = 0; i < CONNECTIONS; i++) {
    all.push({ client: dial(t, relay.port), far: await upstream.accept() })
  }
  return { relay, all }
}

async function exchange({ client, far }: Ends): Promise<void> {
  const [up, down] = [random(randomSize()), random(randomSize())]
  const [atFar, atClient] = await Promise.all([
    readHaltingly(far),
    readHaltingly(client),
    writeHaltingly(client, up),
    writeHaltingly(far, down),
  ])
  assert.deepEqual([sha256(atFar), sha256(atClient)], [sha256(up), sha256(down)])
}

test('bytes of random sizes come through both ways unchanged, however either side stalls', async t => {
  const { relay, all } = await ends(t)
  await Promise.all(all.map(exchange))
  await relay.record(CONNECTIONS - 1)
  for (const { reason } of relay.records) assert.equal(reason, 'done')
})

test('this test would notice a relay that reads on while a write is under way', async t => {
  const { relay, all } = await ends(t)
  const [{ client, far }] = all as [Ends]
  const { send } = Flow.prototype // eslint-disable-line @typescript-eslint/unbound-method -- it is called with its flow
  t.mock.method(Flow.prototype, 'send', function (this: Flow, bytes: Uint8Array) {
    send.call(this, bytes)
    this.isPending = false
    return true
  })
  const payload = random(32 * MEBIBYTE)
  client.end(payload)
  await until(() => relay.totals().bytesUp === payload.length)
  assert.notEqual(sha256(await content(far)), sha256(payload))
})
