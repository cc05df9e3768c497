// What others change about a server's methods after attach(), as agents that watch programs do, is seen as it is without.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import http, { type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { test, type TestContext } from 'node:test'
import { attach } from '../../../src/server/index.ts'
import { V2 } from '../../support/headers.ts'
import { createHarness } from '../../support/harness.ts'

type Method = (...args: unknown[]) => unknown

/** What all servers of http have in common. */
const ofHttp = Object.getPrototypeOf(http.createServer()) as object

/** Has a method note its first argument until the test ends. */
function patch(t: TestContext, target: object, name: string): unknown[] {
  const seen: unknown[] = []
  const methods = target as Record<string, Method>
  const original = methods[name] ?? assert.fail()
  const isOwn = Object.hasOwn(target, name)
  methods[name] = function (this: unknown, ...args) {
    seen.push(args[0])
    return original.apply(this, args)
  }
  t.after(() => {
    if (isOwn) methods[name] = original
    else Reflect.deleteProperty(target, name)
  })
  return seen
}

async function ask(t: TestContext, server: Server): Promise<void> {
  const harness = createHarness(t)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const client = harness.dial((server.address() as AddressInfo).port)
  client.write(V2)
  client.write('GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n')
  assert.match(await text(client), /\r\n\r\nhello$/)
  server.close()
  await once(server, 'close')
}

function createServer(): Server {
  return http.createServer((_request, response) => response.end('hello'))
}

for (const [whose, target] of [
  ['the class of http', ofHttp],
  ['another class above it', Object.getPrototypeOf(ofHttp) as object],
] as const) {
  test(`an emit() of ${whose} that is replaced after attach() sees the server's events`, async t => {
    const server = attach(createServer(), { trust: 'anyone' })
    const seen = patch(t, target, 'emit')
    await ask(t, server)
    for (const event of ['listening', 'connection', 'request', 'close'])
      assert.ok(seen.includes(event), event)
    assert.equal(seen.filter(event => event === 'connection').length, 1)
  })
}

test('a close() of the class that is replaced after attach() is called', async t => {
  const server = attach(createServer(), { trust: 'anyone' })
  const seen = patch(t, ofHttp, 'close')
  await ask(t, server)
  assert.deepEqual(seen, [undefined])
})

test("a server's own emit() from before attach() stays in use", async t => {
  const server = createServer()
  const seen = patch(t, server, 'emit')
  await ask(t, attach(server, { trust: 'anyone' }))
  for (const event of ['listening', 'connection', 'request', 'close']) assert.ok(seen.includes(event), event)
})
