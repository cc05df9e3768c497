// Where a runtime has no handle, or a socket has none any more, each question has an answer that changes nothing.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { PassThrough } from 'node:stream'
import { test } from 'node:test'
import { listenRaw } from 'test-support/sockets'
import { untyped } from 'test-support/untyped'
import {
  beneath,
  bytesTaken,
  canReadInto,
  dropReads,
  hasPeer,
  isReading,
  readAgain,
  readInto,
  stopReading,
  unsentBytes,
} from '../../src/node-internals/index.ts'
import { createHarness } from '../support/harness.ts'

const reader = { onBytes: (): boolean => assert.fail('nothing is read') }

test('a stream without a handle has no peer, has sent nothing and is not read', () => {
  const stream = new PassThrough()
  dropReads(stream)
  stopReading(stream)
  assert.deepEqual(
    [hasPeer(stream), unsentBytes(stream), bytesTaken(stream), isReading(stream), readAgain(stream)],
    [false, 0, undefined, undefined, false],
  )
  assert.equal(beneath(stream), undefined)
  assert.equal(canReadInto(untyped(stream)), false)
  assert.equal(
    readInto(untyped(stream), reader, () => Buffer.alloc(1)),
    false,
  )
})

test('an open socket has a peer and counts what the kernel has taken, and a closed one has no handle', async t => {
  const harness = createHarness(t)
  const { port, accept } = await listenRaw(harness)
  const client = harness.dial(port)
  const accepted = await accept()
  await new Promise(resolve => client.write('hello', resolve))
  assert.deepEqual([hasPeer(client), bytesTaken(client), unsentBytes(client)], [true, 5, 0])
  assert.equal(readAgain(client), false, 'libuv reads it anyway')
  accepted.destroy()
  await once(client.destroy(), 'close')
  assert.deepEqual([hasPeer(client), bytesTaken(client), unsentBytes(client)], [false, undefined, 0])
})
