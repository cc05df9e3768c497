// Which header a request gets from the agents: its own, that of withHeader(), or the agent's; and which requests share a
// connection.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import http, { type IncomingMessage } from 'node:http'
import https from 'node:https'
import { text as textOf } from 'node:stream/consumers'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { certificate } from 'test-support/certificates'
import { turns } from 'test-support/sockets'
import { untyped } from 'test-support/untyped'
import {
  HeaderAgent,
  type HeaderAgentOptions,
  HeaderHttpsAgent,
  type HeaderRequestOptions,
  withHeader,
} from '../../../src/client/index.ts'
import { type HeaderInit, type InetInit, tlv } from '../../../src/codec/index.ts'
import { listenAttached } from '../../support/attached.ts'
import { DESTINATION } from '../../support/headers.ts'
import { createHarness, type Harness } from '../../support/harness.ts'

const HOST = '127.0.0.1'

/** The header of a client of its own. */
function client(port: number): InetInit {
  return { source: { address: '192.0.2.1', port }, destination: DESTINATION }
}

interface Asked {
  /** The client's port, as the server sees it. */
  readonly port: string
  readonly reused: boolean
}

const kinds = {
  HeaderAgent: {
    module: http,
    listen: (onRequest: http.RequestListener) => http.createServer(onRequest),
    make: (options: HeaderAgentOptions) => new HeaderAgent(options),
  },
  HeaderHttpsAgent: {
    module: https,
    listen: (onRequest: http.RequestListener) => https.createServer(certificate, onRequest),
    make: (options: HeaderAgentOptions) => new HeaderHttpsAgent({ ca: certificate.cert, ...options }),
  },
}

