import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { decodeHeader } from 'proxyprotocol'
import { SSL_REQUEST } from '../../../src/relay/passthrough/index.ts'
import { clientHello } from '../../support/client-hello.ts'
import { chunk, dial, listen, type Listener, outcome } from '../../support/connections.ts'
import { startRelay, type TestRelay } from '../../support/relay.ts'

async function scene(t: TestContext): Promise<{ relay: TestRelay; upstream: Listener }> {
  const upstream = await listen(t)
  const relay = await startRelay(t, [], {
    passthrough: {
      unknownNames: 'reject',
      routes: [{ names: ['db.example'], upstreams: [`127.0.0.1:${upstream.port}`] }],
    },
  })
  return { relay, upstream }
}

test("PostgreSQL's request for TLS is answered, and repeated to the upstream of the name that follows", async t => {
  const { relay, upstream } = await scene(t)
  const client = dial(t, relay.port)
  client.write(SSL_REQUEST.subarray(0, 3))
  await new Promise(setImmediate)
  client.write(SSL_REQUEST.subarray(3))
  assert.equal((await chunk(client)).toString(), 'S')
  const hello = await clientHello({ servername: 'db.example' })
  client.write(hello)
  const far = await upstream.accept()
  const first = await chunk(far)
  const result = decodeHeader(first)
  assert.equal(result.status, 'header')
  assert.deepEqual(first.subarray(result.byteLength), Buffer.from(SSL_REQUEST))
  far.write('S')
  assert.deepEqual(await chunk(far), hello)
  far.write('the ServerHello')
  assert.equal((await chunk(client)).toString(), 'the ServerHello')
  client.end()
  far.end()
  const { reason, tls, bytesUp } = await relay.record(0)
  assert.deepEqual([reason, tls?.serverName, bytesUp], ['done', 'db.example', hello.length])
})

test('an upstream that answers the request with anything but S fails the connection', async t => {
  const { relay, upstream } = await scene(t)
  for (const [index, [answer, got]] of (
    [
      ['N', '"N"'],
      ['', 'nothing'],
    ] as const
  ).entries()) {
    const client = dial(t, relay.port)
    client.write(Buffer.concat([SSL_REQUEST, await clientHello({ servername: 'db.example' })]))
    const ended = outcome(client)
    const far = await upstream.accept()
    far.end(answer)
    await ended
    const { reason, error } = await relay.record(index)
    assert.equal(reason, 'tls_upstream_error')
    assert.match(error?.message ?? '', new RegExp(`request for TLS with "S", got ${got}`))
  }
})

test('a client that leaves while its upstream owes the answer has reset', async t => {
  const { relay, upstream } = await scene(t)
  const client = dial(t, relay.port)
  client.write(Buffer.concat([SSL_REQUEST, await clientHello({ servername: 'db.example' })]))
  const far = await upstream.accept()
  await chunk(far)
  client.resetAndDestroy()
  await outcome(far)
  assert.equal((await relay.record(0)).reason, 'client_reset')
})

test('what begins as the request and is none is refused', async t => {
  const { relay } = await scene(t)
  for (const bytes of [Buffer.from('0000000804d2162e', 'hex'), Buffer.concat([SSL_REQUEST, SSL_REQUEST])]) {
    const client = dial(t, relay.port)
    client.write(bytes)
    await outcome(client)
  }
  for (const index of [0, 1]) {
    const { reason, error } = await relay.record(index)
    assert.equal(reason, 'tls_client_error')
    assert.match(error?.message ?? '', /its record has the type 0, not 22/)
  }
})
