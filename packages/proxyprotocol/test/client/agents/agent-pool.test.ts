// Connections in the pool of HeaderAgent and HeaderHttpsAgent speak for one client each.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import type http from 'node:http'
import { type IncomingMessage } from 'node:http'
import https from 'node:https'
import { text as textOf } from 'node:stream/consumers'
import { test } from 'node:test'
import type { TLSSocket } from 'node:tls'
import { certificate } from 'test-support/certificates'
import { turns } from 'test-support/sockets'
import type { HeaderAgent } from '../../../src/client/index.ts'
import {
  HeaderHttpsAgent,
  type HeaderHttpsAgentOptions,
  type HeaderRequestOptions,
} from '../../../src/client/index.ts'
import { tlvType, type InetInit } from '../../../src/codec/index.ts'
import { listenAttached } from '../../support/attached.ts'
import { DESTINATION } from '../../support/headers.ts'
import { createHarness, type Harness } from '../../support/harness.ts'
import {
  HOST,
  TRUSTED,
  client,
  UnkeyedHttpsAgent,
  kinds,
  tellClient,
  startAgent,
} from '../../support/agents.ts'

for (const [name, kind] of Object.entries(kinds)) {
  const { agent: make, unkeyed } = kind

  test(`${name}: requests of one client share a kept connection`, async t => {
    const { server, ask } = await startAgent(createHarness(t), kind)
    assert.equal((await ask(client(1))).request.reusedSocket, false)
    const { text, request } = await ask(client(1))
    assert.deepEqual([text, request.reusedSocket, server.sockets.length], ['192.0.2.1:1', true, 1])
  })

  test(`${name}: two clients never share a connection, as they do where the pool's key lacks the header`, async t => {
    const harness = createHarness(t)
    const served = async (agent: HeaderAgent | HeaderHttpsAgent): Promise<string[]> => {
      const { ask } = await startAgent(harness, kind, { agent })
      const answers: string[] = []
      for (const port of [1, 2, 1]) answers.push((await ask(client(port))).text)
      return answers
    }
    assert.deepEqual(await served(unkeyed()), ['192.0.2.1:1', '192.0.2.1:1', '192.0.2.1:1'])
    assert.deepEqual(await served(make()), ['192.0.2.1:1', '192.0.2.1:2', '192.0.2.1:1'])
  })

  test(`${name}: headers that differ in anything have connections of their own`, async t => {
    const { server, ask } = await startAgent(createHarness(t), kind)
    const tlvs = [{ type: tlvType.noop, value: new Uint8Array() }]
    const destination = { ...DESTINATION, port: 1 }
    for (const header of [client(1), { ...client(1), tlvs }, { ...client(1), destination }, client(1)]) {
      await ask(header)
    }
    assert.equal(server.sockets.length, 3)
  })

  test(`${name}: many clients at a time are each served as themselves, within maxSockets`, async t => {
    const { server, ask } = await startAgent(createHarness(t), kind, { agent: make({ maxSockets: 2 }) })
    const asked = Array.from({ length: 60 }, (_, i) => 1 + (i % 12))
    const answers = await Promise.all(asked.map(port => ask(client(port))))
    assert.deepEqual(
      answers.map(({ text }) => text),
      asked.map(port => `192.0.2.1:${port}`),
    )
    assert.ok(server.sockets.length <= 24, `${server.sockets.length} connections for 12 clients`)
  })

  test(`${name}: maxFreeSockets bounds the connections that wait, of all clients together`, async t => {
    const agent = make({ maxFreeSockets: 3 })
    const { ask } = await startAgent(createHarness(t), kind, { agent })
    for (let port = 1; port <= 12; port++) await ask(client(port))
    const waiting = Object.values(agent.freeSockets).flat()
    assert.equal(waiting.length, 3)
    assert.equal((await ask(client(12))).request.reusedSocket, true, 'those that came last are kept')
    assert.equal((await ask(client(1))).request.reusedSocket, false)
  })

  test(`${name}: maxTotalSockets bounds the connections of all clients, also while they connect`, async t => {
    let open = 0
    let most = 0
    const onRequest: http.RequestListener = (request, response) => {
      most = Math.max(most, ++open)
      setImmediate(() => {
        open--
        tellClient(request, response)
      })
    }
    const agent = make({ maxTotalSockets: 3, keepAlive: false })
    const { ask } = await startAgent(createHarness(t), kind, { agent, onRequest })
    const asking = Array.from({ length: 12 }, (_, i) => ask(client(i + 1)))
    const sockets = Object.values(agent.sockets).reduce((sum, list) => sum + (list?.length ?? 0), 0)
    assert.equal(sockets, 3)
    await Promise.all(asking)
    assert.ok(most <= 3, `${most} at a time`)
  })

  test(`${name}: a header object that changes later moves no connection to another client`, async t => {
    const { ask } = await startAgent(createHarness(t), kind)
    const header: { -readonly [Key in keyof InetInit]: InetInit[Key] } = client(1)
    const first = ask(header)
    header.source = { address: '192.0.2.1', port: 2 }
    assert.equal((await first).text, '192.0.2.1:1')
    assert.equal((await ask(header)).text, '192.0.2.1:2')
    assert.equal((await ask(client(1))).request.reusedSocket, true)
  })
}

/** How often the last of three connections, for two clients in turn, resumed a session: for the second client, then for the first. */
async function resumed(harness: Harness, agent: HeaderHttpsAgent): Promise<unknown[]> {
  const server = await listenAttached(harness, https.createServer(certificate, tellClient))
  const reused: unknown[] = []
  for (const port of [1, 2, 1]) {
    const options: HeaderRequestOptions = { agent, host: HOST, port: server.port, header: client(port) }
    const [response] = (await once(https.get(options), 'response')) as [IncomingMessage]
    reused.push((response.socket as Partial<TLSSocket>).isSessionReused?.())
    await textOf(response)
    await turns()
  }
  return reused
}

test('HeaderHttpsAgent: a TLS session is resumed for its own client only, not as where the key lacks the header', async t => {
  const harness = createHarness(t)
  const options: HeaderHttpsAgentOptions = { ...TRUSTED, keepAlive: false }
  assert.deepEqual(await resumed(harness, new UnkeyedHttpsAgent(options)), [false, true, true])
  assert.deepEqual(await resumed(harness, new HeaderHttpsAgent(options)), [false, false, true])
})
