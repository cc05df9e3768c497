// Connections without a header, for createServer() and attach().

import assert from 'node:assert/strict'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { test } from 'node:test'
import { outcome, turns, until } from 'test-support/sockets'
import type { ErrorCode } from '../../../src/codec/index.ts'
import { diagnosticsChannels, type MissingMessage } from '../../../src/server/index.ts'
import { doors, type Door } from '../../support/doors.ts'
import { DESTINATION, encode, LOCAL, SOURCE, UNKNOWN, V1, V2 } from '../../support/headers.ts'
import { createHarness } from '../../support/harness.ts'
import { SERVED, send, came, worded, assertCounted } from '../../support/admitted.ts'

/** Milliseconds; short, because tests wait for it to pass. */
const TIMEOUT = 200
const SIGNATURE = V2.subarray(0, 12)

/** Payload that looks like a header for as long as it can. */
const ALMOST_V1 = 'PROXY\tTCP4 192.0.2.1'
const ALMOST_V2 = Buffer.concat([SIGNATURE.subarray(0, 11), Buffer.from('!and so on')])

type Bytes = Uint8Array | string

function codes({ refused }: Door): readonly ErrorCode[] {
  return refused.map(({ error }) => error.code)
}

for (const [name, open] of doors) {
  for (const payload of ['hello', ALMOST_V1, ALMOST_V2, '\0']) {
    const bytes = Buffer.from(payload)

    test(`${name}: with missing: 'direct' ${JSON.stringify(String(payload))} comes once and in order, however it is cut`, async t => {
      const harness = createHarness(t)
      const door = await open(t, harness, { options: { missing: 'direct' } })
      const ways = Array.from(bytes, (_, at) => [bytes.subarray(0, at), bytes.subarray(at)])
      ways.push(Array.from(bytes, byte => Buffer.of(byte)))
      for (const pieces of ways) {
        assert.deepEqual(await send(harness, door.port, ...pieces), SERVED)
        assert.deepEqual(came(door).at(-1), ['127.0.0.1', undefined, bytes.toString()])
      }
      assert.equal(door.seen.length, ways.length)
      await assertCounted(door, { done: ways.length })
    })
  }

  test(`${name}: with missing: 'direct' nothing of a large payload is lost`, async t => {
    const harness = createHarness(t)
    const door = await open(t, harness, { options: { missing: 'direct' } })
    const payload = Array.from({ length: 40_000 }, (_, n) => n.toString(36)).join()
    for (const pieces of [[payload], ['PROX', payload], [SIGNATURE.subarray(0, 5), payload]]) {
      assert.deepEqual(await send(harness, door.port, ...pieces), SERVED)
      assert.equal(door.seen.at(-1)?.text, pieces.join(''))
    }
  })

  test(`${name}: with missing: 'direct' a header is believed where there is one`, async t => {
    const harness = createHarness(t)
    const door = await open(t, harness, { options: { missing: 'direct' } })
    for (const header of [V1, V2, LOCAL, UNKNOWN]) {
      assert.deepEqual(await send(harness, door.port, header, 'hello'), SERVED)
      assert.deepEqual(await send(harness, door.port, Buffer.concat([header, V1])), SERVED)
    }
    assert.deepEqual(came(door), [
      ['192.0.2.1', 1, 'hello'],
      ['192.0.2.1', 1, String(V1)],
      ['192.0.2.1', 2, 'hello'],
      ['192.0.2.1', 2, String(V1)],
      ['127.0.0.1', 2, 'hello'],
      ['127.0.0.1', 2, String(V1)],
      ['127.0.0.1', 1, 'hello'],
      ['127.0.0.1', 1, String(V1)],
    ])
  })

  test(`${name}: with missing: 'direct' each connection without a header is published and counted`, async t => {
    const harness = createHarness(t)
    const told: MissingMessage['info'][] = []
    const onMessage = (message: unknown): void => void told.push((message as MissingMessage).info)
    subscribe(diagnosticsChannels.missing, onMessage)
    t.after(() => unsubscribe(diagnosticsChannels.missing, onMessage))
    const door = await open(t, harness, { options: { missing: 'direct' } })
    for (const bytes of ['hello', V2, '']) await send(harness, door.port, bytes)
    const ignoring = await open(t, harness, {
      options: { trust: [], untrusted: 'ignore', missing: 'direct' },
    })
    await send(harness, ignoring.port, 'hello')
    assert.deepEqual(
      told.map(({ via, header }) => [via.peer && 'address' in via.peer && via.peer.address, header]),
      [['127.0.0.1', undefined]],
    )
    if (door.server) assert.equal(door.server.stats().missing, 1)
  })

  test(`${name}: with missing: 'direct' a silent client is served at the deadline, and what comes then is payload`, async t => {
    const harness = createHarness(t)
    const options = { missing: 'direct', timeouts: { header: TIMEOUT } } as const
    const door = await open(t, harness, { options })
    const since = performance.now()
    const client = harness.dial(door.port)
    const ended = outcome(client)
    await until(() => door.seen.length === 1)
    assert.ok(performance.now() - since >= TIMEOUT - 1, 'not before it')
    client.end(V2)
    assert.deepEqual(await ended, SERVED)
    assert.deepEqual(came(door), [['127.0.0.1', undefined, String(V2)]])
    assert.deepEqual(codes(door), [])
    await assertCounted(door, { done: 1 })
  })

  test(`${name}: with missing: 'direct' a client that closes without a byte is a quiet probe`, async t => {
    const harness = createHarness(t)
    const door = await open(t, harness, { options: { missing: 'direct' } })
    assert.equal((await send(harness, door.port, '')).text, '')
    const client = harness.dial(door.port)
    await until(() => door.accepted.length === 2)
    client.resetAndDestroy()
    await turns()
    assert.deepEqual([came(door), codes(door)], [[], []])
    await assertCounted(door, { probe: 2 })
  })

  test(`${name}: with missing: 'direct' a part of a header is not payload`, async t => {
    const harness = createHarness(t)
    const short = { missing: 'direct', timeouts: { header: TIMEOUT } } as const
    const [door, late] = [
      await open(t, harness, { options: { missing: 'direct' } }),
      await open(t, harness, { options: short }),
    ]
    const parts = ['P', V1.subarray(0, 20), V2.subarray(0, 12), V2.subarray(0, 27)]
    for (const part of parts) assert.equal((await send(harness, door.port, part)).text, '')
    assert.deepEqual(codes(door), Array.from({ length: parts.length }).fill('header_truncated'))
    await assertCounted(door, { header_invalid: parts.length })
    for (const part of parts) {
      const silent = harness.dial(late.port)
      silent.write(part)
      silent.once('end', () => silent.end())
      assert.equal((await outcome(silent)).text, '')
      const message = worded('header_timeout', `${part.length} bytes had come after ${TIMEOUT} ms`)
      assert.equal(late.refused.at(-1)?.error.message, message)
    }
    await assertCounted(late, { header_timeout: parts.length })
    assert.deepEqual([came(door), came(late)], [[], []])
  })

  test(`${name}: with missing: 'direct' a malformed header is not payload`, async t => {
    const harness = createHarness(t)
    const door = await open(t, harness, { options: { missing: 'direct' } })
    const checked = encode({ source: SOURCE, destination: DESTINATION }, { checksum: true })
    checked.writeUInt8(checked.readUInt8(checked.length - 1) ^ 1, checked.length - 1)
    const wrong: readonly (readonly [bytes: Bytes, code: ErrorCode])[] = [
      ['PROXY TCP9 ', 'v1_protocol'],
      ['PROXY TCP4 192.0.2.256 198.51.100.7 1 2\r\n', 'v1_address'],
      [`PROXY UNKNOWN${'x'.repeat(100)}`, 'v1_too_long'],
      [Buffer.concat([SIGNATURE, Buffer.of(0x31)]), 'v2_version'],
      [Buffer.concat([SIGNATURE, Buffer.of(0x21, 0x11, 0, 11), Buffer.alloc(11)]), 'v2_length'],
      [checked, 'checksum_mismatch'],
    ]
    for (const [bytes, code] of wrong) {
      assert.equal((await send(harness, door.port, bytes)).text, '')
      assert.equal(codes(door).at(-1), code)
    }
    assert.deepEqual(came(door), [])
    await assertCounted(door, { header_invalid: wrong.length })
  })

  test(`${name}: with missing: 'direct' a header of a version that is not accepted is payload, and not believed`, async t => {
    const harness = createHarness(t)
    for (const [version, bytes] of [
      ['v2', V1],
      ['v1', V2],
    ] as const) {
      const door = await open(t, harness, { options: { missing: 'direct', version } })
      assert.deepEqual(await send(harness, door.port, bytes), SERVED)
      assert.deepEqual(came(door), [['127.0.0.1', undefined, String(bytes)]])
    }
  })
}
