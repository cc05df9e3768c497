// A client that leaves before any byte of either side, on a service that waits for neither a header nor TLS.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { Socket } from 'node:net'
import { test, type TestContext } from 'node:test'
import type { CloseReason } from 'proxyprotocol/server'
import { closedPort, until } from 'test-support/sockets'
import { chunk, dial, listen, outcome } from '../support/connections.ts'
import { startRelay } from '../support/relay.ts'

type Visit = (client: Socket, upstream: Socket) => unknown

async function assertReason(t: TestContext, expected: CloseReason, visit: Visit): Promise<void> {
  const upstream = await listen(t)
  const relay = await startRelay(t, `127.0.0.1:${upstream.port}?pp=noop`)
  const client = dial(t, relay.port)
  await visit(client, await upstream.accept())
  assert.equal((await relay.record()).reason, expected)
  await until(() => relay.server.stats().closed[expected] === 1)
}

test('a client that ends without a byte is a probe', async t => {
  await assertReason(t, 'probe', async (client, upstream) => {
    client.end()
    assert.deepEqual(await outcome(upstream), { bytes: Buffer.alloc(0), fin: true, error: undefined })
  })
})

test('a client that resets without a byte is a probe, and the upstream sees a reset', async t => {
  await assertReason(t, 'probe', async (client, upstream) => {
    client.resetAndDestroy()
    assert.equal((await outcome(upstream)).error, 'ECONNRESET')
  })
})

test('a client that leaves after its own byte or one of the upstream is no probe', async t => {
  await assertReason(t, 'done', (client, upstream) => {
    client.end('x')
    return outcome(upstream)
  })
  await assertReason(t, 'done', async (client, upstream) => {
    upstream.write('220 ready')
    await chunk(client)
    client.resume().end()
    await outcome(upstream)
  })
  await assertReason(t, 'client_reset', async (client, upstream) => {
    upstream.write('220 ready')
    await chunk(client)
    client.resetAndDestroy()
  })
})

test('a client that follows an upstream that ended without a byte is no probe', async t => {
  for (const [reason, leave] of [
    ['done', (client: Socket) => client.end()],
    ['client_reset', (client: Socket) => client.resetAndDestroy()],
  ] as const) {
    await assertReason(t, reason, async (client, upstream) => {
      upstream.resume().end()
      await once(client.resume(), 'end')
      leave(client)
    })
  }
})

test('an upstream that fails is the reason, also if the client leaves without a byte', async t => {
  const relay = await startRelay(t, `127.0.0.1:${await closedPort()}?pp=noop`)
  dial(t, relay.port).end()
  assert.equal((await relay.record()).reason, 'connect_refused')
})
