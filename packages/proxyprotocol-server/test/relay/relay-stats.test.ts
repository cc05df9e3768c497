// What a relay tells of itself: totals that agree with its records, and its connections of this moment.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { encodeHeader, tlv } from 'proxyprotocol'
import { closedPort, content, until } from 'test-support/sockets'
import { certificateFiles } from '../support/certificate-files.ts'
import { startRelay } from '../support/relay.ts'
import { dialSecure } from '../support/secure.ts'
import { chunk, dial, listen, outcome } from '../support/connections.ts'

const ends = {
  source: { address: '192.0.2.1', port: 9 },
  destination: { address: '192.0.2.2', port: 80 },
}

test('the table of connections shows who is there, since when, and what has moved; the totals add it up', async t => {
  const upstream = await listen(t)
  const relay = await startRelay(t, `127.0.0.1:${upstream.port}?pp=noop`)
  const client = dial(t, relay.port)
  client.write('hello')
  const far = await upstream.accept()
  await chunk(far)
  far.write('hi')
  await chunk(client)
  const [connection, ...others] = [...relay.connections()]
  assert.ok(connection)
  assert.deepEqual(others, [])
  const { id, age, ...rest } = connection
  const peer = { address: '127.0.0.1', port: client.localPort }
  const local = { address: '127.0.0.1', port: relay.port }
  assert.deepEqual(rest, {
    state: 'open',
    peer,
    source: peer,
    destination: local,
    upstream: { address: '127.0.0.1', port: upstream.port },
    tls: undefined,
    bytesUp: 5,
    bytesDown: 2,
    reason: undefined,
  })
  assert.ok(age > 0)
  const { accepted, active, pending, bytesUp, bytesDown } = relay.totals()
  assert.deepEqual({ accepted, active, pending }, { accepted: 1, active: 1, pending: 0 })
  assert.deepEqual({ bytesUp, bytesDown }, { bytesUp: 5, bytesDown: 2 })
  client.end('!')
  far.end()
  await content(far)
  const record = await relay.record()
  await until(() => relay.server.connections.size === 0)
  const totals = relay.totals()
  assert.equal(record.id, id)
  assert.deepEqual([totals.active, totals.closed.done, totals.bytesUp, totals.bytesDown], [0, 1, 6, 2])
  assert.deepEqual([...relay.connections()], [])
})

test('a connection whose header is awaited is pending, and has moved nothing', async t => {
  const relay = await startRelay(t, '127.0.0.1:1', { source: '127.0.0.1:0?pp=detect', trust: ['127.0.0.1'] })
  dial(t, relay.port)
  await until(() => relay.totals().pending === 1)
  const [connection] = [...relay.connections()]
  assert.deepEqual([connection?.state, connection?.bytesUp, connection?.upstream], ['header', 0, undefined])
})

test('headers are counted by version and command', async t => {
  const upstream = await listen(t)
  const relay = await startRelay(t, `127.0.0.1:${upstream.port}`, {
    source: '127.0.0.1:0?pp=detect',
    trust: ['127.0.0.1'],
  })
  const headers = [
    encodeHeader(ends),
    encodeHeader({ ...ends, version: 1 }),
    encodeHeader({ command: 'LOCAL' }),
    encodeHeader(ends),
  ]
  for (const [n, header] of headers.entries()) {
    const client = dial(t, relay.port)
    client.end(header)
    ;(await upstream.accept()).resume().end()
    await content(client)
    await relay.record(n)
  }
  assert.deepEqual(relay.totals().headers, [
    { version: 2, command: 'PROXY', count: 2 },
    { version: 1, command: 'PROXY', count: 1 },
    { version: 2, command: 'LOCAL', count: 1 },
  ])
})

test('a record says which headers came and went, what is known of TLS, and how long the stages took', async t => {
  const upstream = await listen(t)
  const relay = await startRelay(t, `127.0.0.1:${upstream.port}?pp=v1`, {
    source: '127.0.0.1:0?pp=detect',
    trust: ['127.0.0.1'],
  })
  const client = dial(t, relay.port)
  const ssl = tlv.ssl({ version: 'TLSv1.3' })
  client.end(encodeHeader({ ...ends, tlvs: [tlv.authority('example.org'), ssl] }))
  const far = await upstream.accept()
  far.resume().end('hi')
  await content(client)
  const { received, sent, tls, upstreamAddress, timings, age } = await relay.record()
  assert.deepEqual([received?.version, received?.command, sent], [2, 'PROXY', 'v1'])
  assert.deepEqual(tls, { version: 'TLSv1.3', serverName: 'example.org' })
  assert.deepEqual(upstreamAddress, { address: '127.0.0.1', port: upstream.port })
  const { header, connect, firstByte } = timings
  assert.ok(header > 0 && connect !== undefined && connect > 0)
  assert.ok(firstByte !== undefined && firstByte >= header + connect && firstByte <= age)
  const { connects, ages } = relay.totals()
  assert.equal(connects.sum, connect)
  assert.equal(ages.sum, age)
})

test('of TLS that ends at the relay the socket is asked, while it knows', async t => {
  const upstream = await listen(t)
  const relay = await startRelay(t, `127.0.0.1:${upstream.port}`, { source: certificateFiles(t).source })
  for (const [n, servername, serverName] of [
    [0, 'localhost', 'localhost'],
    [1, '', undefined],
  ] as const) {
    const { secure } = dialSecure(t, relay.port, { servername, checkServerIdentity: () => undefined })
    secure.end('hello')
    const far = await upstream.accept()
    const [open] = [...relay.connections()]
    assert.deepEqual(open?.tls, { version: 'TLSv1.3', serverName })
    far.resume().end()
    await content(secure)
    assert.deepEqual((await relay.record(n)).tls, { version: 'TLSv1.3', serverName })
  }
})

test('an upstream that is not reached leaves its part of the record and of the totals empty', async t => {
  const relay = await startRelay(t, `127.0.0.1:${await closedPort()}`)
  await outcome(dial(t, relay.port))
  const { received, sent, tls, upstreamAddress, timings } = await relay.record()
  assert.deepEqual([received, sent, tls, upstreamAddress], [undefined, undefined, undefined, undefined])
  assert.deepEqual([timings.connect, timings.firstByte], [undefined, undefined])
  const { connects, ages } = relay.totals()
  const [connected, ended] = [connects, ages].map(({ counts }) =>
    counts.reduce((sum, count) => sum + count, 0),
  )
  assert.deepEqual([connected, ended], [0, 1])
})
