// What onError is given, and what happens when it fails itself (contract 7 and 8).

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { pipeline } from 'node:stream/promises'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { inspect } from 'node:util'
import { listenRaw, outcome } from 'test-support/sockets'
import type { ServerOptions } from '../../../src/server/index.ts'
import { V2 } from '../../support/headers.ts'
import { counted, over, createHarness, type Harness, type Served } from '../../support/harness.ts'

/** What onError gets from the one connection, whose client sees a reset. */
async function errorsOf(harness: Harness, served: Served): Promise<readonly unknown[]> {
  const client = harness.dial(served.port)
  client.write(V2)
  assert.equal((await outcome(client)).end, 'ECONNRESET')
  await over(served, 1)
  assert.deepEqual(counted(served), { handler_error: 1 })
  return served.errors.splice(0).map(({ error }) => error)
}

const CONNECTIONS = 48

const unfit: readonly (readonly [name: string, onError: ServerOptions['onError'], RegExp])[] = [
  ['absent', undefined, /^a connection failed without an onError: Error: fault/],
  [
    'throwing',
    () => {
      throw new Error('worse')
    },
    /^a connection failed and so did onError, with Error: worse[^]*: Error: fault/,
  ],
  [
    'rejecting',
    () => Promise.reject(new Error('worse')),
    /^a connection failed and so did onError, with Error: worse[^]*: Error: fault/,
  ],
]

for (const [name, onError, message] of unfit) {
  test(`contract 8: with onError ${name} each fault is one process warning and nothing else`, async t => {
    const harness = createHarness(t)
    const served = await harness.serve(failing, { onError })
    const clients = Array.from({ length: CONNECTIONS }, () => harness.dial(served.port).end(V2))
    for (const { end } of await Promise.all(clients.map(outcome))) assert.equal(end, 'ECONNRESET')
    await over(served, CONNECTIONS)
    const warnings = await harness.warnings()
    assert.equal(warnings.length, CONNECTIONS)
    for (const warning of warnings) {
      assert.equal(warning.name, 'ProxyProtocolWarning')
      assert.equal((warning as NodeJS.ErrnoException).code, 'handler_error')
      assert.match(warning.message, message)
    }
    assert.deepEqual(counted(served), { handler_error: CONNECTIONS })
  })
}

async function failing(): Promise<void> {
  await turn()
  throw new Error('fault')
}

test('contract 8: a fault that throws when it is looked at is a warning too', async t => {
  const harness = createHarness(t)
  const served = await harness.serve(
    () => {
      throw Object.assign(new Error('fault'), {
        [inspect.custom]: () => {
          throw new Error('do not look')
        },
      })
    },
    { onError: undefined },
  )
  const client = harness.dial(served.port)
  client.write(V2)
  await outcome(client)
  const [warning, ...more] = await harness.warnings()
  assert.equal(warning?.message, 'a connection failed without an onError: a value that cannot be shown')
  assert.deepEqual(more, [])
})

test('contract 8: an onError that does not settle is not awaited', async t => {
  const harness = createHarness(t)
  const { server, port } = await harness.serve(failing, { onError: () => new Promise(() => {}) })
  const client = harness.dial(port)
  client.write(V2)
  await outcome(client)
  await over({ server }, 1)
  assert.deepEqual(await server.close(), { drained: 0, forced: 0, stuck: [] })
})

test('contract 7: a handler that destroys its socket with what is not an error resets it, and onError hears of it', async t => {
  const harness = createHarness(t)
  const served = await harness.serve(async ({ socket }) => {
    await once(socket.destroy('text' as never), 'close')
  })
  assert.deepEqual(await errorsOf(harness, served), ['text'])
})

test('contract 7: the reset of another stream that a pipeline passes on is the fault of the handler', async t => {
  const harness = createHarness(t)
  const upstream = await listenRaw(harness)
  const served = await harness.serve(async ({ socket }) => {
    await pipeline(harness.dial(upstream.port), socket)
  })
  const errors = errorsOf(harness, served)
  ;(await upstream.accept()).resetAndDestroy()
  assert.deepEqual(
    (await errors).map(error => (error as NodeJS.ErrnoException).code),
    ['ECONNRESET'],
  )
})

test("contract 7: a handler that destroys its socket with an abort's reason resets it, and onError hears of it", async t => {
  const harness = createHarness(t)
  const reason = AbortSignal.abort().reason as Error
  const served = await harness.serve(async ({ socket }) => {
    await once(socket.destroy(reason), 'close')
  })
  assert.deepEqual(await errorsOf(harness, served), [reason])
})

for (const code of ['ECONNRESET', 'ERR_SSL_WRONG_VERSION_NUMBER']) {
  test(`contract 7: ${code} of another stream, with which a handler destroys its socket, is the fault of the handler`, async t => {
    const harness = createHarness(t)
    const fault = Object.assign(new Error('of another stream'), { code })
    const served = await harness.serve(({ socket }) => void socket.destroy(fault))
    assert.deepEqual(await errorsOf(harness, served), [fault])
  })
}
