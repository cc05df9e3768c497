// The stream of statistics: what it sends and when, and what no client can use up.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test, type TestContext } from 'node:test'
import { turns, until } from 'test-support/sockets'
import { EventStreams } from '../../src/admin/event-stream.ts'
import type { StatsDocument } from '../../src/figures/index.ts'
import { startAdmin } from '../support/admin.ts'
import { readEvents, type EventReader } from '../support/events.ts'
import { ask } from '../support/http.ts'
import { dial, outcome } from '../support/connections.ts'
import { atEnd } from '../support/teardown.ts'

/** More than the system keeps for a socket whose other end does not read. */
const LARGE = 'x'.repeat(8 * 1024 * 1024)

interface TestStreams {
  readonly streams: EventStreams
  readonly port: number
  readonly errors: unknown[]
  /** Responses that were taken, the oldest first. */
  readonly responses: readonly ServerResponse[]
  /** A second goes by. */
  readonly tick: () => void
}

/** Streams of what `read` gives, at seconds that the test chooses. */
async function startStreams(t: TestContext, read: () => Promise<unknown>): Promise<TestStreams> {
  t.mock.timers.enable({ apis: ['setInterval'] })
  const errors: unknown[] = []
  const responses: ServerResponse[] = []
  const streams = new EventStreams(
    async () => [Buffer.from(JSON.stringify(await read()))],
    error => errors.push(error),
  )
  const server = createServer((_request, response) => {
    responses.push(response)
    void streams.open(response)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  atEnd(t, async () => {
    streams.close()
    server.close()
    server.closeAllConnections()
    await once(server, 'close')
  })
  const { port } = server.address() as AddressInfo
  return { streams, port, errors, responses, tick: () => t.mock.timers.tick(1_000) }
}

async function documentOf(reader: EventReader): Promise<StatsDocument> {
  const event = await reader.next()
  assert.equal(event?.name, 'message')
  return JSON.parse(event.data) as StatsDocument
}

test('two streams on one connection are none, and nothing is read for them when it is gone', async t => {
  let reads = 0
  const { port, responses, tick } = await startStreams(t, () => Promise.resolve(++reads))
  const client = dial(t, port)
  client.write('GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n'.repeat(2))
  await outcome(client)
  assert.equal(responses.length, 2)
  await until(() => responses[0]?.closed === true)
  const before = reads
  tick()
  await turns(3)
  assert.equal(reads, before)
})

test('/events sends what /stats.json answers, at once and then every second', async t => {
  let state: 'ready' | 'draining' = 'ready'
  const { port } = await startAdmin(t, { readiness: () => state })
  const reader = await readEvents(t, port)
  const first = await documentOf(reader)
  assert.deepEqual(
    Object.keys(first),
    Object.keys(JSON.parse((await ask(port, '/stats.json')).body) as StatsDocument),
  )
  assert.deepEqual([first.version, first.state], ['1.2.3', 'ready'])
  state = 'draining'
  assert.equal((await documentOf(reader)).state, 'draining')
  const { headers } = reader
  assert.equal(headers['content-type'], 'text/event-stream; charset=utf-8')
  assert.equal(headers['cache-control'], 'no-store')
  assert.equal(headers['x-content-type-options'], 'nosniff')
})

test('HEAD of /events is answered without a stream', async t => {
  const { port } = await startAdmin(t)
  const { status, headers, body } = await ask(port, '/events', { method: 'HEAD' })
  assert.deepEqual([status, headers['content-type'], body], [200, 'text/event-stream; charset=utf-8', ''])
})

test('a page from elsewhere gets no stream, its own page and other programs do', async t => {
  const { port } = await startAdmin(t)
  for (const site of ['cross-site', 'same-site']) {
    const { status } = await ask(port, '/events', { headers: { 'sec-fetch-site': site } })
    assert.equal(status, 403, site)
  }
  for (const site of ['same-origin', 'none']) {
    const { status } = await ask(port, '/events', { method: 'HEAD', headers: { 'sec-fetch-site': site } })
    assert.equal(status, 200, site)
  }
})

test('a fifth stream ends the oldest, which is told, and the listener answers others all the while', async t => {
  const { port } = await startAdmin(t)
  const readers: EventReader[] = []
  for (let i = 0; i < 5; i++) {
    const reader = await readEvents(t, port)
    await documentOf(reader)
    readers.push(reader)
  }
  const [oldest, second, , , newest] = readers
  assert.ok(oldest && second && newest)
  let last = await oldest.next()
  while (last?.name === 'message') last = await oldest.next()
  assert.deepEqual(last, { name: 'displaced', data: '4' })
  assert.equal(await oldest.next(), undefined)
  for (const path of ['/metrics', '/readyz', '/stats.json']) assert.equal((await ask(port, path)).status, 200)
  await documentOf(second)
  await documentOf(newest)
})

test('close() ends the streams', async t => {
  const { admin, port } = await startAdmin(t)
  const reader = await readEvents(t, port)
  await documentOf(reader)
  await admin.close()
  let event = await reader.next()
  while (event !== undefined) event = await reader.next()
  const again = await readEvents(t, port).catch((error: unknown) => error)
  assert.ok(again instanceof Error && 'code' in again && again.code === 'ECONNREFUSED')
})

test('one reading a second is made for all streams, and none without one', async t => {
  let reads = 0
  const { port, tick } = await startStreams(t, async () => ++reads)
  tick()
  assert.equal(reads, 0)
  const [a, b] = [await readEvents(t, port), await readEvents(t, port)]
  const firsts = [await a.next(), await b.next()].map(event => event?.data)
  assert.deepEqual([firsts, reads], [['1', '2'], 2])
  tick()
  assert.deepEqual([(await a.next())?.data, (await b.next())?.data, reads], ['3', '3', 3])
  a.close()
  b.close()
  for (let before = -1; before !== reads;) {
    before = reads
    await turns(20)
    tick()
  }
  tick()
  const c = await readEvents(t, port)
  assert.equal((await c.next())?.data, String(reads))
  tick()
  assert.equal((await c.next())?.data, String(reads))
})

test('a reading that takes longer than a second is not begun again', async t => {
  let reads = 0
  let finish: () => void = () => {}
  const { port, tick } = await startStreams(t, async () => {
    if (++reads > 1) await new Promise<void>(resolve => (finish = resolve))
    return reads
  })
  const reader = await readEvents(t, port)
  await reader.next()
  tick()
  tick()
  tick()
  assert.equal(reads, 2)
  finish()
  assert.equal((await reader.next())?.data, '2')
  tick()
  assert.equal(reads, 3)
  finish()
})

test('a reading that fails is reported and ends the streams; the next one is as any', async t => {
  const fault = new Error('a bug')
  let broken = false
  const { port, errors, tick } = await startStreams(t, async () => {
    if (broken) throw fault
    return 'well'
  })
  const reader = await readEvents(t, port)
  assert.equal((await reader.next())?.data, '"well"')
  broken = true
  tick()
  assert.equal(await reader.next(), undefined)
  assert.deepEqual(errors, [fault])
  broken = false
  assert.equal((await (await readEvents(t, port)).next())?.data, '"well"')
})

/** A reader that has not read the first, large event. */
async function deafen(t: TestContext, { port, responses }: TestStreams): Promise<ServerResponse> {
  const deaf = dial(t, port).pause()
  deaf.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n')
  await until(() => responses[0]?.writableNeedDrain === true)
  const [stalled] = responses
  assert.ok(stalled)
  return stalled
}

test('a reader that does not keep up misses readings, and is cut off at the fifth; others are told', async t => {
  let reads = 0
  const harness = await startStreams(t, async () => (++reads === 1 ? LARGE : ''))
  const stalled = await deafen(t, harness)
  const waiting = stalled.writableLength
  const closed = once(stalled, 'close')
  const reader = await readEvents(t, harness.port)
  await reader.next()
  for (let missed = 1; missed <= 5; missed++) {
    assert.equal(stalled.destroyed, false)
    assert.equal(stalled.writableLength, waiting)
    harness.tick()
    assert.equal((await reader.next())?.data, '""')
  }
  await closed
  assert.equal(stalled.writableFinished, false)
  harness.tick()
  assert.equal((await reader.next())?.data, '""')
})

test('a reader that does not keep up makes room at once', async t => {
  let reads = 0
  const harness = await startStreams(t, async () => (++reads === 1 ? LARGE : ''))
  const stalled = await deafen(t, harness)
  const closed = once(stalled, 'close')
  for (let i = 0; i < 4; i++) await (await readEvents(t, harness.port)).next()
  await closed
  assert.equal(stalled.writableFinished, false)
})
