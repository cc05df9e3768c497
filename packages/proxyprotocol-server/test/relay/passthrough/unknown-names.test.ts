import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { encodeHeader } from 'proxyprotocol'
import { parseService } from '../../../src/config/index.ts'
import { clientHello } from '../../support/client-hello.ts'
import { chunk, dial, listen, outcome } from '../../support/connections.ts'
import { passed, startRelay } from '../../support/relay.ts'
import { dialSecure } from '../../support/secure.ts'

const REFUSING = { unknownNames: 'reject' } as const
const ALERT = Buffer.from('15030300020270', 'hex')

test('a name without a route gets the alert unrecognized_name, and the log has the name', async t => {
  const known = await listen(t)
  const routes = [{ names: ['a.example'], upstreams: [`127.0.0.1:${known.port}`] }]
  const relay = await startRelay(t, [], { passthrough: { ...REFUSING, routes } })
  const hello = await clientHello({ servername: 'a.example' })
  assert.deepEqual((await passed(t, relay, known, hello)).subarray(-hello.length), hello)

  for (const servername of ['b.example', '']) {
    const { secure } = dialSecure(t, relay.port, { servername })
    const [error] = (await once(secure, 'error')) as [NodeJS.ErrnoException]
    assert.equal(error.code, 'ERR_SSL_TLSV1_UNRECOGNIZED_NAME')
  }
  const [named, nameless] = [await relay.record(1), await relay.record(2)]
  assert.deepEqual([named.reason, named.tls?.serverName], ['tls_client_error', 'b.example'])
  assert.match(named.error?.message ?? '', /no certificate and no route is for "b\.example"/)
  assert.match(nameless.error?.message ?? '', /the client sent no server name/)
})

test('a client that stays after the alert is reset after timeouts.halfClose', async t => {
  const routes = [{ names: ['a.example'], upstreams: ['127.0.0.1:1'] }]
  const relay = await startRelay(t, [], {
    passthrough: { ...REFUSING, routes },
    timeouts: { halfClose: 1 },
  })
  const client = dial(t, relay.port)
  client.write(await clientHello())
  assert.deepEqual(await chunk(client), ALERT)
  assert.equal((await relay.record(0)).reason, 'tls_client_error')
})

test('without an upstream of its own a service counts the checks of the proxy in front as probes', async t => {
  const routes = [{ names: ['a.example'], upstreams: ['127.0.0.1:1'] }]
  const relay = await startRelay(t, [], {
    source: '127.0.0.1:0?pp=v2',
    trust: ['127.0.0.1'],
    passthrough: { ...REFUSING, routes },
  })
  const client = dial(t, relay.port)
  client.write(encodeHeader({ command: 'LOCAL' }))
  await outcome(client)
  assert.equal((await relay.record(0)).reason, 'probe')
})

test('a service may lack an upstream only if it refuses unknown names and has routes', () => {
  const routes = [{ names: ['a.example'], upstreams: ['127.0.0.1:3'] }]
  const { pool, upstream } = parseService(':1', [], { passthrough: { ...REFUSING, routes } })
  assert.deepEqual([pool.upstreams, upstream], [[], { ...upstream, host: '127.0.0.1', port: 3 }])
  assert.throws(
    () => parseService(':1', [], { passthrough: { routes } }),
    /upstream must be a string such as/,
  )
  assert.throws(
    () => parseService(':1', ':2', { passthrough: REFUSING }),
    /passthrough\.unknownNames must be "default" without `routes`, got "reject"/,
  )
})
