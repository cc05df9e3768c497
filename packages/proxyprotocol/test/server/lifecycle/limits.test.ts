// How many connections a server takes at once, and how it ends those over a limit (contract 15 and 21).

import assert from 'node:assert/strict'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { AddressInfo, Socket } from 'node:net'
import { test } from 'node:test'
import { outcome, text, turns } from 'test-support/sockets'
import { errorMessages, ProxyProtocolError } from '../../../src/codec/index.ts'
import {
  diagnosticsChannels,
  type AcceptedMessage,
  type ServerOptions,
  type ServerStats,
} from '../../../src/server/index.ts'
import { LOCAL, V2 } from '../../support/headers.ts'
import { run, support } from '../../support/program.ts'
import { counted, opened, over, readToEnd, createHarness } from '../../support/harness.ts'
import { turnedAway, ending, arrived, ways } from '../../support/over-limit.ts'

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

const paused: Partial<ServerOptions> = { limits: { connections: 1 }, overLimit: 'pause' }

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

test('contract 15: Infinity is not a limit, and then connections are never too many', async t => {
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
