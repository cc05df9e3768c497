// Resets, broken records and aborts on TLS (contract 9 and 10 on TLS).

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { certificate } from 'test-support/certificates'
import { outcome } from 'test-support/sockets'
import { errorMessages, type ProxyProtocolError } from '../../../src/codec/index.ts'
import type { Connection, Handler, ServerOptions } from '../../../src/server/index.ts'
import type { SecureClient } from '../../support/secure.ts'
import { counted, over, readToEnd, createHarness, type Served, type Harness } from '../../support/harness.ts'
import { MIB, aborted, dialOpen, dialOver } from '../../support/secure-contract.ts'

function serve(harness: Harness, handler: Handler, options: Partial<ServerOptions> = {}): Promise<Served> {
  return harness.serve(handler, { tls: certificate, ...options })
}

const resets: Readonly<Record<string, (client: SecureClient) => unknown>> = {
  'of an idle connection': ({ raw }) => raw.resetAndDestroy(),
  'together with data': ({ secure, raw }) => secure.write('hello', () => raw.resetAndDestroy()),
  'together with much data': ({ secure, raw }) => {
    secure.write(Buffer.alloc(MIB))
    raw.resetAndDestroy()
  },
}

const waits: Readonly<Record<string, (connection: Connection) => Promise<unknown>>> = {
  'that waits': aborted,
  'that reads': connection => Promise.all([aborted(connection), readToEnd(connection)]),
  'that lets it flow': connection => {
    connection.socket.resume()
    return aborted(connection)
  },
}

for (const [how, reset] of Object.entries(resets)) {
  for (const [name, wait] of Object.entries(waits)) {
    // Who does not read does not see an RST behind more data than the socket takes.
    if (how.endsWith('much data') && name === 'that waits') continue
    test(`contract 9: a reset by the client ${how} aborts a handler ${name} with client_reset, and is not an error`, async t => {
      const harness = createHarness(t)
      const seen: unknown[] = []
      const served = await serve(harness, async connection => {
        const { signal } = connection
        signal.addEventListener('abort', () => seen.push((signal.reason as ProxyProtocolError).code))
        await wait(connection)
        throw new Error('no error any more')
      })
      for (let i = 1; i <= 5; i++) {
        reset(await dialOpen(harness, served))
        await over(served, i)
      }
      assert.deepEqual(seen, Array.from({ length: 5 }).fill('client_reset'))
      assert.deepEqual(counted(served), { client_reset: 5 })
    })
  }
}

test('contract 9: a reset while the connection waits for the FIN of its peer is counted, and no error', async t => {
  const harness = createHarness(t)
  const served = await serve(harness, () => {})
  const { secure, raw } = await dialOver(harness, served)
  await once(secure.resume(), 'end')
  raw.resetAndDestroy()
  await over(served, 1)
  assert.deepEqual(counted(served), { client_reset: 1 })
})

test('contract 9: a record that is broken aborts with tls_client_error, and is not an error of the handler', async t => {
  const harness = createHarness(t)
  const seen: unknown[] = []
  const served = await serve(harness, async connection => {
    const { code, cause } = await aborted(connection)
    seen.push(code, String((cause as NodeJS.ErrnoException).code).slice(0, 8))
    throw new Error('no error any more')
  })
  const { secure, raw, connection } = await dialOpen(harness, served)
  connection.socket.resume()
  const ended = outcome(secure)
  raw.write('GET / HTTP/1.1\r\n\r\n') // past TLS
  await over(served, 1)
  assert.deepEqual(seen, ['tls_client_error', 'ERR_SSL_'])
  assert.deepEqual(counted(served), { tls_client_error: 1 })
  secure.destroy()
  await ended
})

test('contract 9: a reset gives no more than its code, and a record that is broken what was wrong with it', async t => {
  const harness = createHarness(t)
  const reasons: ProxyProtocolError[] = []
  const served = await serve(harness, async connection => void reasons.push(await aborted(connection)))
  for (const act of [
    ({ raw }: SecureClient) => raw.resetAndDestroy(),
    ({ raw }: SecureClient) => raw.write('GET / HTTP/1.1\r\n\r\n'), // past TLS
  ]) {
    const { connection, ...client } = await dialOpen(harness, served)
    connection.socket.resume()
    act(client)
    await over(served, reasons.length + 1)
    client.secure.destroy()
  }
  const [reset, broken] = reasons as [ProxyProtocolError, ProxyProtocolError]
  assert.equal(reset.message, errorMessages.client_reset)
  assert.equal(broken.message, `${errorMessages.tls_client_error}: ${(broken.cause as Error).message}`)
  for (const { cause } of reasons) assert.ok(cause instanceof Error)
})

test('contract 9: the TLS socket has a listener for errors in every state, so that none is thrown', async t => {
  const harness = createHarness(t)
  const served = await serve(harness, readToEnd)
  const { secure, connection } = await dialOpen(harness, served)
  await outcome(secure.end())
  await over(served, 1)
  assert.ok(connection.socket.listenerCount('error') > 0)
  connection.socket.emit('error', new Error('late'))
  assert.deepEqual(counted(served), { done: 1 })
})

test('contract 10: abort() resets, and a throw after it is not an error', async t => {
  const harness = createHarness(t)
  const served = await serve(harness, async connection => {
    const { code } = await aborted(connection)
    assert.equal(code, 'denied_acl')
    throw new Error('no error any more')
  })
  const { secure, connection } = await dialOpen(harness, served)
  const ended = outcome(secure)
  connection.socket.write('the first half')
  connection.abort('denied_acl')
  assert.equal((await ended).end, 'ECONNRESET')
  await over(served, 1)
  assert.deepEqual(counted(served), { denied_acl: 1 })
})

test('contract 10: the signal aborts with done when the socket has closed in order', async t => {
  const harness = createHarness(t)
  const served = await serve(harness, async connection => {
    connection.socket.end('bye')
    connection.socket.resume()
    await aborted(connection)
    connection.signal.throwIfAborted()
  })
  const { secure, connection } = await dialOpen(harness, served)
  assert.deepEqual(await outcome(secure.end()), { text: 'bye', end: 'FIN' })
  await over(served, 1)
  assert.equal((connection.signal.reason as ProxyProtocolError).code, 'done')
  assert.deepEqual(counted(served), { done: 1 })
})
