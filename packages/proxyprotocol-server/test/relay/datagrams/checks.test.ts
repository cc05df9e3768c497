// Checks of UDP upstreams: a datagram and the answer to it.

import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { decodeDatagram, decodeSpp } from 'proxyprotocol'
import { until } from 'test-support/sockets'
import type { DatagramRelay } from '../../../src/relay/index.ts'
import { answering, type Peer, peer, startDatagrams } from '../../support/datagrams.ts'

const check = {
  type: 'send-expect',
  send: 'text:ping',
  expect: 'text:pong',
  interval: 1,
  rise: 1,
  fall: 1,
} as const

async function checked(
  t: TestContext,
  upstream: Peer,
  pp: string,
  more: object = {},
): Promise<DatagramRelay> {
  const to = `udp://127.0.0.1:${upstream.port}?pp=${pp}`
  return (await startDatagrams(t, to, { health: { check: { ...check, ...more } } })).relay
}

function counts(relay: DatagramRelay): { readonly passed: number; readonly failed: number } {
  return relay.upstreams().upstreams[0]?.members[0]?.checks ?? { passed: 0, failed: 0 }
}

test('a check passes with the expected answer, behind LOCAL, a header of Spectrum or none', async t => {
  for (const pp of ['v2', 'spp', 'noop']) {
    const upstream = await answering(t, () => '...pong')
    const relay = await checked(t, upstream, pp)
    await until(() => counts(relay).passed > 1)
    assert.equal(counts(relay).failed, 0)
    const [bytes] = await upstream.take()
    const result = pp === 'spp' ? decodeSpp(bytes) : decodeDatagram(bytes)
    assert.equal(String(result.status === 'header' ? result.payload : bytes), 'ping')
    await relay.server.abort()
  }
})

test('a wrong answer, none, and a closed port fail it', async t => {
  const [wrong, silent, closed] = [await answering(t, () => 'no'), await peer(t), await peer(t)]
  await closed.close()
  const fails = async (upstream: Peer, more: object, message: RegExp): Promise<void> => {
    const relay = await checked(t, upstream, 'noop', more)
    await until(() => counts(relay).failed > 0)
    const [state] = relay.upstreams().upstreams
    assert.equal(state?.state, 'down')
    assert.match(String(state.lastFailure?.message), message)
    await relay.server.abort()
  }
  await fails(wrong, {}, /expected "pong", got "no"/)
  await fails(silent, { timeout: 5 }, /expected "pong", got no answer within 5 ms/)
  await fails(closed, { header: false }, /ECONNREFUSED/)
  const elsewhere = await answering(t, () => 'pong')
  const relay = await checked(t, silent, 'noop', { port: elsewhere.port, address: '127.0.0.1' })
  await until(() => counts(relay).passed > 0)
})

test('without a check, a marked upstream gets flows again after the cooldown', async t => {
  const gone = await peer(t)
  const relay = await startDatagrams(t, `udp://127.0.0.1:${gone.port}?pp=noop`, {
    health: { fails: 1, cooldown: 1 },
  })
  await gone.close()
  const client = await peer(t)
  await client.send('x', relay.port)
  await relay.record()
  await until(() => relay.relay.upstreams().upstreams[0]?.state === 'up')
})
