// Clients of all kinds at a steady pace against a server in a process of its own, and what must hold of it: each connection
// is counted under its reason, and after a while nothing grows any more.

import assert from 'node:assert/strict'
import { EventEmitter, once } from 'node:events'
import { connect, type Socket } from 'node:net'
import type { TestContext } from 'node:test'
import type { RemoteServer } from './remote-server.ts'
import type { Collected, Health } from './server-process.ts'
import { soakSeconds } from './soak-length.ts'
import { MEBIBYTE } from './connections.ts'
import { atEnd } from './teardown.ts'

/** Clients at a time. */
export const CLIENTS = 40
/** Milliseconds that a client rests between two connections, at least. */
const REST = 100
/** The part of the time that a process has to find its size: two of ten minutes. */
const WARM_UP = 0.2
/** The rest of the time is as many windows; the medians of the first and the last are compared. */
const WINDOWS = 4
/** What objects may grow by from the first window to the last, and buffers from the start to the end, in bytes. */
const GROWTH = 2 * MEBIBYTE
/** What a relay keeps of the buffers that bulk flows read into, for the next of them (relay/tunnel/read-buffers.ts). */
const SPARE = 3.75 * MEBIBYTE

/** At the end, at most. */
const COLLECTIONS = 20

/** What a client does; resolves when it is over, with the reason that the server has to count it under. */
export type Kind = (socket: Socket, n: number) => Promise<string>

/** One of `kinds` after the other from each client, until the time is over. */
export async function loadSteadily(
  t: TestContext,
  server: RemoteServer,
  kinds: readonly Kind[],
): Promise<Health> {
  const beat = new EventEmitter().setMaxListeners(CLIENTS + 1)
  const timer = setInterval(() => beat.emit('beat'), REST)
  atEnd(t, () => clearInterval(timer))
  const before = await server.collected()
  const start = performance.now()
  const elapsed = (): number => (performance.now() - start) / 1_000
  const samples: Collected[] = []
  async function sample(): Promise<void> {
    for (let second = 1; second <= soakSeconds; second++) {
      while (elapsed() < second) await once(beat, 'beat')
      samples.push(await server.collected())
    }
  }
  const clients = startClients(t, { port: server.port, kinds, isOver: () => elapsed() >= soakSeconds, beat })
  await Promise.all([sample(), clients.over])
  await server.reached(({ stats: { active } }) => active === 0)
  const after = await atRest(server, before)
  const { accepted, closed } = after.stats
  const counted = Object.fromEntries(Object.entries(closed).filter(([, count]) => count > 0))
  assert.deepEqual([accepted, counted], [clients.count(), clients.reasons])
  assertFlat(samples, before, after)
  return after
}

interface Play {
  readonly port: number
  readonly kinds: readonly Kind[]
  readonly isOver: () => boolean
  readonly beat: EventEmitter
}

function startClients(
  t: TestContext,
  { port, kinds, isOver, beat }: Play,
): { readonly over: Promise<unknown>; readonly reasons: Record<string, number>; count(): number } {
  const reasons: Record<string, number> = {}
  const open = new Set<Socket>() // in place of a step at the test's end for each
  atEnd(t, () => {
    for (const socket of open) socket.destroy()
  })
  let count = 0
  async function play(): Promise<void> {
    while (!isOver()) {
      const n = count++
      const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
      open.add(socket)
      const closed = new Promise(resolve => socket.on('error', () => {}).on('close', resolve))
      const kind = kinds[n % kinds.length] ?? assert.fail()
      const reason = await kind(socket, n)
      reasons[reason] = (reasons[reason] ?? 0) + 1
      await closed
      open.delete(socket)
      await once(beat, 'beat')
    }
  }
  return { over: Promise.all(Array.from({ length: CLIENTS }, play)), reasons, count: () => count }
}

/** Buffers are freed in the background, some after the next collection. */
async function atRest(server: RemoteServer, { memory }: Health): Promise<Collected> {
  let health = await server.collected()
  for (let n = 1; n < COLLECTIONS && health.memory.buffers - memory.buffers > GROWTH + SPARE; n++) {
    health = await server.collected()
  }
  return health
}

/**
 * Objects and descriptors of the last window are as many as in the first, and at the end what was there at the start is left.
 * Buffers come and go with what is under way, so they are compared at rest.
 */
function assertFlat(samples: readonly Collected[], before: Collected, after: Collected): void {
  const windows = windowsOf(samples)
  const heaps = windows.map(each => median(each.map(({ memory }) => memory.heap)))
  const descriptors = windows.map(each => median(each.map(health => health.descriptors)))
  const grown = (values: readonly number[]): number => (values.at(-1) ?? NaN) - (values[0] ?? NaN)
  assert.ok(grown(heaps) <= GROWTH, `bytes of the heap in the windows: ${heaps.join(', ')}`)
  assert.ok(grown(descriptors) <= CLIENTS, `descriptors in the windows: ${descriptors.join(', ')}`)
  assert.equal(after.descriptors, before.descriptors)
  assert.ok(after.memory.heap - (heaps[0] ?? NaN) <= GROWTH, `${after.memory.heap} bytes of the heap at rest`)
  const buffers = after.memory.buffers - before.memory.buffers
  assert.ok(buffers <= GROWTH + SPARE, `${buffers} bytes of buffers more than at the start`)
}

/** Of the samples after the warm-up, so many windows of equal length. */
function windowsOf(samples: readonly Collected[]): readonly (readonly Collected[])[] {
  const settled = samples.slice(Math.floor(samples.length * WARM_UP))
  const length = Math.floor(settled.length / WINDOWS)
  return Array.from({ length: WINDOWS }, (_, n) => settled.slice(n * length, (n + 1) * length))
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN
}
