// Handlers that fail on TLS (contract 7 on TLS).

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { test } from 'node:test'
import { certificate } from 'test-support/certificates'
import { listenRaw, outcome, turns } from 'test-support/sockets'
import type { Connection, Handler, ServerOptions } from '../../../src/server/index.ts'
import { dialSecure } from '../../support/secure.ts'
import { counted, over, createHarness, type Served, type Harness } from '../../support/harness.ts'
import { MIB, dialOpen, dialOver } from '../../support/secure-contract.ts'

const CONNECTIONS = 16

function serve(harness: Harness, handler: Handler, options: Partial<ServerOptions> = {}): Promise<Served> {
  return harness.serve(handler, { tls: certificate, ...options })
}

const faults: Readonly<Record<string, (connection: Connection, fault: Error) => unknown>> = {
  'throws synchronously': (_, fault) => {
    throw fault
  },
  'rejects at once': (_, fault) => Promise.reject(fault),
  'rejects later': async (_, fault) => {
    await turns()
    throw fault
  },
  'rejects in the midst of a stream': async ({ socket }, fault) => {
    socket.write('the first half')
    await turns()
    throw fault
  },
  'has written more than the peer takes, and rejects': async ({ socket }, fault) => {
    socket.write(Buffer.alloc(4 * MIB))
    await turns()
    throw fault
  },
  'destroys its socket with an error': ({ socket }, fault) => void socket.destroy(fault),
  'destroys its socket with an error and rejects later': async ({ socket }, fault) => {
    await once(socket.destroy(fault), 'close')
    throw new Error('not reported: the first error counts')
  },
  'runs a pipeline that fails at its source': ({ socket }, fault) => {
    const source = new Readable({ read: () => source.destroy(fault) })
    return pipeline(source, socket)
  },
  'runs a pipeline that fails in the midst of a stream': ({ socket }, fault) => {
    async function* source(): AsyncGenerator<string> {
      yield 'the first half'
      await turns()
      throw fault
    }
    return pipeline(source, socket)
  },
}

for (const [name, handler] of Object.entries(faults)) {
  test(`contract 7: a handler that ${name} resets, no client sees a clean end, and onError runs once`, async t => {
    const harness = createHarness(t)
    const served = await serve(harness, async connection => {
      await once(connection.socket, 'data') // the client has made its handshake
      await handler(connection, new Error('fault'))
    })
    const ends = Array.from({ length: CONNECTIONS }, async () => {
      const { secure } = dialSecure(harness, served.port)
      secure.write('go')
      return (await outcome(secure)).end
    })
    assert.deepEqual(new Set(await Promise.all(ends)), new Set(['ECONNRESET']))
    await over(served, CONNECTIONS)
    assert.deepEqual(counted(served), { handler_error: CONNECTIONS })
    const errors = served.errors.splice(0)
    assert.equal(new Set(errors.map(({ connection }) => connection)).size, CONNECTIONS)
    for (const { error } of errors) assert.equal((error as Error).message, 'fault')
    assert.equal(served.server.state, 'listening')
  })
}

test('contract 7: a handler that ended its side and fails at once is closed and counted, not left behind', async t => {
  const harness = createHarness(t)
  const served = await serve(harness, ({ socket }) => {
    socket.end('bye')
    throw new Error('fault')
  })
  const clients = Array.from({ length: CONNECTIONS }, () => dialSecure(harness, served.port).secure)
  await Promise.all(clients.map(secure => outcome(secure.once('end', () => secure.end()))))
  await over(served, CONNECTIONS)
  assert.deepEqual(counted(served), { handler_error: CONNECTIONS })
  assert.equal(served.errors.splice(0).length, CONNECTIONS)
})

test('contract 7: the reset of another stream that a pipeline passes on is the fault of the handler', async t => {
  const harness = createHarness(t)
  const upstream = await listenRaw(harness)
  const served = await serve(harness, async ({ socket }) => {
    await pipeline(harness.dial(upstream.port), socket)
  })
  const { secure } = await dialOpen(harness, served)
  const ended = outcome(secure)
  ;(await upstream.accept()).resetAndDestroy()
  assert.equal((await ended).end, 'ECONNRESET')
  await over(served, 1)
  assert.equal(served.errors.splice(0).length, 1)
  assert.deepEqual(counted(served), { handler_error: 1 })
})

test('contract 7: a reset of another stream, with which a handler destroys its socket, is the fault of the handler', async t => {
  const harness = createHarness(t)
  const fault = Object.assign(new Error('of another stream'), { code: 'ECONNRESET' })
  const served = await serve(harness, async ({ socket }) => {
    await once(socket, 'data')
    socket.destroy(fault)
  })
  const { secure } = await dialOver(harness, served)
  secure.write('go')
  assert.equal((await outcome(secure)).end, 'ECONNRESET')
  await over(served, 1)
  assert.deepEqual(
    served.errors.splice(0).map(({ error }) => error),
    [fault],
  )
  assert.deepEqual(counted(served), { handler_error: 1 })
})

test('contract 7: a loop that breaks off has closed its socket, which is not an error', async t => {
  const harness = createHarness(t)
  const served = await serve(harness, async ({ socket }) => {
    for await (const chunk of socket) if (String(chunk).includes('\n')) break
  })
  const { secure } = await dialOver(harness, served)
  secure.write('hello\n')
  const ended = outcome(secure.once('end', () => secure.end()))
  await over(served, 1)
  assert.equal((await ended).end, 'FIN')
  assert.deepEqual(counted(served), { done: 1 })
})
