// What a server and an operator see of connections on handles, and what connects them.

import assert from 'node:assert/strict'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { test } from 'node:test'
import { diagnosticsChannels } from 'proxyprotocol/client'
import { ProxyProtocolError } from 'proxyprotocol'
import { content, until } from 'test-support/sockets'
import type { ServiceOptions } from '../../../src/config/index.ts'
import { HandleConnection } from '../../../src/relay/tunnel/handles/index.ts'
import { certificateFiles } from '../../support/certificate-files.ts'
import { blackHole } from '../../support/black-hole.ts'
import { chunk, dial, listen, outcome } from '../../support/connections.ts'
import { connectionOf, startOnHandles } from '../../support/handles.ts'
import { split } from '../../support/relay-bytes.ts'
import { startRelay } from '../../support/relay.ts'

const UNUSED = '127.0.0.1:9'

test('only services that need no socket are relayed on handles', async t => {
  const { source: secure } = certificateFiles(t)
  const services: readonly (readonly [
    plane: string,
    to: string,
    options: ServiceOptions & { source?: string },
  ])[] = [
    ['handles', UNUSED, {}],
    ['handles', 'upstream.test:80?pp=v1', {}],
    ['sockets', 'ssl://127.0.0.1:9', {}],
    ['sockets', 'unix:/run/app.sock', {}],
    ['sockets', UNUSED, { source: secure }],
    ['sockets', UNUSED, { source: '127.0.0.1:0?pp=v2', trust: 'anyone' }],
    ['sockets', UNUSED, { overLimit: 'pause', limits: { connections: 1 } }],
    ['sockets', UNUSED, { passthrough: { unknownNames: 'default' } }],
  ]
  for (const [plane, to, options] of services) {
    const relay = await startRelay(t, to, { ...options, dataPlane: 'auto' })
    assert.equal(relay.plane(), plane, JSON.stringify([to, options]))
  }
  assert.equal((await startRelay(t, UNUSED, { dataPlane: 'sockets' })).plane(), 'sockets')
})

test('a subscriber to large headers gets them, from sockets', async t => {
  const relay = await startOnHandles(t, UNUSED)
  const ignore = (): void => undefined
  subscribe(diagnosticsChannels.largeHeader, ignore)
  assert.equal(relay.plane(), 'sockets')
  unsubscribe(diagnosticsChannels.largeHeader, ignore)
  assert.equal(relay.plane(), 'handles')
})

for (const overLimit of ['close', 'reset'] as const) {
  test(`a connection above limits.connections is counted, and ends by ${overLimit}`, async t => {
    const upstream = await listen(t)
    const options = { overLimit, limits: { connections: 1 } }
    const relay = await startOnHandles(t, `127.0.0.1:${upstream.port}`, options)
    dial(t, relay.port)
    await upstream.accept()
    const { fin } = await outcome(dial(t, relay.port))
    assert.equal(fin, overLimit === 'close')
    assert.equal(relay.server.stats().closed.limit_connections, 1)
  })
}

test('limits.perSource counts connections on handles until they close', async t => {
  const upstream = await listen(t)
  const relay = await startOnHandles(t, `127.0.0.1:${upstream.port}`, { limits: { perSource: 1 } })
  const first = dial(t, relay.port)
  await upstream.accept()
  await outcome(dial(t, relay.port))
  assert.equal(relay.server.stats().closed.limit_source, 1)
  first.resetAndDestroy()
  await relay.record()
  dial(t, relay.port)
  await upstream.accept()
})

test('a connection on handles has no socket to give away', async t => {
  const upstream = await listen(t)
  const relay = await startOnHandles(t, `127.0.0.1:${upstream.port}`)
  dial(t, relay.port)
  await upstream.accept()
  const connection = connectionOf(relay)
  assert.throws(() => connection.socket, /set dataPlane to "sockets"/)
  assert.throws(() => connection.detach(), /has no socket/)
  const { tls, stuck, state, reason, draining } = connection
  assert.deepEqual([tls, stuck, state, reason, draining], [undefined, false, 'open', undefined, false])
  connection.setIdleTimeout(60_000)
})

test('the signal of a connection on handles aborts at its end, and is aborted later', async t => {
  const upstream = await listen(t)
  const relay = await startOnHandles(t, `127.0.0.1:${upstream.port}`)
  let ended = 0
  for (const code of ['aborted', 'done'] as const) {
    for (const isAskedEarly of [true, false]) {
      const client = dial(t, relay.port)
      const far = await upstream.accept()
      await chunk(far)
      const connection = connectionOf(relay)
      const early = isAskedEarly ? connection.signal : undefined
      if (code === 'aborted') {
        connection.abort()
      } else {
        client.end('hello')
        await content(far)
        far.end()
        client.resume()
      }
      await relay.record(ended++)
      assert.equal((connection.signal.reason as ProxyProtocolError).code, code)
      assert.equal(early ?? connection.signal, connection.signal)
    }
  }
})

