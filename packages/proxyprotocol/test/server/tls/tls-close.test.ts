// Closing a server with TLS, and its counters (contract 16 to 18 and 23 on TLS).

import assert from 'node:assert/strict'

import { test } from 'node:test'
import { certificate } from 'test-support/certificates'
import { gate } from 'test-support/gate'
import { outcome, text, turns } from 'test-support/sockets'
import type { Handler, ServerOptions } from '../../../src/server/index.ts'
import { V2 } from '../../support/headers.ts'
import { dialSecure, type SecureClient } from '../../support/secure.ts'
import { counted, opened, over, createHarness, type Served, type Harness } from '../../support/harness.ts'
import { aborted, dialOpen, dialOver } from '../../support/secure-contract.ts'

const CONNECTIONS = 16

function serve(harness: Harness, handler: Handler, options: Partial<ServerOptions> = {}): Promise<Served> {
  return harness.serve(handler, { tls: certificate, ...options })
}

test('contract 16 and 18: close() waits for handlers on TLS, and resolves when the last is done', async t => {
  const harness = createHarness(t)
  const served = await serve(harness, async ({ socket }) => void socket.end(await text(socket)))
  const clients = [dialSecure(harness, served.port), dialSecure(harness, served.port)]
  const connections = await opened(served, 2)
  const closing = served.server.close()
  assert.deepEqual(
    connections.map(({ draining }) => draining),
    [true, true],
  )
  for (const { secure } of clients) {
    assert.deepEqual(await outcome(secure.end('hello')), { text: 'hello', end: 'FIN' })
  }
  assert.deepEqual(await closing, { drained: 2, forced: 0, stuck: [] })
  assert.deepEqual(counted(served), { done: 2 })
})

test('contract 17: at the deadline handlers are aborted with drain_deadline and TLS sockets are reset', async t => {
  const harness = createHarness(t)
  const served = await serve(harness, async connection => {
    connection.socket.write('the first half')
    assert.equal((await aborted(connection)).code, 'drain_deadline')
    connection.signal.throwIfAborted()
  })
  const { secure } = await dialOpen(harness, served)
  const ended = outcome(secure)
  assert.deepEqual(await served.server.close({ drain: 10 }), { drained: 0, forced: 1, stuck: [] })
  assert.equal((await ended).end, 'ECONNRESET')
  assert.deepEqual(counted(served), { drain_deadline: 1 })
})

test('contract 17: handlers that end their side in the moment of the deadline are closed and counted', async t => {
  const harness = createHarness(t)
  for (let wait = 0; wait < 4; wait++) {
    const go = gate()
    const served = await serve(harness, async ({ socket }) => {
      await go.promise
      socket.end('bye')
    })
    const clients = Array.from({ length: CONNECTIONS }, () => dialSecure(harness, served.port).secure)
    await opened(served, CONNECTIONS)
    const ends = clients.map(secure => outcome(secure.once('end', () => secure.end())))
    go.open()
    await turns(wait)
    const { drained, forced, stuck } = await served.server.abort()
    assert.deepEqual([drained + forced, stuck], [CONNECTIONS, []])
    await Promise.all(ends)
    await over(served, CONNECTIONS)
    assert.equal(served.server.stats().active, 0)
  }
})

test('contract 23: accepted is active and all of closed together, whatever becomes of TLS connections', async t => {
  const harness = createHarness(t)
  const served = await serve(harness, async ({ socket }) => {
    const request = await text(socket, 1)
    if (request === 'x') throw new Error('fault')
    await text(socket)
  })
  const ends: Promise<unknown>[] = []
  for (const act of [
    ({ secure }: SecureClient) => secure.end('a'),
    ({ secure }: SecureClient) => secure.write('x'),
    ({ secure, raw }: SecureClient) => secure.write('a', () => raw.resetAndDestroy()),
  ]) {
    const client = await dialOver(harness, served)
    ends.push(outcome(client.secure))
    act(client)
    counted(served)
  }
  await Promise.all(ends)
  await outcome(harness.dial(served.port).end(V2))
  await outcome(harness.dial(served.port).end(Buffer.concat([V2, Buffer.of(22)])))
  await over(served, 5)
  assert.deepEqual(counted(served), {
    ...{ done: 1, probe: 1, client_reset: 1, tls_client_error: 1, handler_error: 1 },
  })
  assert.equal(served.errors.splice(0).length, 1)
})
