// Connections that wait for an upstream with room: who goes first, and who lets others by.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { UpstreamQueue } from '../../../src/relay/upstreams/upstream-queue.ts'

const { signal } = new AbortController()

test('room goes to the first connection that can use it, one at a time', async () => {
  const clock = { now: 5 }
  const queue = new UpstreamQueue({ size: 9, timeout: 1_000_000 }, () => clock.now)
  const gone: string[] = []
  const join = (name: string, hasRoom: () => boolean): Promise<unknown> =>
    queue.wait(hasRoom, { signal, waited: 0 }).then(took => gone.push(`${name} ${took}`))
  let canUse = false
  const [one, two, three] = [join('one', () => canUse), join('two', () => true), join('three', () => true)]
  clock.now += 7
  queue.next()
  await two
  assert.deepEqual([gone, queue.length], [['two 7'], 2])
  canUse = true
  queue.all()
  await Promise.all([one, three])
  assert.deepEqual([gone, queue.length], [['two 7', 'one 7', 'three 7'], 0])
  queue.next()
})
