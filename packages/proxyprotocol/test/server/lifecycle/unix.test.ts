// The contract of a handler on UNIX sockets, where it differs: they know no RST (contract 24).

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { test, type TestContext } from 'node:test'
import { certificate } from 'test-support/certificates'
import { outcome, text, turns } from 'test-support/sockets'
import { temporaryFolder } from 'test-support/folder'
import type { ProxyProtocolError } from '../../../src/codec/index.ts'
import {
  createServer,
  reset,
  type Connection,
  type Handler,
  type ProxyServer,
  type ServerOptions,
} from '../../../src/server/index.ts'
import { SOURCE, V2 } from '../../support/headers.ts'
import { dialSecure } from '../../support/secure.ts'
import { counted, opened, over, createHarness, type Harness } from '../../support/harness.ts'

interface OnPath {
  readonly harness: Harness
  readonly server: ProxyServer
  readonly path: string
  readonly errors: unknown[]
}

async function serve(
  t: TestContext,
  handler: Handler,
  options: Partial<ServerOptions> = {},
): Promise<OnPath> {
  const harness = createHarness(t)
  const folder = temporaryFolder(t)
  const errors: unknown[] = []
  const onError = (error: unknown): unknown => errors.push(error)
  const server = harness.watch(createServer({ trust: ['unix'], onError, ...options }, handler))
  const path = join(folder, 'socket')
  await server.listen(path)
  return { harness, server, path, errors }
}

async function untilAborted({ signal }: Connection): Promise<void> {
  if (!signal.aborted) await once(signal, 'abort')
}

const fault = new Error('fault')

const faults: Readonly<Record<string, Handler>> = {
  'throws synchronously': () => {
    throw fault
  },
  'rejects in the midst of a stream': async ({ socket }) => {
    socket.write('the first half')
    await turns()
    throw fault
  },
  'destroys its socket with an error': ({ socket }) => void socket.destroy(fault),
  'ended its side and throws at once': ({ socket }) => {
    socket.end('bye')
    throw fault
  },
  'runs a pipeline that fails at its source': ({ socket }) => {
    const source = new Readable({ read: () => source.destroy(fault) })
    return pipeline(source, socket)
  },
}

for (const [tls, name] of [
  [undefined, 'UNIX'],
  [certificate, 'TLS over UNIX'],
] as const) {
  for (const [what, handler] of Object.entries(faults)) {
    test(`contract 7: on ${name} the connection of a handler that ${what} is closed, and onError runs once`, async t => {
      const { harness, server, path, errors } = await serve(t, handler, { tls })
      const client = tls ? dialSecure(harness, path).secure : harness.dial(path)
      const ended = outcome(client.once('end', () => client.end()))
      if (!tls) client.write(V2)
      await ended
      await over({ server }, 1)
      assert.deepEqual(counted({ server }), { handler_error: 1 })
      assert.deepEqual(errors, [fault])
      assert.equal(server.state, 'listening')
    })
  }
}

test('contract 6: on UNIX a return ends gracefully, and what was written arrives', async t => {
  const { harness, server, path } = await serve(t, async ({ socket, info }) => {
    assert.deepEqual(info.source, SOURCE)
    socket.write(`got ${await text(socket)}`)
  })
  const client = harness.dial(path)
  client.write(V2)
  assert.deepEqual(await outcome(client.end('hello')), { text: 'got hello', end: 'FIN' })
  await over({ server }, 1)
  assert.deepEqual(counted({ server }), { done: 1 })
})

test('contract 10: on UNIX abort() and reset() close the socket', async t => {
  const seen: unknown[] = []
  const { harness, server, path } = await serve(t, async connection => {
    if (seen.length === 0) connection.abort('denied_acl')
    else reset(connection.socket)
    await untilAborted(connection)
    seen.push((connection.signal.reason as ProxyProtocolError).code)
  })
  for (let i = 1; i <= 2; i++) {
    const client = harness.dial(path)
    client.write(V2)
    const ended = outcome(client.once('end', () => client.end()))
    await over({ server }, i)
    assert.deepEqual(await ended, { text: '', end: 'FIN' })
  }
  assert.deepEqual(seen, ['denied_acl', 'done'])
  assert.deepEqual(counted({ server }), { denied_acl: 1, done: 1 })
})

test('contract 9: on UNIX a client that is gone is seen by who writes, as a reset', async t => {
  const { harness, server, path } = await serve(t, async connection => {
    await text(connection.socket)
    while (!connection.signal.aborted) {
      connection.socket.write('x')
      await turns(1)
    }
  })
  const client = harness.dial(path)
  client.write(V2)
  await opened({ server })
  client.destroy()
  await over({ server }, 1)
  assert.deepEqual(counted({ server }), { client_reset: 1 })
})

test('contract 17: on UNIX connections are closed at the deadline of a drain', async t => {
  const { harness, server, path } = await serve(t, untilAborted)
  const client = harness.dial(path)
  client.write(V2)
  await opened({ server })
  const ended = outcome(client.once('end', () => client.end()))
  assert.deepEqual(await server.close({ drain: 10 }), { drained: 0, forced: 1, stuck: [] })
  assert.equal((await ended).end, 'FIN')
  assert.deepEqual(counted({ server }), { drain_deadline: 1 })
})
