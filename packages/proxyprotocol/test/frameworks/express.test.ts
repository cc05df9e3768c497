// Express behind attach(): `request.ip`, and the trap of `trust proxy`.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import express, { type Express } from 'express'
import { clientOf, createHttpServer, listen, peerOf, testFramework } from '../support/framework.ts'
import { V2 } from '../support/headers.ts'
import { httpClients } from '../support/http-clients.ts'
import { HeaderFirst } from '../support/segments.ts'
import { createHarness } from '../support/harness.ts'

function createApp(onRequest: () => void = () => {}): Express {
  const app = express()
  app.get('/', (request, response) => {
    onRequest()
    const { ip, ips, socket } = request
    response.json({ ip, ips, port: socket.remotePort, info: clientOf(request), peer: peerOf(request) })
  })
  return app
}

testFramework({
  name: 'express',
  kinds: ['http', 'https'],
  start: (kind, onRequest) => listen(createHttpServer(kind, createApp(onRequest) as never)),
  answer: { ip: '192.0.2.1', ips: [], port: 56324, info: '192.0.2.1:56324', peer: '127.0.0.1' },
})

test("express behind attach() leaves 'trust proxy' off: set, it believes what clients write", async t => {
  const harness = createHarness(t)
  const app = createApp().set('trust proxy', true)
  const { port, close } = await listen(createHttpServer('http', app as never))
  harness.defer(close)
  const stream = new HeaderFirst(harness.dial(port), V2, 'one segment')
  const [answer] = await httpClients['HTTP/1.1'](stream, {
    count: 1,
    headers: { 'x-forwarded-for': '203.0.113.9' },
  })
  assert.deepEqual([answer?.['ip'], answer?.['info']], ['203.0.113.9', '192.0.2.1:56324'])
})
