// When a handler's signal aborts, with which reason, and what a throw means from then on (contract 9 to 11).

import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { Socket } from 'node:net'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { outcome, turns } from 'test-support/sockets'
import { ProxyProtocolError } from '../../../src/codec/index.ts'
import type { Connection } from '../../../src/server/index.ts'
import { V2 } from '../../support/headers.ts'
import { counted, opened, over, readToEnd, createHarness, type Harness } from '../../support/harness.ts'
import { dialEnded } from '../../support/open-connections.ts'

const FAR_AWAY = 60_000

async function aborted({ signal }: Connection): Promise<ProxyProtocolError> {
  if (!signal.aborted) await once(signal, 'abort')
  assert.ok(signal.reason instanceof ProxyProtocolError)
  return signal.reason
}

function dialTwo(harness: Harness, port: number): readonly Socket[] {
  const clients = [harness.dial(port), harness.dial(port)]
  for (const client of clients) client.write(V2)
  return clients
}

test('contract 11: the signal is the same each time, and aborted already where it is asked for too late', async t => {
  const harness = createHarness(t)
  const served = await harness.serve(readToEnd)
  const clients = dialTwo(harness, served.port)
  const [asked, late] = await opened(served, 2)
  assert.ok(asked && late)
  const { signal } = asked
  assert.deepEqual([signal.aborted, signal === asked.signal], [false, true])
  for (const client of clients) client.resetAndDestroy()
  await over(served, 2)
  for (const connection of [asked, late]) {
    assert.equal((connection.signal.reason as ProxyProtocolError).code, 'client_reset')
    assert.equal(connection.signal, connection.signal)
  }
  assert.equal(asked.signal, signal)
  assert.deepEqual(counted(served), { client_reset: 2 })
})

test('contract 9: a reset by the peer aborts with client_reset, and a throw after it is not an error', async t => {
  const harness = createHarness(t)
  const seen: unknown[] = []
  const served = await harness.serve(async connection => {
    const { code, cause } = await aborted(connection)
    seen.push(code, (cause as NodeJS.ErrnoException).code, connection.reason, connection.state)
    throw new Error('no error any more')
  })
  const client = harness.dial(served.port)
  client.write(V2)
  await opened(served)
  client.resetAndDestroy()
  await over(served, 1)
  assert.deepEqual(seen, ['client_reset', 'ECONNRESET', 'client_reset', 'closing'])
  assert.deepEqual(counted(served), { client_reset: 1 })
})

test('contract 9: a reset while the handler reads makes it throw, which is not an error', async t => {
  const harness = createHarness(t)
  const served = await harness.serve(readToEnd)
  const client = harness.dial(served.port)
  client.write(V2)
  await opened(served)
  client.resetAndDestroy()
  await over(served, 1)
  assert.deepEqual(counted(served), { client_reset: 1 })
})

test('contract 9: a reset while the connection waits for the FIN of its peer is counted, and no error', async t => {
  const harness = createHarness(t)
  const served = await harness.serve(() => {})
  const client = await dialEnded(harness, served)
  client.resetAndDestroy()
  await over(served, 1)
  assert.deepEqual(counted(served), { client_reset: 1 })
})

for (const [name, reason, code, count] of [
  ['without a reason', undefined, 'aborted', 'aborted'],
  ['with a reason', 'denied_acl', 'denied_acl', 'denied_acl'],
  ['with an error', new ProxyProtocolError('upstream_reset'), 'upstream_reset', 'upstream_reset'],
  [
    'with a fault in bytes',
    new ProxyProtocolError('checksum_mismatch'),
    'checksum_mismatch',
    'header_invalid',
  ],
] as const) {
  test(`contract 10: abort() ${name} resets, and a throw after it is not an error`, async t => {
    const harness = createHarness(t)
    const seen: unknown[] = []
    const served = await harness.serve(async connection => {
      connection.abort(reason)
      connection.abort('idle_timeout') // the first reason counts
      const error = await aborted(connection)
      seen.push(error.code, connection.reason)
      if (typeof reason === 'object') assert.equal(error, reason)
      throw new Error('no error any more')
    })
    const client = harness.dial(served.port)
    client.write(V2)
    assert.equal((await outcome(client)).end, 'ECONNRESET')
    await over(served, 1)
    assert.deepEqual(seen, [code, count])
    assert.deepEqual(counted(served), { [count]: 1 })
  })
}

