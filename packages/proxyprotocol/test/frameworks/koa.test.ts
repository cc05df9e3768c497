// Koa behind attach(): `ctx.ip`, and the trap of `app.proxy`.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import Koa from 'koa'
import { clientOf, createHttpServer, listen, peerOf, testFramework } from '../support/framework.ts'
import { V2 } from '../support/headers.ts'
import { httpClients } from '../support/http-clients.ts'
import { HeaderFirst } from '../support/segments.ts'
import { createHarness } from '../support/harness.ts'

function createApp(onRequest: () => void = () => {}): Koa {
  const app = new Koa()
  app.use(ctx => {
    onRequest()
    const { ip, ips, req } = ctx
    const info = [clientOf(ctx), clientOf(ctx.request), clientOf(req)]
    ctx.body = { ip, ips, port: req.socket.remotePort, info, peer: peerOf(ctx) }
  })
  return app
}

const client = '192.0.2.1:56324'

testFramework({
  name: 'koa',
  kinds: ['http', 'https', 'http2', 'h2c'],
  start: (kind, onRequest) => listen(createHttpServer(kind, createApp(onRequest).callback())),
  answer: { ip: '192.0.2.1', ips: [], port: 56324, info: [client, client, client], peer: '127.0.0.1' },
})

test('koa behind attach() leaves app.proxy off: set, it believes what clients write', async t => {
  const harness = createHarness(t)
  const app = createApp()
  app.proxy = true
  const { port, close } = await listen(createHttpServer('http', app.callback()))
  harness.defer(close)
  const stream = new HeaderFirst(harness.dial(port), V2, 'one segment')
  const [answer] = await httpClients['HTTP/1.1'](stream, {
    count: 1,
    headers: { 'x-forwarded-for': '203.0.113.9' },
  })
  assert.deepEqual([answer?.['ip'], answer?.['info']], ['203.0.113.9', [client, client, client]])
})
