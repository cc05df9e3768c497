// The diagnostics channel tells of a header that some receivers will not take, by every way to send one.

import assert from 'node:assert/strict'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { once } from 'node:events'
import http from 'node:http'
import https from 'node:https'
import { test, type TestContext } from 'node:test'
import { Client } from 'undici'
import { certificate } from 'test-support/certificates'
import {
  connect,
  connector,
  diagnosticsChannels,
  HeaderAgent,
  HeaderHttpsAgent,
  type LargeHeaderMessage,
} from '../../../src/client/index.ts'
import type { HeaderInit } from '../../../src/codec/index.ts'
import { listenAttached } from '../../support/attached.ts'
import { DESTINATION, SOURCE } from '../../support/headers.ts'
import { createHarness } from '../../support/harness.ts'

const HOST = '127.0.0.1'
const HEADER: HeaderInit = { source: SOURCE, destination: DESTINATION }

function listenToChannel(t: TestContext): LargeHeaderMessage[] {
  const seen: LargeHeaderMessage[] = []
  const onMessage = (message: unknown): void => {
    seen.push(message as LargeHeaderMessage) // only this library publishes there
  }
  subscribe(diagnosticsChannels.largeHeader, onMessage)
  t.after(() => unsubscribe(diagnosticsChannels.largeHeader, onMessage))
  return seen
}

test('the channel of large headers reports a header above 536 bytes and where it goes (spec 2)', async t => {
  const harness = createHarness(t)
  const seen = listenToChannel(t)
  const { port } = await listenAttached(harness, http.createServer())
  for (const padTo of [undefined, 536, 539]) {
    const socket = await connect({ host: HOST, port, padTo }, HEADER)
    socket.destroy()
  }
  assert.deepEqual(seen, [{ byteLength: 539, host: HOST, port, path: undefined }])
  assert.equal(diagnosticsChannels.largeHeader, 'proxyprotocol.client.large_header')
})

test('the channel of large headers is told once for each connection, by agents and undici too', async t => {
  const harness = createHarness(t)
  const seen = listenToChannel(t)
  const plain = await listenAttached(
    harness,
    http.createServer((_request, response) => response.end()),
  )
  const secure = await listenAttached(
    harness,
    https.createServer(certificate, (_request, response) => response.end()),
  )
  const options = { header: HEADER, padTo: 600 }
  for (const [module, agent, { port }] of [
    [http, new HeaderAgent(options), plain],
    [https, new HeaderHttpsAgent({ ...options, ca: certificate.cert }), secure],
  ] as const) {
    for (let i = 0; i < 2; i++) {
      const request = module.get({ agent, host: HOST, port })
      const [response] = (await once(request, 'response')) as [http.IncomingMessage]
      await once(response.resume(), 'close')
    }
    agent.destroy()
  }
  const client = new Client(`http://${HOST}:${plain.port}`, { connect: connector(HEADER, { padTo: 600 }) })
  await (await client.request({ path: '/', method: 'GET' })).body.dump()
  await client.close()
  assert.deepEqual(
    seen.map(({ byteLength, port }) => [byteLength, Number(port)]),
    [plain, secure, plain].map(({ port }) => [600, port]),
  )
})
