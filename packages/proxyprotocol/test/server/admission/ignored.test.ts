// Peers that are not trusted with untrusted: 'ignore': their headers are removed and not believed.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { outcome, until } from 'test-support/sockets'
import { assertCounted, came, SERVED, send } from '../../support/admitted.ts'
import { doors } from '../../support/doors.ts'
import { createHarness } from '../../support/harness.ts'
import { LOCAL, V1, V2 } from '../../support/headers.ts'

/** Milliseconds that a silent client waits in these tests. */
const TIMEOUT = 60

for (const [name, open] of doors) {
  test(`${name}: with untrusted: 'ignore' the header of an untrusted peer is removed and not believed`, async t => {
    const harness = createHarness(t)
    const validate = (): never => assert.fail('it was validated')
    const door = await open(t, harness, { options: { trust: [], untrusted: 'ignore', validate } })
    for (const header of [V1, V2, LOCAL]) {
      assert.deepEqual(await send(harness, door.port, Buffer.concat([header, Buffer.from('hello')])), SERVED)
      assert.deepEqual(
        await send(harness, door.port, header.subarray(0, 5), header.subarray(5), 'hello'),
        SERVED,
      )
    }
    assert.deepEqual(
      came(door),
      Array.from({ length: 6 }, () => ['127.0.0.1', undefined, 'hello']),
    )
    for (const { info } of door.seen) assert.equal(info?.source, info?.via.peer)
    await assertCounted(door, { done: 6 })
  })

  test(`${name}: with untrusted: 'ignore' an untrusted peer without a header is served as itself`, async t => {
    const harness = createHarness(t)
    const door = await open(t, harness, { options: { trust: [], untrusted: 'ignore' } })
    assert.deepEqual(await send(harness, door.port, 'GET / HTTP/1.1\r\n\r\n'), SERVED)
    assert.deepEqual(came(door), [['127.0.0.1', undefined, 'GET / HTTP/1.1\r\n\r\n']])
  })

  test(`${name}: with untrusted: 'ignore' a broken or cut header is refused`, async t => {
    const harness = createHarness(t)
    const door = await open(t, harness, { options: { trust: [], untrusted: 'ignore' } })
    for (const bytes of ['PROXY TCP9 ', V2.subarray(0, 20)]) {
      assert.equal((await send(harness, door.port, bytes)).text, '')
    }
    assert.deepEqual(
      door.refused.map(({ error }) => error.code),
      ['v1_protocol', 'header_truncated'],
    )
    assert.deepEqual(came(door), [])
  })

  test(`${name}: with untrusted: 'ignore' a silent client is served at the deadline of the header`, async t => {
    const harness = createHarness(t)
    const options = { trust: [], untrusted: 'ignore', timeouts: { header: TIMEOUT } } as const
    const door = await open(t, harness, { options })
    const client = harness.dial(door.port)
    const ended = outcome(client)
    await until(() => door.seen.length === 1)
    client.end('hello')
    assert.deepEqual(await ended, SERVED)
    assert.deepEqual(came(door), [['127.0.0.1', undefined, 'hello']])
  })

  test(`${name}: with untrusted: 'ignore' a trusted peer must send a header all the same`, async t => {
    const harness = createHarness(t)
    const door = await open(t, harness, { options: { untrusted: 'ignore' } })
    assert.deepEqual(await send(harness, door.port, V2, 'hello'), SERVED)
    assert.equal((await send(harness, door.port, 'hello')).text, '')
    assert.deepEqual(came(door), [['192.0.2.1', 2, 'hello']])
  })
}
