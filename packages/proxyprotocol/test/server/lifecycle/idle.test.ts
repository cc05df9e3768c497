// Connections on which nothing moves are ended, and only those (contract 10 and 22).

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { Socket } from 'node:net'
import { test, type TestContext } from 'node:test'
import { gate } from 'test-support/gate'
import { content, outcome, until } from 'test-support/sockets'
import { IdleWatch, movedOn } from '../../../src/server/lifecycle/idle-watch.ts'
import type { Connection } from '../../../src/server/index.ts'
import { LOCAL, V2 } from '../../support/headers.ts'
import {
  counted,
  opened,
  over,
  readToEnd,
  createHarness,
  type Harness,
  type Served,
} from '../../support/harness.ts'

/** Milliseconds. */
const TIMEOUT = 800
const LOOK = TIMEOUT / 8

/** More than the kernel takes for a peer that does not read. */
const UNREAD = Buffer.alloc(64 * 1024 * 1024)
const idle = { timeouts: { idle: 100 } }

/** A clock that stands still, and lets so many milliseconds pass in which it is looked for what is idle. */
function stoppedClock(t: TestContext): { readonly now: number; wait(milliseconds: number): void } {
  let now = 0
  let look: (() => void) | undefined
  t.mock.method(performance, 'now', () => now)
  t.mock.method(globalThis, 'setInterval', (callback: () => void) => {
    look = callback
    return { unref: () => undefined }
  })
  return {
    get now() {
      return now
    },
    wait: milliseconds => {
      for (let waited = 0; waited < milliseconds; waited += LOOK) {
        now += LOOK
        look?.()
      }
    },
  }
}

test('a socket without a handle has moved what its stream has moved', () => {
  assert.equal(movedOn(new Socket()), 0)
})

test('contract 22: silence ends a connection when it has lasted for the whole timeout, no sooner, and once a byte moves it starts anew', t => {
  const clock = stoppedClock(t)
  const ended: number[] = []
  const watched = { activity: 1, abort: () => void ended.push(clock.now) }
  const watch = new IdleWatch(new Set([watched]), TIMEOUT)
  watch.start()
  clock.wait(TIMEOUT) // its first look is where the silence begins
  assert.deepEqual(ended, [])
  watched.activity++
  clock.wait(TIMEOUT)
  assert.deepEqual(ended, [])
  clock.wait(LOOK)
  const { now } = clock
  assert.deepEqual(ended, [now])
})

test('contract 22: silence ends no connection that waits for a header or for the FIN of the peer, and no detached socket', async t => {
  const harness = createHarness(t)
  const clock = stoppedClock(t)
  const release = gate()
  const served = await harness.serve(
    async connection => {
      if (connection.info.header?.command === 'LOCAL') return
      connection
        .detach()
        .on('error', () => {})
        .end()
      await release.promise
    },
    { timeouts: { idle: TIMEOUT } },
  )
  const states = (): unknown[] => [...served.server.connections].map(({ state, reason }) => [state, reason])
  const clients = ['', LOCAL, V2].map(header => {
    const client = harness.dial(served.port)
    client.write(header)
    return client.resume()
  })
  await Promise.all(clients.slice(1).map(client => once(client, 'end')))
  await until(() => served.server.connections.size === clients.length)
  const before = states()
  clock.wait(2 * TIMEOUT)
  assert.deepEqual(states(), before)
  assert.deepEqual(new Set(before), new Set(['header', 'closing', 'open'].map(state => [state, undefined])))
  for (const client of clients) client.end()
  release.open()
  await over(served, clients.length)
  assert.deepEqual(counted(served), { probe: 1, done: 2 })
})

test('what moves is what was received and what the kernel has taken, and nothing that waits', () => {
  const socket = (bytesRead: number, bytesWritten: number, writeQueueSize: number): Socket =>
    ({ bytesRead, bytesWritten: 0, _handle: { bytesWritten, writeQueueSize } }) as unknown as Socket
  const before = movedOn(socket(10, 20, 5))
  assert.equal(movedOn(socket(10, 120, 105)), before)
  assert.equal(movedOn(socket(11, 20, 5)), before + 1)
  assert.equal(movedOn(socket(10, 20, 4)), before + 1)
})

