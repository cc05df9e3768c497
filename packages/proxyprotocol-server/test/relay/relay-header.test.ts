// What an upstream is sent first: the header, then the payload.

import assert from 'node:assert/strict'
import { Socket } from 'node:net'
import { test } from 'node:test'
import { parseHeader, readTlvs } from 'proxyprotocol'
import { content, until } from 'test-support/sockets'
import { holdName } from '../support/names.ts'
import { startOnSockets, startRelay } from '../support/relay.ts'
import { chunk, connectedSockets, dial, listen } from '../support/connections.ts'
import { split } from '../support/relay-bytes.ts'

test('a version 2 header with a unique id and the first payload arrive in one piece', async t => {
  const upstream = await listen(t)
  const relay = await startRelay(t, `127.0.0.1:${upstream.port}`)
  const client = dial(t, relay.port)
  client.end('hello')
  const far = await upstream.accept()
  const { header, payload } = split(await chunk(far))
  assert.equal(payload.toString(), 'hello')
  assert.equal(header.version, 2)
  assert.ok('source' in header)
  assert.deepEqual(header.source, { address: '127.0.0.1', port: client.localPort })
  assert.deepEqual(header.destination, { address: '127.0.0.1', port: relay.port })
  far.resume().end()
  client.resume()
  const { id, reason } = await relay.record()
  const { uniqueId } = readTlvs(header)
  assert.equal(uniqueId && Buffer.from(uniqueId).toString('hex'), id.replaceAll('-', ''))
  assert.equal(reason, 'done')
})

test('each connection gets a unique id of its own', async t => {
  const upstream = await listen(t)
  const relay = await startRelay(t, `127.0.0.1:${upstream.port}`)
  const ids = new Set<string>()
  for (let i = 0; i < 10; i++) {
    dial(t, relay.port)
    const header = parseHeader(await chunk(await upstream.accept()))
    const { uniqueId } = readTlvs(header)
    assert.equal(uniqueId?.length, 16)
    ids.add(Buffer.from(uniqueId).toString('hex'))
  }
  assert.equal(ids.size, 10)
})

test('payload that came in pieces while the upstream was connecting leaves with the header in one write', async t => {
  const upstream = await listen(t)
  const made = connectedSockets(t)
  const name = holdName(t, 'upstream.test')
  const relay = await startOnSockets(t, `upstream.test:${upstream.port}`)
  const client = dial(t, relay.port)
  client.write('first ')
  await name.asked
  const [connection] = relay.server.connections
  client.write('second')
  await until(() => connection?.socket.readableLength === 'first second'.length)
  const writes = t.mock.method(Socket.prototype, '_write')
  name.answer('127.0.0.1')
  const { payload } = split(await chunk(await upstream.accept()))
  assert.equal(payload.toString(), 'first second')
  const [near] = made()
  assert.ok(near)
  assert.equal(writes.mock.calls.filter(call => call.this === near).length, 1)
})

test('?pp=v1 sends a version 1 line before the payload', async t => {
  const upstream = await listen(t)
  const relay = await startRelay(t, `127.0.0.1:${upstream.port}?pp=v1`)
  const client = dial(t, relay.port)
  client.write('hello')
  const bytes = await chunk(await upstream.accept())
  const line = `PROXY TCP4 127.0.0.1 127.0.0.1 ${String(client.localPort)} ${relay.port}\r\n`
  assert.equal(bytes.toString('latin1'), `${line}hello`)
})

test('?pp=noop sends the payload alone', async t => {
  const upstream = await listen(t)
  const relay = await startRelay(t, `127.0.0.1:${upstream.port}?pp=noop`)
  const client = dial(t, relay.port)
  client.end('hello')
  assert.equal((await content(await upstream.accept())).toString(), 'hello')
})

test('a server that speaks first gets the header from a client that says nothing', async t => {
  const upstream = await listen(t)
  const relay = await startRelay(t, `127.0.0.1:${upstream.port}`)
  const client = dial(t, relay.port)
  const far = await upstream.accept()
  const { header, payload } = split(await chunk(far))
  assert.equal(header.command, 'PROXY')
  assert.equal(payload.length, 0)
  far.write('220 ready')
  assert.equal((await chunk(client)).toString(), '220 ready')
})

test('with ?pp=noop a server that speaks first is connected to at once, and sent nothing', async t => {
  const upstream = await listen(t)
  const relay = await startRelay(t, `127.0.0.1:${upstream.port}?pp=noop`)
  const client = dial(t, relay.port)
  const far = await upstream.accept()
  far.end('220 ready')
  assert.equal((await content(client)).toString(), '220 ready')
  client.end()
  assert.equal((await content(far)).length, 0)
})

test('an IPv6 listener and an IPv6 upstream make an INET6 header', async t => {
  const upstream = await listen(t, '::1')
  const relay = await startRelay(t, `[::1]:${upstream.port}`, { source: '[::1]:0' })
  const client = dial(t, relay.port, '::1')
  const header = parseHeader(await chunk(await upstream.accept()))
  assert.equal(header.family, 'INET6')
  assert.deepEqual(header.source, { address: '::1', port: client.localPort })
  assert.deepEqual(header.destination, { address: '::1', port: relay.port })
})

for (const version of [1, 2] as const) {
  test(`a dual-stack listener shows an IPv4 client as IPv4 in version ${version}`, async t => {
    const upstream = await listen(t)
    const relay = await startRelay(t, `127.0.0.1:${upstream.port}?pp=v${version}`, { source: '[::]:0' })
    const client = dial(t, relay.port)
    const header = parseHeader(await chunk(await upstream.accept()))
    assert.equal(header.version, version)
    assert.equal(header.family, 'INET')
    assert.deepEqual(header.source, { address: '127.0.0.1', port: client.localPort })
  })
}