for (const [name, { module, listen, make }] of Object.entries(kinds)) {
  /** Asks a server who the client is, through one agent. */
  async function start(
    harness: Harness,
    options: HeaderAgentOptions = {},
  ): Promise<(more?: HeaderRequestOptions) => Promise<Asked>> {
    const { port } = await listenAttached(
      harness,
      listen(({ socket }, response) => response.end(String(socket.remotePort))),
    )
    const agent = make(options)
    harness.defer(() => agent.destroy())
    return async (more = {}) => {
      const where: HeaderRequestOptions = { agent, host: HOST, port, ...more }
      const request = module.get(where)
      const [response] = (await once(request, 'response')) as [IncomingMessage]
      const text = await textOf(response)
      await turns() // the connection goes back to the pool
      return { port: text, reused: request.reusedSocket }
    }
  }

  test(`${name}: a function gives each request its header, by the options of the request`, async t => {
    const header = ({ headers }: HeaderRequestOptions): HeaderInit =>
      client(Number(new Map(Object.entries(headers ?? {})).get('x-port')))
    const ask = await start(createHarness(t), { header })
    for (const port of ['1', '2', '1']) {
      assert.equal((await ask({ headers: { 'x-port': port } })).port, port)
    }
    assert.equal((await ask({ headers: { 'x-port': '2' } })).reused, true)
  })

  test(`${name}: a request is refused if the function gives no header, and fails as the function does`, t => {
    createHarness(t)
    const ask = (header: HeaderAgentOptions['header']): unknown => {
      const options: HeaderRequestOptions = { agent: make({ header }), host: HOST, port: 1 }
      return module.get(options)
    }
    assert.throws(
      () => ask(() => undefined),
      /^TypeError: header must be given with the request, to withHeader\(\)/,
    )
    assert.throws(() => ask(() => untyped(Promise.resolve(client(1)))), TypeError)
    assert.throws(() => ask(() => untyped(null)), TypeError)
    const fault = new Error('no client')
    assert.throws(() => ask(() => { throw fault }), fault) // prettier-ignore
  })

  test(`${name}: withHeader() gives its header to all requests inside, also after an await and in a queue`, async t => {
    const ask = await start(createHarness(t), { maxSockets: 1, header: client(9) })
    const asked = [1, 2, 1, 2, 3].map(port =>
      withHeader(client(port), async () => {
        await turn()
        return (await ask()).port
      }),
    )
    assert.deepEqual(await Promise.all(asked), ['1', '2', '1', '2', '3'])
    assert.equal((await ask()).port, '9', 'outside the header of the agent counts')
  })

  test(`${name}: a header of the request counts before that of withHeader(), and that before the agent's`, async t => {
    const ask = await start(createHarness(t), { header: client(3) })
    await withHeader(client(2), async () => {
      assert.equal((await ask({ header: client(1) })).port, '1')
      assert.equal((await ask()).port, '2')
      await withHeader(client(4), async () => assert.equal((await ask()).port, '4'))
    })
    assert.equal((await ask()).port, '3')
  })

  test(`${name}: null is not a header, wherever it is given`, t => {
    createHarness(t)
    const options = { agent: make({ header: client(1) }), host: HOST, port: 1, header: null }
    assert.throws(() => module.get(untyped(options)), TypeError)
    assert.throws(() => make(untyped({ header: null })), TypeError)
    assert.throws(() => withHeader(untyped(null), () => {}), TypeError)
  })

  test(`${name}: an object that changes inside withHeader() moves no request to another client`, async t => {
    const ask = await start(createHarness(t))
    const header: { -readonly [Key in keyof InetInit]: InetInit[Key] } = client(1)
    await withHeader(header, async () => {
      header.source = { address: '192.0.2.9', port: 9 }
      assert.equal((await ask()).port, '1')
    })
  })

  test(`${name}: with pool 'source-address' requests share connections whose headers differ in source port and unique id`, async t => {
    const ask = await start(createHarness(t), { pool: 'source-address' })
    const withId = (port: number, id: string): HeaderInit => ({
      ...client(port),
      tlvs: [tlv.uniqueId(Buffer.from(id))],
    })
    assert.deepEqual(await ask({ header: client(1) }), { port: '1', reused: false })
    assert.deepEqual(
      await ask({ header: client(2) }),
      { port: '1', reused: true },
      'it sees the earlier port',
    )
    assert.deepEqual(await ask({ header: withId(3, 'a') }), { port: '1', reused: true })
    assert.deepEqual(await ask({ header: withId(4, 'b') }), { port: '1', reused: true })
    for (const header of [
      { ...client(5), source: { address: '192.0.2.2', port: 5 } },
      { ...client(6), destination: { ...DESTINATION, port: 1 } },
      { ...client(7), tlvs: [tlv.authority('a.test')] },
      { ...client(8), version: 1 },
    ] as const) {
      assert.deepEqual(await ask({ header }), { port: String(header.source.port), reused: false })
    }
  })

  test(`${name}: with pool 'source-address' headers without addresses share connections with their like alone`, async t => {
    const ask = await start(createHarness(t), { pool: 'source-address' })
    const unix = { source: { path: '/a' }, destination: { path: '/b' } }
    for (const header of [{ command: 'LOCAL' }, unix, { ...unix, source: { path: '/c' } }] as const) {
      assert.equal((await ask({ header })).reused, false)
      assert.equal((await ask({ header })).reused, true)
    }
  })

  test(`${name}: refuses a pool that it does not know`, () => {
    assert.throws(() => make({ pool: untyped('address') }), {
      name: 'TypeError',
      message: "pool must be 'header' or 'source-address', got 'address'",
    })
  })
}

test('withHeader() gives what its callback gives, and throws what it throws', () => {
  assert.equal(
    withHeader(client(1), () => 1),
    1,
  )
  const fault = new Error('callback')
  assert.throws(() => withHeader(client(1), () => { throw fault }), fault) // prettier-ignore
})

test('withHeader() refuses a header that cannot be encoded, and what is not a callback', () => {
  assert.throws(() => withHeader(untyped({ accept: '*/*' }), () => {}), TypeError)
  assert.throws(() => withHeader(client(1), untyped(undefined)), {
    name: 'TypeError',
    message: 'callback must be a function, got undefined',
  })
})