test('contract 10: a connection on which nothing moves is reset with idle_timeout, which is not an error', async t => {
  const harness = createHarness(t)
  const reasons: unknown[] = []
  const served = await harness.serve(async ({ signal }) => {
    await once(signal, 'abort')
    reasons.push((signal.reason as { code: string }).code)
    throw signal.reason
  }, idle)
  const client = harness.dial(served.port)
  client.write(V2)
  assert.equal((await outcome(client)).end, 'ECONNRESET')
  await over(served, 1)
  assert.deepEqual(reasons, ['idle_timeout'])
  assert.deepEqual(counted(served), { idle_timeout: 1 })
})

test('contract 22: bytes in either direction keep a connection, however few', async t => {
  const harness = createHarness(t)
  const served = await harness.serve(readToEnd, { timeouts: { idle: 200 } })
  for (const writesIn of [true, false]) {
    const client = harness.dial(served.port)
    client.write(V2)
    const [connection] = await opened(served)
    assert.ok(connection)
    client.resume()
    const [from, to] = writesIn ? [client, connection.socket] : [connection.socket, client]
    for (const start = performance.now(); performance.now() - start < 600;) {
      from.write('x')
      await once(to, 'data')
    }
    assert.equal(connection.state, 'open')
    client.end()
    await over(served, writesIn ? 1 : 2)
  }
  assert.deepEqual(counted(served), { done: 2 })
})

test('contract 22: one large write that a slow peer takes bit by bit is not silence', async t => {
  const harness = createHarness(t)
  // Long enough that a busy machine reads a megabyte in it.
  const patient = { timeouts: { idle: 1_000 } }
  const size = 128 * 1024 * 1024
  const served = await harness.serve(async ({ socket }) => {
    await new Promise(resolve => socket.write(Buffer.alloc(size), resolve))
  }, patient)
  const client = harness.dial(served.port)
  client.write(V2)
  await opened(served)
  let received = 0
  for (const start = performance.now(); performance.now() - start < 1_500;) {
    received += (await content(client, 1024 * 1024)).length // the kernel asks for more by the megabyte
    await new Promise(resolve => setTimeout(resolve, 20))
  }
  assert.equal(served.server.stats().active, 1)
  received += (await content(client)).length
  assert.equal(received, size)
  client.end()
  await over(served, 1)
  assert.deepEqual(counted(served), { done: 1 })
})

/** A server that has written to a client more than that reads. */
async function serveUnread(
  harness: Harness,
  goOn: (connection: Connection) => Promise<unknown>,
): Promise<Served> {
  const served = await harness.serve(async connection => {
    connection.socket.write(UNREAD)
    await goOn(connection)
  }, idle)
  harness.dial(served.port).write(V2)
  return served
}

test('contract 22: a peer that takes nothing of what is written is idle', async t => {
  const harness = createHarness(t)
  const served = await serveUnread(harness, ({ signal }) => once(signal, 'abort'))
  await over(served, 1)
  assert.deepEqual(counted(served), { idle_timeout: 1 })
})

test('contract 22: a handler that goes on writing to a peer that takes nothing is idle', async t => {
  const harness = createHarness(t)
  const served = await serveUnread(harness, async ({ socket, signal }) => {
    const timer = setInterval(() => socket.write('tick'), 20)
    await once(signal, 'abort')
    clearInterval(timer)
  })
  await over(served, 1)
  assert.deepEqual(counted(served), { idle_timeout: 1 })
})

test('contract 22: Infinity never ends a connection, and a handler may keep the time itself', async t => {
  const harness = createHarness(t)
  const served = await harness.serve(
    async ({ socket }) => {
      socket.setTimeout(50)
      await once(socket, 'timeout')
      socket.end('that took long')
    },
    { timeouts: { idle: Infinity } },
  )
  const client = harness.dial(served.port)
  client.write(V2)
  const ended = outcome(client)
  client.once('end', () => client.end())
  assert.deepEqual(await ended, { text: 'that took long', end: 'FIN' })
})