test('contract 10: abort() after the end changes nothing', async t => {
  const harness = createHarness(t)
  let connection: Connection | undefined
  const served = await harness.serve(given => readToEnd((connection = given)))
  await outcome(harness.dial(served.port).end(V2))
  await over(served, 1)
  connection?.abort()
  assert.equal(connection?.reason, undefined)
  assert.deepEqual(counted(served), { done: 1 })
})

const ways: Readonly<Record<string, (connection: Connection) => Promise<unknown>>> = {
  'throws its reason': async connection => {
    await aborted(connection)
    connection.signal.throwIfAborted()
  },
  'gave it to a timer': ({ signal }) => delay(FAR_AWAY, undefined, { signal }),
  'gave it to once()': ({ signal, socket }) => once(socket, 'never', { signal }),
  'gave it to fetch(), so to say': ({ signal }) =>
    new Promise((_, reject) => {
      signal.addEventListener('abort', () => {
        reject(signal.reason as Error)
      })
    }),
}

for (const [name, way] of Object.entries(ways)) {
  test(`contract 10: the signal aborts with done when the socket has closed; a handler that ${name} made no error`, async t => {
    const harness = createHarness(t)
    const served = await harness.serve(async connection => {
      connection.socket.end('bye')
      connection.socket.resume()
      await way(connection)
      assert.fail('it went on')
    })
    const client = harness.dial(served.port)
    client.write(V2)
    const [connection] = await opened(served)
    assert.deepEqual(await outcome(client.end()), { text: 'bye', end: 'FIN' })
    await over(served, 1)
    assert.equal((connection?.signal.reason as ProxyProtocolError).code, 'done')
    assert.equal(connection?.reason, undefined)
    assert.deepEqual(counted(served), { done: 1 })
  })
}

test('contract 10: another error after the socket has closed in order is an error', async t => {
  const harness = createHarness(t)
  const fault = new Error('fault', { cause: new Error('something else') })
  const served = await harness.serve(async ({ socket }) => {
    socket.end()
    await once(socket.resume(), 'close')
    await turns()
    throw fault
  })
  const client = harness.dial(served.port).end(V2)
  const [connection] = await opened(served)
  await outcome(client)
  await over(served, 1)
  assert.equal(connection?.reason, 'handler_error')
  assert.equal(
    (connection.signal.reason as ProxyProtocolError).code,
    'done',
    'what would have aborted it first',
  )
  assert.deepEqual(
    served.errors.splice(0).map(({ error }) => error),
    [fault],
  )
  assert.deepEqual(counted(served), { handler_error: 1 })
})

test("contract 10: who waits for 'close' with the signal sees the ordinary end", async t => {
  const harness = createHarness(t)
  const steps: string[] = []
  const served = await harness.serve(async ({ socket, signal }) => {
    signal.addEventListener('abort', () => steps.push('abort'))
    socket.pipe(socket)
    await once(socket, 'close', { signal })
    steps.push('close')
  })
  const client = harness.dial(served.port).end(Buffer.concat([V2, Buffer.from('hello')]))
  assert.deepEqual(await outcome(client), { text: 'hello', end: 'FIN' })
  await over(served, 1)
  assert.deepEqual(steps, ['abort', 'close'])
  assert.deepEqual(counted(served), { done: 1 })
})

test('contract 10: the return of the handler is not an abort, nor is the end that follows', async t => {
  const harness = createHarness(t)
  const signals: AbortSignal[] = []
  const served = await harness.serve(({ signal }) => void signals.push(signal))
  await outcome(harness.dial(served.port).end(V2))
  await over(served, 1)
  await turns()
  assert.deepEqual(
    signals.map(({ aborted }) => aborted),
    [false],
  )
})

test('contract 9: the socket has a listener for errors in every state, so that none is thrown', async t => {
  const harness = createHarness(t)
  const served = await harness.serve(readToEnd)
  const client = harness.dial(served.port)
  client.write(V2)
  const [connection] = await opened(served)
  client.end()
  await over(served, 1)
  assert.ok(connection && connection.socket.listenerCount('error') > 0)
  connection.socket.emit('error', new Error('late'))
  assert.deepEqual(counted(served), { done: 1 })
})

test('each connection has an id of its own, and an age that grows', async t => {
  const harness = createHarness(t)
  const served = await harness.serve(readToEnd)
  const clients = dialTwo(harness, served.port)
  const [one, two] = await opened(served, 2)
  assert.ok(one && two && one.id !== two.id)
  assert.match(one.id, /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/)
  const { age } = one
  await turns()
  assert.ok(age > 0 && one.age > age)
  for (const client of clients) client.end()
})
