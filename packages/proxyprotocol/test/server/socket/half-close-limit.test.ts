// limitHalfClose() and closeOrReset(): a slow peer is not a silent one.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { Socket } from 'node:net'
import { test, type TestContext } from 'node:test'
import { listenRaw, outcome, turns, until } from 'test-support/sockets'
import { closeOrReset, limitHalfClose } from '../../../src/server/socket/half-close.ts'
import { distinguishResets } from '../../../src/server/index.ts'
import { createHarness } from '../../support/harness.ts'

/** More than the kernel takes for a socket that is not read. */
const BIG = 32 << 20
/** Milliseconds, of a clock that the tests turn. */
const TIMEOUT = 1_000

async function pair(t: TestContext): Promise<{ near: Socket; far: Socket }> {
  const harness = createHarness(t)
  const { port, accept } = await listenRaw(harness)
  const near = harness.dial(port)
  const far = await accept()
  harness.defer(() => far.destroy())
  distinguishResets(far)
  return { near, far: far.pause() }
}

/** Bytes of a write under way that the kernel has not taken. */
function waiting(socket: Socket): number {
  return (socket as unknown as { _handle: { writeQueueSize: number } })._handle.writeQueueSize
}

/** Lets the test end the timer that was set last, if it still runs. */
function timerOf(t: TestContext): () => void {
  let last: NodeJS.Timeout | undefined
  let callback = (): void => {}
  const { setTimeout: set, clearTimeout: clear } = globalThis
  t.mock.method(globalThis, 'setTimeout', (then: () => void, wait: number) => {
    const timer = set(then, wait === TIMEOUT ? 60_000 : wait)
    if (wait === TIMEOUT) [last, callback] = [timer, then]
    return timer
  })
  t.mock.method(globalThis, 'clearTimeout', (timer: NodeJS.Timeout | undefined) => {
    if (timer === last) callback = (): void => {}
    clear(timer)
  })
  return () => callback()
}

/** Waits until the kernel takes no more. */
async function fill(socket: Socket): Promise<void> {
  for (let before = -1; before !== waiting(socket); await turns(20)) before = waiting(socket)
}

test('limitHalfClose() gives a peer as much time again whenever it has taken bytes, also of one large write', async t => {
  const { near, far } = await pair(t)
  near.end(Buffer.alloc(BIG))
  await fill(near)
  const fire = timerOf(t)
  let calls = 0
  limitHalfClose(near, TIMEOUT, () => calls++)
  for (let round = 0; round < 2; round++) {
    const before = waiting(near)
    far.resume()
    await until(() => waiting(near) < before)
    far.pause()
    await fill(near)
    fire()
    assert.equal(calls, 0)
  }
  fire()
  assert.equal(calls, 1)
})

test('limitHalfClose() never calls back once the socket is closed', async t => {
  const { near } = await pair(t)
  const fire = timerOf(t)
  let calls = 0
  limitHalfClose(near, TIMEOUT, () => calls++)
  near.destroy()
  await once(near, 'close')
  fire()
  assert.equal(calls, 0)
})

for (const [what, length, end] of [
  ['closes when the kernel has all bytes, which the peer gets whenever it reads', 100_000, 'FIN'],
  ['resets when the peer has not taken the rest', BIG, 'ECONNRESET'],
] as const) {
  test(`closeOrReset() ${what}`, async t => {
    const { near, far } = await pair(t)
    near.end(Buffer.alloc(length))
    if (end === 'FIN') await once(near, 'finish')
    else await fill(near)
    closeOrReset(near)
    await once(near, 'close')
    const seen = await outcome(far.once('end', () => far.end()).resume())
    assert.equal(seen.end, end)
    if (end === 'FIN') assert.equal(seen.text.length, length)
  })
}
