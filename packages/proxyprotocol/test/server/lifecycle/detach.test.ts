// A detached socket belongs to its new owner alone (contract 6).

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { pipeline } from 'node:stream/promises'
import { test } from 'node:test'
import { outcome, until } from 'test-support/sockets'
import type { ProxyProtocolError } from '../../../src/codec/index.ts'
import type { Connection } from '../../../src/server/index.ts'
import { V2 } from '../../support/headers.ts'
import { counted, opened, over, createHarness } from '../../support/harness.ts'
import { NOTHING, dialOpen } from '../../support/open-connections.ts'

async function untilAborted({ signal }: Connection): Promise<void> {
  if (!signal.aborted) await once(signal, 'abort')
}

test('contract 6: detach() hands the socket out, which survives the return and the server', async t => {
  const harness = createHarness(t)
  const served = await harness.serve(connection => {
    const socket = connection.detach()
    harness.defer(() => socket.destroy())
    void pipeline(socket, socket)
  })
  const client = harness.dial(served.port)
  const ended = outcome(client)
  client.write(V2)
  await over(served, 1)
  assert.deepEqual(counted(served), { done: 1 })
  assert.deepEqual(await served.server.close(), NOTHING)
  client.end('still here')
  assert.deepEqual(await ended, { text: 'still here', end: 'FIN' })
})

test('contract 6: a detached socket is not reset by an abort or a throw, and the throw is reported', async t => {
  const harness = createHarness(t)
  const fault = new Error('fault')
  const sockets: unknown[] = []
  const served = await harness.serve(async connection => {
    const { signal, socket } = connection
    assert.equal(connection.detach(), socket)
    sockets.push(socket)
    harness.defer(() => socket.destroy())
    if (sockets.length === 1) throw fault
    await untilAborted(connection)
    assert.equal((signal.reason as ProxyProtocolError).code, 'aborted')
    assert.equal(socket.destroyed, false)
    socket.end('bye')
  })
  const client = harness.dial(served.port)
  const firstEnded = outcome(client)
  client.write(V2)
  await over(served, 1)
  assert.deepEqual(
    served.errors.splice(0).map(({ error }) => error),
    [fault],
  )
  const second = dialOpen(harness, served)
  await opened(served)
  assert.deepEqual(await served.server.abort(), { drained: 0, forced: 1, stuck: [] })
  second.end()
  assert.deepEqual(await second.ended, { text: 'bye', end: 'FIN' })
  assert.equal(client.destroyed, false)
  client.destroy()
  assert.equal((await firstEnded).end, 'closed')
})

test('contract 6: an error of a detached socket is for its owner alone', async t => {
  const harness = createHarness(t)
  const fault = new Error('fault')
  const seen: unknown[] = []
  const served = await harness.serve(async connection => {
    const socket = connection.detach()
    seen.push(socket.listenerCount('error'))
    socket.on('error', error => seen.push(error)).destroy(fault)
    await once(connection.signal, 'abort')
    seen.push((connection.signal.reason as ProxyProtocolError).code)
  })
  const client = dialOpen(harness, served)
  await over(served, 1)
  assert.deepEqual(seen, [0, fault, 'done'])
  assert.deepEqual(counted(served), { done: 1 })
  assert.equal((await client.ended).end, 'ECONNRESET')
})

test('contract 6: detach() is refused before the header and after the return', async t => {
  const harness = createHarness(t)
  const served = await harness.serve(() => {})
  const client = harness.dial(served.port)
  await until(() => served.server.connections.size === 1)
  const [connection] = served.server.connections
  const message = (state: string): object => ({
    message: `detach() needs an open connection, this one is ${state}`,
  })
  assert.throws(() => connection?.detach(), message('header'))
  client.write(V2)
  await once(client.resume(), 'end')
  assert.throws(() => connection?.detach(), message('closing'))
  client.end()
  await over(served, 1)
  assert.throws(() => connection?.detach(), message('closed'))
})
