// The limits that createServer() and attach() share: on sources and on headers (contract 15).

import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { Socket } from 'node:net'
import { test } from 'node:test'
import { outcome, turns, until } from 'test-support/sockets'
import { ProxyProtocolError } from '../../../src/codec/index.ts'
import { doors } from '../../support/doors.ts'
import { encode, LOCAL, UNKNOWN, V1, V2 } from '../../support/headers.ts'
import { counted, over, createHarness } from '../../support/harness.ts'
import { turnedAway, ending, arrived } from '../../support/over-limit.ts'

function from(address: string): Buffer {
  return encode({ source: { address, port: 1 }, destination: { address, port: 2 } })
}

interface Sources {
  readonly name: string
  /** Two headers of one source. */
  readonly same: readonly [Buffer, Buffer]
  readonly other: Buffer
}

const sources: readonly Sources[] = [
  { name: 'an IPv4 address', same: [V1, from('192.0.2.1')], other: from('192.0.2.2') },
  {
    name: 'an IPv4 address, mapped too',
    same: [V1, from('::ffff:192.0.2.1')],
    other: from('::ffff:192.0.2.2'),
  },
  {
    name: 'the /64 of an IPv6 address',
    same: [from('2001:db8:0:1::1'), from('2001:db8:0:1:ffff::')],
    other: from('2001:db8:0:2::1'),
  },
  { name: 'the peer, where the header announces no client', same: [LOCAL, UNKNOWN], other: V2 },
]

for (const [name, open] of doors) {
  for (const { name: source, same, other } of sources) {
    test(`contract 15: ${name} counts ${source} as one source, until its connections close`, async t => {
      const harness = createHarness(t)
      const { port, seen, refused } = await open(t, harness, { options: { limits: { perSource: 2 } } })
      const client = harness.dial(port)
      client.write(same[0])
      await until(() => seen.length === 1)
      harness.dial(port).write(same[1])
      await until(() => seen.length === 2)
      for (const header of [...same, ...same])
        assert.deepEqual(await ending(harness, port, header), turnedAway('close'))
      assert.deepEqual(
        refused.map(({ error }) => error.code),
        Array.from({ length: 4 }).fill('limit_source'),
      )
      harness.dial(port).write(other)
      await until(() => seen.length === 3)
      await outcome(client.end())
      await turns()
      harness.dial(port).write(same[1])
      await until(() => seen.length === 4)
      assert.deepEqual(await ending(harness, port, same[0]), turnedAway('close'))
    })
  }

  test(`contract 15: ${name} counts no sources that have no address`, async t => {
    const harness = createHarness(t)
    const { port, seen } = await open(t, harness, { options: { limits: { perSource: 1 } } })
    const header = encode({ source: { path: '/run/a' }, destination: { path: '/run/b' } })
    for (let clients = 1; clients <= 3; clients++) {
      harness.dial(port).write(header)
      await until(() => seen.length === clients)
    }
  })

  test(`contract 15: ${name} counts clients that are served directly, by their own address`, async t => {
    const harness = createHarness(t)
    const options = { trust: [], untrusted: 'direct', limits: { perSource: 1 } } as const
    const { port, seen, refused } = await open(t, harness, { options })
    harness.dial(port).write(V2)
    await until(() => seen.length === 1)
    assert.equal((await ending(harness, port)).text, '')
    assert.equal(refused[0]?.error.code, 'limit_source')
  })

  test(`contract 15: ${name}: a header that is refused takes nothing of what its source may have`, async t => {
    const harness = createHarness(t)
    const validate = [denyOnce()]
    const { port, seen } = await open(t, harness, { options: { validate, limits: { perSource: 1 } } })
    assert.deepEqual(await ending(harness, port, V2), turnedAway('close'))
    harness.dial(port).write(V2)
    await until(() => seen.length === 1)
  })

  test(`contract 15: ${name} gives the room of limits.pendingHeaders back, however the wait for a header ends`, async t => {
    const harness = createHarness(t)
    const options = { limits: { pendingHeaders: 1 }, timeouts: { header: 300 } }
    const { port, seen, accepted, refused } = await open(t, harness, { options })
    const waits: readonly (readonly [end: (client: Socket) => unknown, settled: number])[] = [
      [client => client.write(V2), 1],
      [client => client.write('junk'), 2],
      [client => client.end(), 2],
      [client => client.resetAndDestroy(), 2],
      [client => client.write('PROXY'), 3], // and silence
    ]
    for (const [end, settled] of waits) {
      const before = accepted.length
      const client = harness.dial(port)
      await until(() => accepted.length > before)
      end(client)
      await until(() => seen.length + refused.length === settled)
      await turns()
    }
    harness.dial(port).write(V2)
    await until(() => seen.length === 2)
    assert.deepEqual(
      refused.map(({ error }) => error.code),
      ['header_missing', 'header_timeout'],
    )
  })

  test(`contract 15: ${name} takes no version 2 header longer than limits.headerBytes`, async t => {
    const harness = createHarness(t)
    for (const [headerBytes, text] of [
      [28, 'served'],
      [27, ''],
    ] as const) {
      const { port, refused } = await open(t, harness, { options: { limits: { headerBytes } } })
      assert.equal((await outcome(harness.dial(port).end(V2))).text, text)
      assert.deepEqual(
        refused.map(({ error }) => error.code),
        text === '' ? ['header_too_long'] : [],
      )
    }
  })
}

/** A validator that refuses the first header alone. */
function denyOnce(): () => ProxyProtocolError | undefined {
  let asked = 0
  return () => (asked++ === 0 ? new ProxyProtocolError('denied_acl') : undefined)
}

test('contract 15: a failed handler gives the room of its source back, a detached socket when it closes', async t => {
  const harness = createHarness(t)
  const sockets: Socket[] = []
  const served = await harness.serve(
    connection => {
      if (sockets.length > 0) throw new Error('handler')
      sockets.push(connection.detach().on('error', () => {}))
    },
    { limits: { perSource: 1 } },
  )
  await arrived(harness, served, V2)
  await over(served, 1)
  assert.deepEqual(await ending(harness, served.port, V2), turnedAway('close'))
  const [socket = assert.fail()] = sockets
  socket.destroy()
  await once(socket, 'close')
  for (let failed = 1; failed <= 2; failed++) {
    await outcome(harness.dial(served.port).end(V2))
    await over(served, 2 + failed)
  }
  assert.equal(served.errors.splice(0).length, 2)
  assert.deepEqual(counted(served), { done: 1, limit_source: 1, handler_error: 2 })
})
