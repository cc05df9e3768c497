// The room of an upstream with a limit goes on to the next connection in the queue.

import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { ProxyProtocolError } from 'proxyprotocol'
import type { UpstreamRequest } from '../../../src/relay/upstreams/index.ts'
import { listen } from '../../support/connections.ts'
import { at, harness } from '../../support/upstream-pool.ts'

/** Two connections wait for the room of a third, which ends; resolves if the second of them gets it. */
async function passedOn(t: TestContext, request: Partial<UpstreamRequest>, code: string): Promise<void> {
  const far = await listen(t)
  const { pool, connect } = harness(t, [at(far.port, { maxConnections: 1 })], { now: () => 5 })
  const { socket } = await connect()
  const failing = assert.rejects(connect(request), { code })
  const served = connect()
  assert.equal(pool.snapshot().queued, 2)
  socket.destroy()
  await failing
  await served
}

test('a connection in the queue whose header cannot be made leaves the room to the next', async t => {
  const header = (): never => {
    throw new ProxyProtocolError('header_invalid')
  }
  await passedOn(t, { header }, 'header_invalid')
})

test('a connection in the queue whose time is over leaves the room to the next', async t => {
  await passedOn(t, { timeout: 0 }, 'connect_timeout')
})

test('a connection whose client is gone does not enter the queue', async t => {
  const far = await listen(t)
  const { pool, connect } = harness(t, [at(far.port, { maxConnections: 1 })])
  await connect()
  await assert.rejects(connect({ signal: AbortSignal.abort('gone') }), { code: 'aborted', cause: 'gone' })
  assert.equal(pool.snapshot().queued, 0)
})
