// How much connections may take together, and what becomes of those that are too many (contract 15 and 21).

import assert from 'node:assert/strict'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { once } from 'node:events'
import type { AddressInfo, Socket } from 'node:net'
import { test } from 'node:test'
import { errorMessages, ProxyProtocolError } from '../../../src/codec/index.ts'
import {
  diagnosticsChannels,
  type AcceptedMessage,
  type ServerOptions,
  type ServerStats,
} from '../../../src/server/index.ts'
import { doors } from '../../support/doors.ts'
import { gate } from '../../support/gate.ts'
import { clientHeader, encode, LOCAL, UNKNOWN, V1, V2 } from '../../support/headers.ts'
import { run, support } from '../../support/program.ts'
import { outcome, text, turns, until, type Outcome } from '../../support/sockets.ts'
import {
  counted,
  opened,
  over,
  readToEnd,
  createHarness,
  type Served,
  type Harness,
} from '../../support/harness.ts'

const ways = ['close', 'reset', 'pause'] as const

/** What a client sees that is one too many. */
function turnedAway(overLimit: (typeof ways)[number]): Outcome {
  return { text: '', end: overLimit === 'reset' ? 'ECONNRESET' : 'FIN' }
}

/** How a client ends that sends these bytes and closes when the server does. */
function ending(harness: Harness, port: number, bytes: Uint8Array | string = ''): Promise<Outcome> {
  const client = harness.dial(port)
  if (bytes.length > 0) client.write(bytes)
  client.once('end', () => client.end())
  return outcome(client)
}

/** A client that stays, once the server has accepted it. */
async function arrived(harness: Harness, served: Served, bytes: Uint8Array | string = ''): Promise<Socket> {
  const { accepted } = served.server.stats()
  const client = harness.dial(served.port)
  if (bytes.length > 0) client.write(bytes)
  await until(() => served.server.stats().accepted > accepted)
  return client
}

function from(address: string): Buffer {
  return encode({ source: { address, port: 1 }, destination: { address, port: 2 } })
}

for (const overLimit of ['close', 'reset'] as const) {
  test(`contract 15: ${overLimit}: a connection over limits.connections is counted, and others come after those that end`, async t => {
    const harness = createHarness(t)
    const served = await harness.serve(readToEnd, { limits: { connections: 2 }, overLimit })
    const clients = [await arrived(harness, served, V2), await arrived(harness, served, V2)]
    await opened(served, 2)
    for (let refused = 1; refused <= 2; refused++) {
      assert.deepEqual(await ending(harness, served.port), turnedAway(overLimit))
      await over(served, refused)
    }
    assert.deepEqual(counted(served), { limit_connections: 2 })
    assert.deepEqual(
      served.rejected.map(({ error }) => error.message),
      Array.from({ length: 2 }).fill(`${errorMessages.limit_connections}: 2 are open`),
    )
    clients[0]?.end()
    await over(served, 3)
    await arrived(harness, served, V2)
    await opened(served, 2)
    assert.deepEqual(counted(served), { limit_connections: 2, done: 1 })
  })
}

test('contract 15: connections over a limit are closed by default', async t => {
  const harness = createHarness(t)
  const served = await harness.serve(readToEnd, { limits: { connections: 1 } })
  await arrived(harness, served, V2)
  await opened(served)
  assert.deepEqual(await ending(harness, served.port), turnedAway('close'))
})

test('contract 15: silent connections count as well, and one that fails gives its place back', async t => {
  const harness = createHarness(t)
  const served = await harness.serve(readToEnd, { limits: { connections: 1 } })
  const silent = await arrived(harness, served)
  assert.deepEqual(await ending(harness, served.port), turnedAway('close'))
  silent.end('junk')
  await over(served, 2)
  await arrived(harness, served, V2)
  await opened(served)
  assert.deepEqual(counted(served), { limit_connections: 1, header_missing: 1 })
})

