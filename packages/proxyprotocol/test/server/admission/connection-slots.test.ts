// ConnectionSlots: so many at a time, and a queue for the rest.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ConnectionSlots } from '../../../src/server/admission/connection-slots.ts'
import { pendingTimers } from '../../support/timers.ts'

const { signal } = new AbortController()
const LONG = 60_000

test('places: as many can be taken as there are, and again what was given back', () => {
  const places = new ConnectionSlots(2)
  assert.deepEqual([places.take(), places.take(), places.take()], [true, true, false])
  places.free()
  assert.deepEqual([places.take(), places.take()], [true, false])
})

test('places: without a limit there is always one', () => {
  const places = new ConnectionSlots(Infinity)
  for (let i = 0; i < 10_000; i++) assert.equal(places.take(), true)
})

test('places: one that is given back goes to the first that waits, and to no other', async t => {
  const timers = pendingTimers(t)
  const places = new ConnectionSlots(1)
  places.take()
  const order: string[] = []
  const waits = ['a', 'b'].map(async name => {
    assert.equal(await places.wait(LONG, signal), true)
    order.push(name)
  })
  assert.equal(places.waiting, 2)
  places.free()
  await waits[0]
  assert.deepEqual([order, places.waiting, places.take()], [['a'], 1, false])
  places.free()
  await waits[1]
  assert.deepEqual([order, places.waiting, places.take()], [['a', 'b'], 0, false])
  places.free()
  assert.equal(places.take(), true)
  assert.equal(timers.size, 0)
})

test('places: a higher limit goes to those that wait, in their order', async t => {
  const timers = pendingTimers(t)
  const places = new ConnectionSlots(1)
  places.take()
  const order: string[] = []
  const waits = ['a', 'b', 'c'].map(async name => {
    if (await places.wait(LONG, signal)) order.push(name)
  })
  places.limit = 3
  await Promise.all(waits.slice(0, 2))
  assert.deepEqual([order, places.waiting, places.limit], [['a', 'b'], 1, 3])
  places.free()
  await waits[2]
  assert.deepEqual([order, places.take()], [['a', 'b', 'c'], false])
  assert.equal(timers.size, 0)
})

test('places: under a lower limit those that are taken stay, and none is given until there are fewer', async t => {
  const timers = pendingTimers(t)
  const places = new ConnectionSlots(3)
  for (let i = 0; i < 3; i++) places.take()
  places.limit = 1
  const waiting = places.wait(LONG, signal)
  places.free()
  places.free()
  assert.deepEqual([places.waiting, places.take()], [1, false])
  places.free()
  assert.equal(await waiting, true)
  assert.deepEqual([places.waiting, places.take(), timers.size], [0, false, 0])
})

test('places: who waits too long gets none, and is not in the way of others', async t => {
  const timers = pendingTimers(t)
  const places = new ConnectionSlots(1)
  places.take()
  const late = places.wait(1, signal)
  const patient = places.wait(LONG, signal)
  assert.equal(await late, false)
  assert.equal(places.waiting, 1)
  places.free()
  assert.equal(await patient, true)
  assert.equal(timers.size, 0)
})

test('places: who is aborted, before or meanwhile, waits no longer', async t => {
  const timers = pendingTimers(t)
  const places = new ConnectionSlots(1)
  places.take()
  const controller = new AbortController()
  const wait = places.wait(LONG, controller.signal)
  controller.abort()
  assert.equal(await wait, false)
  assert.equal(await places.wait(LONG, controller.signal), false)
  assert.deepEqual([places.waiting, timers.size], [0, 0])
  places.free()
  assert.equal(places.take(), true)
})
