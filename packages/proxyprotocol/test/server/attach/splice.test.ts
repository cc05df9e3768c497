// splice() at the moments that a whole front seldom meets.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import net from 'node:net'
import { test } from 'node:test'
import { content, listenRaw, outcome, text, until } from 'test-support/sockets'
import { splice } from '../../../src/server/attach/splice.ts'
import type { Connection } from '../../../src/server/index.ts'
import { V2 } from '../../support/headers.ts'
import { counted, over, createHarness, type Harness } from '../../support/harness.ts'

/** More than the kernel takes for a socket that is not read. */
const BIG = 32 << 20

for (const reads of [true, false, 'late'] as const) {
  test(`splice() gives an upstream a second for its last bytes, when the client has all and is gone: it ${reads ? `reads${reads === 'late' ? ' late' : ''}` : 'does not read'}`, async t => {
    const harness = createHarness(t)
    const { port, accept } = await listenRaw(harness)
    const served = await harness.serve(async connection => {
      const upstream = net.connect({ port, host: '127.0.0.1', allowHalfOpen: true })
      await once(upstream, 'connect')
      upstream.write(Buffer.alloc(BIG))
      await splice(connection, upstream)
    })
    const client = harness.dial(served.port)
    client.end(V2)
    const target = await accept()
    const seconds: (() => void)[] = []
    const { setTimeout: set } = globalThis
    t.mock.method(globalThis, 'setTimeout', (callback: () => void, wait: number) => {
      if (wait === 1_000) seconds.push(callback)
      return set(callback, wait === 1_000 ? 60_000 : wait)
    })
    target.end('answer')
    assert.equal(await text(client), 'answer')
    await until(() => seconds.length === 1)
    assert.equal(served.server.stats().active, 1)
    if (reads) {
      const received = content(target)
      if (reads === 'late') {
        await until(() => target.bytesRead > BIG / 2)
        seconds[0]?.() // what it has taken gives it another second
        assert.equal(seconds.length, 2)
      }
      assert.equal((await received).length, BIG)
    } else {
      seconds[0]?.()
      assert.ok((await outcome(target)).text.length < BIG) // Node 20 takes such a reset for a FIN
    }
    await over(served, 1)
    assert.deepEqual(counted(served), reads ? { done: 1 } : { half_close_timeout: 1 })
  })
}

/** A server that splices each connection after something has happened to it. */
async function spliceAfter(harness: Harness, before: (connection: Connection) => unknown) {
  const { port, accept } = await listenRaw(harness)
  const served = await harness.serve(async connection => {
    const upstream = net.connect({ port, host: '127.0.0.1', allowHalfOpen: true })
    await once(upstream, 'connect')
    await before(connection)
    await splice(connection, upstream)
  })
  return { served, accept }
}

test('splice() resets the upstream of a connection that was over before', async t => {
  const harness = createHarness(t)
  const { served, accept } = await spliceAfter(harness, connection => connection.abort())
  harness.dial(served.port).write(V2)
  assert.equal((await outcome(await accept())).end, 'ECONNRESET')
  await over(served, 1)
  assert.deepEqual(counted(served), { aborted: 1 })
})

test('splice() takes a FIN for one that had come before it', async t => {
  const harness = createHarness(t)
  const { served, accept } = await spliceAfter(harness, ({ socket }) => until(() => socket.readableEnded))
  const client = harness.dial(served.port)
  client.end(V2)
  const target = await accept()
  assert.equal((await content(target)).length, 0)
  target.end('answer')
  assert.equal(await text(client), 'answer')
  await over(served, 1)
  assert.deepEqual(counted(served), { done: 1 })
})
