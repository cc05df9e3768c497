// The tunnel alone between two pairs of sockets, at the moments that a whole relay seldom meets.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { Socket } from 'node:net'
import { test, type TestContext } from 'node:test'
import { reset } from 'proxyprotocol/server'
import { content, until } from 'test-support/sockets'
import type { Traffic } from '../../../src/relay/tunnel/direction.ts'
import { tunnel } from '../../../src/relay/tunnel/tunnel.ts'
import { chunk, fill, MEBIBYTE, outcome, pair, random } from '../../support/connections.ts'

/** More than the kernel takes for a socket that is not read. */
const BIG = 32 * MEBIBYTE

/** Milliseconds that no test waits for. */
const halfClose = 60_000
const keepAlive = 60_000

interface Ends {
  /** At the far end of the downstream socket. */
  readonly client: Socket
  readonly downstream: Socket
  readonly upstream: Socket
  /** At the far end of the upstream socket. */
  readonly server: Socket
}

async function ends(t: TestContext): Promise<Ends> {
  const [client, downstream] = await pair(t)
  const [upstream, server] = await pair(t)
  return { client, downstream, upstream, server }
}

function noTraffic(): Traffic {
  return { bytesUp: 0, bytesDown: 0 }
}

test('tunnel() counts both directions and resolves when both sockets are closed', async t => {
  const { client, downstream, upstream, server } = await ends(t)
  const traffic = noTraffic()
  const done = tunnel(downstream, upstream, { traffic, halfClose, keepAlive })
  client.end('four')
  server.end('three')
  assert.equal((await content(server)).toString(), 'four')
  assert.equal((await content(client)).toString(), 'three')
  await done
  assert.deepEqual([traffic.bytesUp, traffic.bytesDown], [4, 5])
  assert.deepEqual([downstream.closed, upstream.closed], [true, true])
})

test('tunnel() passes on FINs that had come before it', async t => {
  const { client, downstream, upstream, server } = await ends(t)
  client.end()
  server.end()
  await until(() => downstream.readableEnded && upstream.readableEnded)
  const received = [content(client), content(server)]
  await tunnel(downstream, upstream, { traffic: noTraffic(), halfClose, keepAlive })
  for (const bytes of await Promise.all(received)) assert.equal(bytes.length, 0)
})

test('tunnel() resets the upstream when the downstream was closed before it', async t => {
  const { downstream, upstream, server } = await ends(t)
  downstream.destroy()
  await once(downstream, 'close')
  const cut = outcome(server)
  await tunnel(downstream, upstream, { traffic: noTraffic(), halfClose, keepAlive })
  assert.equal((await cut).error, 'ECONNRESET')
})

test('tunnel() resets the upstream when the downstream is destroyed on this side', async t => {
  const { client, downstream, upstream, server } = await ends(t)
  const done = tunnel(downstream, upstream, { traffic: noTraffic(), halfClose, keepAlive })
  client.write('begun')
  await chunk(server)
  const cut = outcome(server)
  downstream.destroy()
  await done
  assert.equal((await cut).error, 'ECONNRESET')
})

/** A tunnel whose client sends more than the upstream takes. */
async function stalled(t: TestContext) {
  const { client, downstream, upstream, server } = await ends(t)
  const done = tunnel(downstream, upstream, { traffic: noTraffic(), halfClose, keepAlive })
  client.write(random(BIG))
  await once(downstream, 'pause')
  return { downstream, server, done }
}

test('tunnel() rejects when the upstream fails while the downstream stands still', async t => {
  const { downstream, server, done } = await stalled(t)
  server.resetAndDestroy()
  await assert.rejects(done, { name: 'ProxyProtocolError', code: 'upstream_reset' })
  assert.equal(downstream.destroyed, false, "the downstream is the caller's")
})

test('tunnel() rejects when the upstream closes both ways while the client still sends', async t => {
  const { server, done } = await stalled(t)
  server.destroy()
  await assert.rejects(done, { code: 'upstream_reset' })
})

