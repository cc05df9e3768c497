// What every conversation has in common: its deadline, its bounds, and how it ends.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { conversation } from '../../../support/conversation.ts'

const redis = { type: 'redis' } as const

test('an upstream that stays silent fails its check at the timeout', async t => {
  const { fault, socket } = await conversation(t, { ...redis, timeout: 20 }, () => undefined)
  assert.equal(fault, 'expected +PONG, got no answer within 20 ms')
  assert.ok(socket.destroyed)
})

test('an upstream that closes early fails its check, and the message shows what it had said', async t => {
  const silent = await conversation(t, redis, socket => socket.end())
  assert.equal(silent.fault, 'expected +PONG, got the end of the connection')
  const begun = await conversation(t, redis, socket => socket.end('+PO'))
  assert.equal(begun.fault, 'expected +PONG, got the end of the connection after "+PO"')
})

test('an upstream that resets fails its check', async t => {
  const { fault } = await conversation(t, redis, socket => socket.resetAndDestroy())
  assert.match(String(fault), /^expected \+PONG, got an error, (read|write) (ECONNRESET|EPIPE)$/)
})

test('an answer that is too long fails the check before it is complete', async t => {
  const { fault } = await conversation(t, redis, socket => socket.write('x'.repeat(20_000)))
  assert.equal(fault, `expected +PONG, got more than 16384 bytes: "${'x'.repeat(80)}..."`)
})

test('an answer in pieces is put together', async t => {
  const { fault } = await conversation(t, redis, socket => {
    socket.write('+PO', () => socket.write('NG\r\n'))
  })
  assert.equal(fault, undefined)
})

test('a check that only connects has no conversation', async t => {
  for (const type of ['tcp', 'tls'] as const) {
    const { heard, fault, socket } = await conversation(t, { type }, () => undefined)
    assert.deepEqual([heard(), fault, socket.destroyed], ['', undefined, false])
  }
})