test('a listener that takes itself off at the end keeps no other from being called', async t => {
  const upstream = await listen(t)
  const relay = await startOnHandles(t, `127.0.0.1:${upstream.port}`)
  dial(t, relay.port)
  await upstream.accept()
  const connection = connectionOf(relay)
  const called: string[] = []
  const first = (): void => {
    called.push('first')
    connection.off('close', first)
  }
  connection.on('close', first).on('close', () => called.push('second'))
  connection.abort()
  assert.deepEqual(called, ['first', 'second'])
})

test('what comes after the end of a connection on handles changes nothing', async t => {
  const upstream = await listen(t)
  const relay = await startOnHandles(t, `127.0.0.1:${upstream.port}`)
  dial(t, relay.port)
  await chunk(await upstream.accept())
  const connection = connectionOf(relay)
  connection.abort()
  connection.abort('idle_timeout')
  connection.fail(new Error('late'))
  connection.begin(undefined)
  assert.equal(connection.reject(new ProxyProtocolError('denied_acl'), true), false)
  const target = { address: '127.0.0.1', port: upstream.port, source: undefined, timeout: 1_000 }
  await assert.rejects(connection.dial(target), { code: 'aborted' })
  let closed = 0
  connection.once('close', () => closed++)
  assert.equal(closed, 1)
  assert.deepEqual(
    [connection.reason, connection.activity, connection.upstreamEnd],
    ['aborted', undefined, undefined],
  )
})

test('upstreams of IPv6 are reached from the address of their source', async t => {
  const upstream = await listen(t, '::1')
  const relay = await startOnHandles(t, [{ address: `[::1]:${upstream.port}`, source: '::1' }])
  const client = dial(t, relay.port)
  client.write('hello')
  const far = await upstream.accept()
  assert.equal(far.remoteAddress, '::1')
  assert.equal(split(await chunk(far)).payload.toString(), 'hello')
  client.resetAndDestroy()
  assert.deepEqual((await relay.record()).upstreamAddress, { address: '::1', port: upstream.port })
})

test('an upstream that cannot be reached from its source is connect_error', async t => {
  const relay = await startOnHandles(t, [{ address: UNUSED, source: '192.0.2.1' }])
  assert.equal((await outcome(dial(t, relay.port))).error, 'ECONNRESET')
  const { reason, error } = await relay.record()
  assert.equal(reason, 'connect_error')
  assert.match(error?.message ?? '', /bind EADDRNOTAVAIL 192\.0\.2\.1/)
})

test('an upstream that the kernel refuses at once is connect_error', async t => {
  const relay = await startOnHandles(t, '255.255.255.255:80')
  assert.equal((await outcome(dial(t, relay.port))).error, 'ECONNRESET')
  const { reason, error } = await relay.record()
  assert.equal(reason, 'connect_error')
  assert.match(error?.message ?? '', /connect E[A-Z]+ 255\.255\.255\.255:80/)
})

test('an upstream that does not answer is connect_timeout', async t => {
  const hole = await blackHole(t)
  await hole.swallow()
  const relay = await startOnHandles(t, `127.0.0.1:${hole.port}`, { timeouts: { connect: 50 } })
  assert.equal((await outcome(dial(t, relay.port))).error, 'ECONNRESET')
  const { reason, error } = await relay.record()
  assert.equal(reason, 'connect_timeout')
  assert.match(error?.message ?? '', /50 ms/)
})

test('a client that leaves while the upstream is connecting ends the attempt', async t => {
  const hole = await blackHole(t)
  await hole.swallow()
  const relay = await startOnHandles(t, `127.0.0.1:${hole.port}`)
  const client = dial(t, relay.port)
  client.write('hello')
  await until(() => [...relay.server.connections].some(({ state }) => state === 'open'))
  await until(() => connectionOf(relay).activity === 'hello'.length)
  client.resetAndDestroy()
  assert.equal((await relay.record()).reason, 'client_reset')
})

test('a fault of the relay itself resets the client, and is reported once', async t => {
  const fault = new Error('boom')
  const seen: unknown[] = []
  const relay = await startOnHandles(t, UNUSED, { onError: error => seen.push(error) })
  t.mock.method(HandleConnection.prototype, 'dial', () => {
    throw fault
  })
  assert.equal((await outcome(dial(t, relay.port))).error, 'ECONNRESET')
  const { reason, error } = await relay.record()
  assert.deepEqual({ reason, error }, { reason: 'handler_error', error: undefined })
  assert.deepEqual(seen, [fault])
})

test('an onClosed that throws is reported, and the connection is counted', async t => {
  const fault = new Error('boom')
  const seen: unknown[] = []
  const upstream = await listen(t)
  const relay = await startOnHandles(t, `127.0.0.1:${upstream.port}`, {
    onError: error => seen.push(error),
    onClosed: () => {
      throw fault
    },
  })
  dial(t, relay.port).end('hello')
  ;(await upstream.accept()).resume().end()
  await relay.record()
  await until(() => seen.length > 0)
  assert.deepEqual(seen, [fault])
  assert.equal(relay.server.stats().closed.done, 1)
})