for (const overLimit of ways) {
  test(`contract 15: ${overLimit}: a connection over limits.perSource is counted as limit_source`, async t => {
    const harness = createHarness(t)
    const served = await harness.serve(readToEnd, { limits: { perSource: 1 }, overLimit })
    await arrived(harness, served, V2)
    await opened(served)
    assert.deepEqual(await ending(harness, served.port, V2), turnedAway(overLimit))
    await over(served, 1)
    assert.deepEqual(counted(served), { limit_source: 1 })
    const [{ error, info } = assert.fail()] = served.rejected
    assert.deepEqual([error.code, error.message], ['limit_source', errorMessages.limit_source])
    assert.deepEqual(info.source, { address: '192.0.2.1', port: 56324 })
  })

  test(`contract 15: ${overLimit}: a connection over limits.pendingHeaders is counted as limit_connections`, async t => {
    const harness = createHarness(t)
    const served = await harness.serve(readToEnd, { limits: { pendingHeaders: 1 }, overLimit })
    const silent = await arrived(harness, served)
    assert.deepEqual(await ending(harness, served.port), turnedAway(overLimit))
    await over(served, 1)
    assert.deepEqual(counted(served), { limit_connections: 1 })
    const detail = 'limits.pendingHeaders, 1, wait for their headers'
    assert.equal(served.rejected[0]?.error.message, `${errorMessages.limit_connections}: ${detail}`)
    silent.write(V2)
    await opened(served)
    await arrived(harness, served, V2)
    await opened(served, 2)
  })
}

test('contract 15: setConnectionLimit() holds for those to come, and ends none of those that are open', async t => {
  const harness = createHarness(t)
  const served = await harness.serve(readToEnd, { limits: { connections: 2 } })
  const clients = [await arrived(harness, served, V2), await arrived(harness, served, V2)]
  await opened(served, 2)
  served.server.setConnectionLimit(1)
  assert.deepEqual(await ending(harness, served.port), turnedAway('close'))
  assert.equal(served.server.connections.size, 2)
  served.server.setConnectionLimit(3)
  clients.push(await arrived(harness, served, V2))
  await opened(served, 3)
  for (const wrong of [0, 1.5, NaN, -1]) {
    assert.throws(() => served.server.setConnectionLimit(wrong), {
      name: 'RangeError',
      message: /^connections /,
    })
  }
})

test('contract 15: refusals that no limit makes are closed and not reset', async t => {
  const harness = createHarness(t)
  const served = await harness.serve(() => assert.fail('the handler started'), { overLimit: 'reset' })
  assert.deepEqual(await ending(harness, served.port, '\0'), turnedAway('close'))
})

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
  { name: 'the peer, where the header announces nobody', same: [LOCAL, UNKNOWN], other: V2 },
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

const paused: Partial<ServerOptions> = { limits: { connections: 1 }, overLimit: 'pause' }

test('contract 15: pause: connections wait in the order of their arrival, and lose no byte', async t => {
  const harness = createHarness(t)
  const order: (number | undefined)[] = []
  const payloads: string[] = []
  let most = 0
  const served = await harness.serve(async ({ socket }) => {
    order.push(socket.remotePort)
    most = Math.max(most, [...served.server.connections].filter(({ state }) => state === 'open').length)
    payloads.push(await text(socket))
    socket.end('served')
  }, paused)
  const first = await arrived(harness, served, clientHeader(0))
  const firstEnded = outcome(first)
  await opened(served)
  const payload = (n: number): string => `${n} `.repeat(100_000)
  const ended: Promise<Outcome>[] = []
  for (const n of [1, 2, 3]) {
    const client = await arrived(harness, served)
    ended.push(outcome(client))
    client.end(Buffer.concat([clientHeader(n), Buffer.from(payload(n))]))
  }
  await turns(50)
  const states = [...served.server.connections].map(({ state }) => state)
  assert.deepEqual(states, ['open', 'accepted', 'accepted', 'accepted'])
  assert.deepEqual(order, [1024])
  first.end()
  assert.deepEqual(await firstEnded, { text: 'served', end: 'FIN' })
  for (const each of await Promise.all(ended)) assert.deepEqual(each, { text: 'served', end: 'FIN' })
  await over(served, 4)
  assert.deepEqual(order, [1024, 1025, 1026, 1027])
  assert.ok(payloads.join('|') === ['', payload(1), payload(2), payload(3)].join('|'))
  assert.equal(most, 1)
  assert.deepEqual(counted(served), { done: 4 })
})

