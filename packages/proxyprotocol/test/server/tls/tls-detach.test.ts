// A detached TLS socket belongs to its new owner alone (contract 6 on TLS).

import assert from 'node:assert/strict'

import { pipeline } from 'node:stream/promises'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { certificate } from 'test-support/certificates'
import { outcome } from 'test-support/sockets'
import type { Handler, ServerOptions } from '../../../src/server/index.ts'
import { dialSecure } from '../../support/secure.ts'
import { counted, over, createHarness, type Served, type Harness } from '../../support/harness.ts'
import { MIB, aborted, dialOpen, dialOver } from '../../support/secure-contract.ts'

function serve(harness: Harness, handler: Handler, options: Partial<ServerOptions> = {}): Promise<Served> {
  return harness.serve(handler, { tls: certificate, ...options })
}

test('contract 6: detach() hands the TLS socket out, which survives the return and the server', async t => {
  const harness = createHarness(t)
  const served = await serve(harness, connection => {
    const socket = connection.detach()
    assert.equal(socket, connection.tls)
    harness.defer(() => socket.destroy())
    void pipeline(socket, socket)
  })
  const { secure } = await dialOver(harness, served)
  const ended = outcome(secure)
  await over(served, 1)
  assert.deepEqual(counted(served), { done: 1 })
  await served.server.close()
  secure.end('still here')
  assert.deepEqual(await ended, { text: 'still here', end: 'FIN' })
})

test('contract 6: a reset of a detached TLS socket is for its owner alone', async t => {
  const harness = createHarness(t)
  const seen: unknown[] = []
  const served = await serve(harness, async connection => {
    connection
      .detach()
      .on('error', () => {})
      .resume()
    seen.push((await aborted(connection)).code)
  })
  for (let i = 1; i <= 5; i++) {
    const { secure, raw } = await dialOpen(harness, served)
    secure.write(Buffer.alloc(MIB)) // so that the socket below TLS comes to the reset first
    raw.resetAndDestroy()
    await over(served, i)
  }
  assert.deepEqual(new Set(seen), new Set(['done']))
  assert.deepEqual(counted(served), { done: 5 })
})

test('contract 6: a detached TLS socket is not reset by a throw, which is reported', async t => {
  const harness = createHarness(t)
  const served = await serve(harness, async connection => {
    const socket = connection.detach()
    harness.defer(() => socket.destroy())
    await turn()
    socket.end('bye')
    throw new Error('fault')
  })
  const { secure } = dialSecure(harness, served.port)
  assert.deepEqual(await outcome(secure.once('end', () => secure.end())), { text: 'bye', end: 'FIN' })
  assert.equal(served.errors.splice(0).length, 1)
})
