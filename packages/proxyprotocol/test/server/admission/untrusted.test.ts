// Peers that are not in `trust`, for createServer() and attach().

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { until } from 'test-support/sockets'
import type { ErrorCode } from '../../../src/codec/index.ts'
import type { Peer } from '../../../src/server/index.ts'
import { doors, type Door } from '../../support/doors.ts'
import { LOCAL, V1, V2 } from '../../support/headers.ts'
import { createHarness } from '../../support/harness.ts'
import { SERVED, send, came, worded, assertCounted } from '../../support/admitted.ts'

function codes({ refused }: Door): readonly ErrorCode[] {
  return refused.map(({ error }) => error.code)
}

for (const [name, open] of doors) {
  test(`${name}: a trust predicate also gets the address and the port that the peer connected to`, async t => {
    const harness = createHarness(t)
    const peers: Peer[] = []
    const door = await open(t, harness, { options: { trust: peer => peers.push(peer) > 0 } })
    assert.deepEqual(await send(harness, door.port, V2, 'hello'), SERVED)
    assert.deepEqual(
      peers.map(({ localAddress, localPort }) => [localAddress, localPort]),
      [['127.0.0.1', door.port]],
    )
  })

  test(`${name}: peers that are not trusted are clients of their own with untrusted: 'direct', and headers payload`, async t => {
    const harness = createHarness(t)
    const door = await open(t, harness, { options: { trust: ['192.0.2.0/24'], untrusted: 'direct' } })
    const payloads = [V1, V2, LOCAL, 'PROXY TCP9 ', 'GET / HTTP/1.1\r\n\r\n', V2.subarray(0, 20), ''].map(
      String,
    )
    for (const payload of payloads) assert.deepEqual(await send(harness, door.port, payload), SERVED)
    assert.deepEqual(
      came(door),
      payloads.map(payload => ['127.0.0.1', undefined, payload]),
    )
    for (const { info } of door.seen) assert.equal(info?.source, info?.via.peer)
    assert.deepEqual(codes(door), [])
    await assertCounted(door, { done: payloads.length })
  })

  test(`${name}: with untrusted: 'direct' a peer is served before it has sent a byte`, async t => {
    const harness = createHarness(t)
    const options = { trust: [], untrusted: 'direct', limits: { pendingHeaders: 1 } } as const
    const door = await open(t, harness, { options })
    for (let clients = 1; clients <= 3; clients++) {
      harness.dial(door.port)
      await until(() => door.seen.length === clients)
    }
  })

  test(`${name}: with untrusted: 'direct' trusted peers must send a header all the same`, async t => {
    const harness = createHarness(t)
    let trusted = true
    const door = await open(t, harness, { options: { trust: () => trusted, untrusted: 'direct' } })
    await send(harness, door.port, 'hello')
    await send(harness, door.port, V2, 'hello')
    trusted = false
    await send(harness, door.port, 'hello')
    assert.deepEqual(codes(door), ['header_missing'])
    assert.deepEqual(came(door), [
      ['192.0.2.1', 2, 'hello'],
      ['127.0.0.1', undefined, 'hello'],
    ])
    await assertCounted(door, { done: 2, header_missing: 1 })
  })

  test(`${name}: peers that are not trusted are refused by default, without a header too (known bug 21)`, async t => {
    const harness = createHarness(t)
    for (const options of [{}, { untrusted: 'reject' }, { missing: 'direct' }] as const) {
      const door = await open(t, harness, { options: { trust: [], ...options } })
      for (const bytes of ['hello', V1, V2, LOCAL]) {
        assert.equal((await send(harness, door.port, bytes)).text, '')
      }
      assert.deepEqual(came(door), [])
      for (const { error } of door.refused) {
        assert.equal(error.message, worded('untrusted_peer', '127.0.0.1'))
      }
      assert.equal(door.refused.length, 4)
      await assertCounted(door, { untrusted_peer: 4 })
    }
  })

  test(`${name}: a trust predicate that throws serves no peer directly`, async t => {
    const harness = createHarness(t)
    const fault = new Error('predicate')
    const trust = (): boolean => {
      throw fault
    }
    const options = { trust, untrusted: 'direct', missing: 'direct' } as const
    const door = await open(t, harness, { options })
    assert.equal((await send(harness, door.port, 'hello')).text, '')
    assert.deepEqual(came(door), [])
    assert.deepEqual(codes(door), ['untrusted_peer'])
    assert.equal(door.refused[0]?.error.cause, fault)
    if (door.server) assert.deepEqual(door.errors, [fault])
  })
}