test('contract 15: pause: who waits past the deadline of its header is closed and counted', async t => {
  const harness = createHarness(t)
  const served = await harness.serve(readToEnd, { ...paused, timeouts: { header: 300 } })
  await arrived(harness, served, V2)
  await opened(served)
  assert.deepEqual(await ending(harness, served.port), turnedAway('pause'))
  await over(served, 1)
  assert.deepEqual(counted(served), { limit_connections: 1 })
  assert.equal(served.rejected[0]?.error.message, `${errorMessages.limit_connections}: 1 are open`)
})

test('contract 15: pause: the wait for a place counts towards the deadline of the header', async t => {
  const harness = createHarness(t)
  const served = await harness.serve(readToEnd, { ...paused, timeouts: { header: 800 } })
  const first = await arrived(harness, served, V2)
  await opened(served)
  const ended = ending(harness, served.port)
  await until(() => served.server.connections.size === 2)
  const [, waiting] = served.server.connections
  await until(() => (waiting?.age ?? 0) > 200)
  first.end()
  assert.deepEqual(await ended, turnedAway('pause'))
  await over(served, 2)
  assert.deepEqual(counted(served), { done: 1, header_timeout: 1 })
  const [, left] = /nothing came within (\d+) ms/.exec(served.rejected[0]?.error.message ?? '') ?? []
  assert.ok(Number(left) > 0 && Number(left) <= 600, `${String(left)} ms were left`)
})

test('contract 15: pause: no more connections wait than limits.pendingHeaders', async t => {
  const harness = createHarness(t)
  const limits = { connections: 1, pendingHeaders: 2 }
  const served = await harness.serve(readToEnd, { limits, overLimit: 'pause' })
  const first = await arrived(harness, served, V2)
  await opened(served)
  const waiting = [await arrived(harness, served, V2), await arrived(harness, served, V2)]
  assert.deepEqual(await ending(harness, served.port), turnedAway('pause'))
  await over(served, 1)
  assert.deepEqual(counted(served), { limit_connections: 1 })
  for (const [index, client] of [first, ...waiting].entries()) {
    await opened(served)
    client.end()
    await over(served, index + 2)
  }
  assert.deepEqual(counted(served), { limit_connections: 1, done: 3 })
})

test('contract 16: pause: connections that wait are closed with the server', async t => {
  const harness = createHarness(t)
  const hold = gate()
  const served = await harness.serve(() => hold.promise, paused)
  const first = await arrived(harness, served, V2)
  await opened(served)
  const ended = ending(harness, served.port, V2)
  await until(() => served.server.connections.size === 2)
  const closing = served.server.close()
  assert.equal((await ended).text, '')
  await over(served, 1)
  assert.deepEqual(counted(served), { aborted: 1 })
  hold.open()
  first.end()
  assert.deepEqual(await closing, { drained: 1, forced: 1, stuck: [] })
  assert.deepEqual(counted(served), { aborted: 1, done: 1 })
  assert.deepEqual(served.rejected, [])
})

for (const options of [
  { trust: 'anyone' },
  { trust: [], untrusted: 'direct' },
  { version: 'none' },
] as const satisfies readonly ServerOptions[]) {
  test(`contract 15: pause: who is gone before there is room was a quiet probe: ${JSON.stringify(options)}`, async t => {
    const harness = createHarness(t)
    const limits = { connections: 1, perSource: 2, pendingHeaders: 1 }
    const served = await harness.serve(readToEnd, { ...options, limits, overLimit: 'pause' })
    const first = await arrived(harness, served, LOCAL)
    await opened(served)
    for (let gone = 1; gone <= 3; gone++) {
      const client = await arrived(harness, served)
      client.resetAndDestroy()
      await over(served, gone)
    }
    assert.deepEqual(counted(served), { probe: 3 })
    const next = await arrived(harness, served, LOCAL)
    first.end()
    await over(served, 4)
    const [connection] = await opened(served)
    assert.equal(connection?.state, 'open')
    next.end()
    await over(served, 5)
    assert.deepEqual(counted(served), { probe: 3, done: 2 })
    assert.deepEqual(served.rejected, [])
  })
}