test('tunnel() keeps sending up what the client sends after the upstream ended its own side', async t => {
  const { client, downstream, upstream, server } = await ends(t)
  const traffic = noTraffic()
  const done = tunnel(downstream, upstream, { traffic, halfClose, keepAlive })
  const payload = random(BIG)
  server.end('early')
  assert.equal((await content(client)).toString(), 'early')
  client.end(payload)
  assert.ok((await content(server)).equals(payload))
  await done
  assert.deepEqual([traffic.bytesUp, traffic.bytesDown], [BIG, 'early'.length])
})

test('tunnel() reads nothing from a downstream whose upstream is full already', async t => {
  const { client, downstream, upstream, server } = await ends(t)
  const before = random(BIG)
  upstream.write(before)
  const done = tunnel(downstream, upstream, { traffic: noTraffic(), halfClose, keepAlive })
  client.end('after')
  assert.equal(downstream.isPaused(), true)
  const received = await content(server)
  assert.ok(received.subarray(0, BIG).equals(before))
  assert.equal(received.subarray(BIG).toString(), 'after')
  server.end()
  client.resume()
  await done
})

/** A tunnel whose upstream is full, behind a downstream that has ended and closed. */
async function endedBehind(t: TestContext): Promise<Ends & { readonly done: Promise<void> }> {
  const all = await ends(t)
  const { client, downstream, upstream, server } = all
  await fill(upstream)
  const done = tunnel(downstream, upstream, { traffic: noTraffic(), halfClose, keepAlive })
  server.end()
  client.end('the last')
  client.resume()
  await once(downstream, 'close')
  return { ...all, done }
}

test('tunnel() gives up on an upstream that takes nothing for too long after the downstream has ended', async t => {
  const { done, upstream } = await endedBehind(t)
  assert.ok(upstream.writableLength > 0)
  assert.equal(upstream.timeout, halfClose)
  upstream.emit('timeout')
  await assert.rejects(done, { name: 'ProxyProtocolError', code: 'half_close_timeout' })
})

test('tunnel() gives up on a client that says nothing for too long after the upstream has ended', async t => {
  for (const before of [false, true]) {
    const { client, downstream, upstream, server } = await ends(t)
    server.end()
    if (before) await until(() => upstream.readableEnded)
    const done = tunnel(downstream, upstream, { traffic: noTraffic(), halfClose, keepAlive })
    await content(client)
    assert.equal(downstream.timeout, halfClose)
    downstream.emit('timeout')
    await assert.rejects(done, {
      code: 'half_close_timeout',
      message: /the upstream has ended, and the client does not/,
    })
    reset(upstream)
  }
})

test('tunnel() waits for an upstream that takes the rest late', async t => {
  const { done, server } = await endedBehind(t)
  assert.ok((await content(server)).toString('latin1').endsWith('the last'))
  await done
})

test('reset() sends RST, and behind a FIN that is on its way without losing the descriptor', async t => {
  for (const ending of [false, true]) {
    const [near, far] = await pair(t)
    const cut = outcome(far)
    const closed = once(near, 'close')
    if (ending) near.end()
    await new Promise<void>(resolve => {
      process.nextTick(resolve)
    })
    reset(near)
    await closed
    const { fin, error } = await cut
    assert.equal(fin, false)
    assert.match(error ?? '', /^(ECONNRESET|EPIPE)$/)
  }
})

test('reset() leaves a closed socket as it is', async t => {
  const [near] = await pair(t)
  near.destroy()
  await once(near, 'close')
  reset(near)
  assert.equal(near.errored, null)
})

test('tunnel() turns keep-alive on after a second, and never where it is over by then', async t => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  for (const isOver of [false, true]) {
    const [client, downstream] = await pair(t)
    const [upstream, far] = await pair(t)
    const asked = [downstream, upstream].map(socket => t.mock.method(socket, 'setKeepAlive'))
    const done = tunnel(downstream, upstream, { traffic: noTraffic(), halfClose, keepAlive: 7_000 })
    t.mock.timers.tick(999)
    if (isOver) {
      for (const socket of [client, far]) socket.resume().end()
      await done
    }
    t.mock.timers.tick(1)
    const calls = asked.map(({ mock }) => mock.calls.map(call => call.arguments))
    assert.deepEqual(calls, isOver ? [[], []] : [[[true, 7_000]], [[true, 7_000]]])
  }
})
