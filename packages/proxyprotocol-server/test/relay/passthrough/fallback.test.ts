import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { decodeHeader } from 'proxyprotocol'
import { parseConfig, parseService } from '../../../src/config/index.ts'
import { clientHello } from '../../support/client-hello.ts'
import { chunk, dial, listen, type Listener, outcome } from '../../support/connections.ts'
import { passed, startRelay, type TestRelay } from '../../support/relay.ts'

async function scene(
  t: TestContext,
  timeout = 60_000,
): Promise<{ relay: TestRelay; tls: Listener; other: Listener }> {
  const [tls, other] = [await listen(t), await listen(t)]
  const relay = await startRelay(t, `127.0.0.1:${tls.port}?pp=noop`, {
    passthrough: { fallback: { upstreams: [`127.0.0.1:${other.port}`], timeout } },
  })
  return { relay, tls, other }
}

test('clients that speak no TLS go to the fallback at their first byte, with every byte', async t => {
  const { relay, tls, other } = await scene(t)
  const bytes = await passed(t, relay, other, Buffer.from('SSH-2.0-OpenSSH_9.2\r\n'))
  const result = decodeHeader(bytes)
  assert.equal(result.status, 'header')
  assert.equal(bytes.subarray(result.byteLength).toString(), 'SSH-2.0-OpenSSH_9.2\r\n')
  const hello = await clientHello({ servername: 'a.example' })
  assert.deepEqual(await passed(t, relay, tls, hello), hello)
  assert.deepEqual(
    relay.upstreams().upstreams.map(({ name, total }) => [name, total]),
    [
      [`127.0.0.1:${tls.port}`, 1],
      [`127.0.0.1:${other.port}`, 1],
    ],
  )
})

test('a client that waits for a greeting goes to the fallback after its timeout', async t => {
  const { relay, other } = await scene(t, 1)
  const client = dial(t, relay.port)
  const far = await other.accept()
  far.end('220 mail.example\r\n')
  assert.equal((await chunk(client)).toString(), '220 mail.example\r\n')
  client.end()
  far.resume()
  assert.equal((await relay.record(0)).reason, 'done')
})

test('a broken ClientHello is refused, also with a fallback', async t => {
  const { relay, other } = await scene(t)
  await outcome(dial(t, relay.port).end(Buffer.from('1604', 'hex')))
  assert.equal((await relay.record(0)).reason, 'tls_client_error')
  assert.equal(other.accepted, 0)
})

test('a client that ends without a byte is a probe, also with a fallback', async t => {
  const { relay, other } = await scene(t)
  await outcome(dial(t, relay.port).end())
  assert.equal((await relay.record(0)).reason, 'probe')
  assert.equal(other.accepted, 0)
})

test('the fallback has upstreams of its own', () => {
  const parse = (...upstreams: string[]): unknown =>
    parseService(':1', '127.0.0.1:2', { passthrough: { fallback: { upstreams } } })
  assert.throws(
    () => parse('127.0.0.1:2'),
    /passthrough\.fallback\.upstreams must be another upstream, got a second '127\.0\.0\.1:2'/,
  )
  assert.throws(() => parse(), /passthrough\.fallback\.upstreams must have at least one entry/)
  const service = { listen: ':1', upstream: ':2', passthrough: { fallback: { upstreams: [':1'] } } }
  assert.throws(
    () => parseConfig({ services: [service] }),
    /passthrough\.fallback\.upstreams must not be where the service itself listens/,
  )
})