test('contract 22: an idle timeout of one connection may be shorter or longer than that of the server', t => {
  const clock = stoppedClock(t)
  const ended = new Set<string>()
  const watched = (name: string) => ({ activity: 1, abort: () => void ended.add(name) })
  const [usual, short, never] = [watched('usual'), watched('short'), watched('never')]
  const watch = new IdleWatch(new Set([usual, short, never]), TIMEOUT)
  watch.start()
  watch.set(short, LOOK)
  watch.set(never, Infinity)
  clock.wait(2 * LOOK)
  assert.deepEqual([...ended], ['short'])
  clock.wait(TIMEOUT)
  assert.deepEqual([...ended], ['short', 'usual'])
})

test('contract 22: setIdleTimeout() counts also if the server has no idle timeout, and refuses what timers do not take', async t => {
  const harness = createHarness(t)
  const served = await harness.serve(
    async connection => {
      assert.throws(
        () => connection.setIdleTimeout(-1),
        /^RangeError: timeout must be milliseconds from 0 to /,
      )
      connection.setIdleTimeout(50)
      await readToEnd(connection)
    },
    { timeouts: { idle: Infinity } },
  )
  harness.dial(served.port).write(V2)
  await over(served, 1)
  assert.deepEqual(counted(served), { idle_timeout: 1 })
})

test('contract 22: a handler that works on after its connection has closed is not idle', async t => {
  const harness = createHarness(t)
  const served = await harness.serve(async ({ socket }) => {
    await once(socket, 'close')
    await new Promise(resolve => setTimeout(resolve, 300))
  }, idle)
  const client = harness.dial(served.port)
  client.write(V2)
  const [connection] = await opened(served)
  client.end()
  connection?.socket.destroy()
  await over(served, 1)
  assert.deepEqual(counted(served), { done: 1 })
})

test('contract 22: a detached socket is ended by its new owner only', async t => {
  const harness = createHarness(t)
  let detached = false
  const served = await harness.serve(async connection => {
    const socket = connection.detach().on('error', () => {})
    detached = true
    await new Promise(resolve => setTimeout(resolve, 300))
    socket.end('still here')
    socket.destroySoon()
  }, idle)
  const client = harness.dial(served.port)
  client.write(V2)
  assert.equal((await outcome(client.once('end', () => client.end()))).text, 'still here')
  await until(() => served.server.stats().active === 0)
  assert.equal(detached, true)
})

test('contract 22: the timer that looks for idle connections does not keep the process alive, and ends with them', async t => {
  const harness = createHarness(t)
  const intervals = new Set<unknown>()
  const { setInterval: set, clearInterval: clear } = globalThis
  t.mock.method(globalThis, 'setInterval', (...args: Parameters<typeof set>) => {
    const timer = set(...args)
    intervals.add(timer)
    return timer
  })
  t.mock.method(globalThis, 'clearInterval', (timer: NodeJS.Timeout) => {
    intervals.delete(timer)
    clear(timer)
  })
  const served = await harness.serve(readToEnd, idle)
  for (const count of [1, 2]) {
    const client = harness.dial(served.port)
    client.write(V2)
    await opened(served)
    assert.equal(intervals.size, 1)
    assert.equal(process.getActiveResourcesInfo().includes('Timeout'), false)
    client.end()
    await over(served, count)
    await until(() => intervals.size === 0)
  }
})

test('contract 22: setIdleTimeout(Infinity) lets one connection be silent for as long as it wants', async t => {
  const harness = createHarness(t)
  const lasting: Connection[] = []
  const served = await harness.serve(async connection => {
    if (lasting.length === 0) {
      lasting.push(connection)
      connection.setIdleTimeout(Infinity)
    }
    await readToEnd(connection)
  }, idle)
  const client = harness.dial(served.port)
  client.write(V2)
  await until(() => lasting.length === 1)
  const other = harness.dial(served.port)
  other.write(V2)
  await outcome(other)
  await until(() => served.server.connections.size === 1)
  assert.deepEqual([lasting[0]?.state, counted(served)], ['open', { idle_timeout: 1 }])
  client.end()
  await over(served, 2)
  assert.deepEqual(counted(served), { idle_timeout: 1, done: 1 })
})