for (const [options, does] of [
  [paused, 'does not wait'],
  [{ version: 'none' }, 'is not served'],
] as const) {
  test(`contract 15: a connection that is aborted as it arrives ${does}: ${JSON.stringify(options)}`, async t => {
    const harness = createHarness(t)
    const served = await harness.serve(readToEnd, options)
    await arrived(harness, served, V2)
    await opened(served)
    const onMessage = (message: unknown): void => {
      const { server, connection } = message as AcceptedMessage // only this library publishes there
      if (server === served.server) connection?.abort('denied_acl')
    }
    subscribe(diagnosticsChannels.accepted, onMessage)
    t.after(() => unsubscribe(diagnosticsChannels.accepted, onMessage))
    const since = performance.now()
    assert.equal((await ending(harness, served.port)).text, '')
    await over(served, 1)
    assert.ok(performance.now() - since < 2_500, 'half of what the header may take')
    assert.deepEqual(counted(served), { denied_acl: 1 })
    assert.deepEqual(served.rejected, [])
  })
}

for (const overLimit of ways) {
  test(`contract 15: ${overLimit}: a connection that a validator refuses as limit_rate is over a limit`, async t => {
    const harness = createHarness(t)
    const validate = (): ProxyProtocolError => new ProxyProtocolError('limit_rate')
    const served = await harness.serve(readToEnd, { version: 'none', validate, overLimit })
    assert.deepEqual(await ending(harness, served.port), turnedAway(overLimit))
    await over(served, 1)
    assert.deepEqual(counted(served), { limit_rate: 1 })
  })
}

test('contract 15: Infinity is no limit, and then connections are never too many', async t => {
  const harness = createHarness(t)
  const limits = { connections: Infinity, perSource: Infinity, pendingHeaders: Infinity }
  const served = await harness.serve(readToEnd, { limits })
  for (let n = 0; n < 50; n++) await arrived(harness, served, V2)
  await opened(served, 50)
})

/** Descriptors of the child below, of which the library leaves this many to the rest of it. */
const DESCRIPTORS = 128
const SPARE = 64
/** So many of those, at most, may be waiting connections. */
const WAITING = 16

for (const overLimit of ways) {
  test(`contract 21: ${overLimit}: connections are limited by the descriptors that there are`, async t => {
    const harness = createHarness(t)
    const script = `ulimit -n ${DESCRIPTORS}; exec "$0" --import tsx "$@"`
    const options = JSON.stringify({ overLimit, timeouts: { header: 60_000 } })
    const { child, next, exited } = run(harness, [
      ...['sh', '-c', script, process.execPath],
      ...[support('scarce-descriptors'), options],
    ])
    const { port } = (await next()) as AddressInfo
    const echo = async (): Promise<Socket> => {
      const client = harness.dial(port)
      client.write(Buffer.concat([V2, Buffer.from('hello')]))
      assert.equal(await text(client, 5), 'hello')
      return client
    }
    const clients: Socket[] = []
    while (clients.length < DESCRIPTORS - SPARE) clients.push(await echo())
    const waiting = Array.from({ length: overLimit === 'pause' ? WAITING : 0 }, echo)
    await turns()
    for (let n = 0; n < 5; n++) assert.equal((await ending(harness, port)).text, '')
    for (const client of clients) await outcome(client.end())
    for (const client of await Promise.all([...waiting, echo()])) await outcome(client.end())
    child.send('stop')
    const { state, stats } = (await next()) as { state: string; stats: ServerStats }
    assert.equal(state, 'listening')
    const done = DESCRIPTORS - SPARE + waiting.length + 1
    assert.deepEqual([stats.accepted, stats.active], [done + 5, 0])
    const { closed } = stats
    assert.deepEqual([closed.limit_fds, closed.limit_connections, closed.done], [5, 0, done])
    assert.deepEqual(await exited, [0, null])
  })
}
