// Two copies of the library in one process, as import and require give them: they share what they know.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import http from 'node:http'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import { connect } from 'proxyprotocol/client'
import * as modules from 'proxyprotocol/server'
import { DESTINATION, SOURCE } from '../support/headers.ts'
import { createHarness } from '../support/harness.ts'

/** The build for CommonJS, which Node itself would not choose. */
const required = createRequire(import.meta.url)('../../dist/cjs/server/index.js') as typeof modules

for (const [name, attaching, asking] of [
  ['required and asked by an imported one', required, modules],
  ['imported and asked by a required one', modules, required],
] as const) {
  test(`connectionInfo() knows the connections of a server that a copy attached to which was ${name}`, async t => {
    const harness = createHarness(t)
    const server = http.createServer((request, response) => {
      response.end(JSON.stringify(asking.connectionInfo(request)?.source))
    })
    attaching.attach(server, { trust: ['127.0.0.1'] }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    harness.defer(() => server.close())
    const { port } = server.address() as AddressInfo
    const client = await connect({ host: '127.0.0.1', port }, { source: SOURCE, destination: DESTINATION })
    client.write('GET / HTTP/1.0\r\n\r\n')
    const answer = await text(client)
    assert.deepEqual(JSON.parse(answer.slice(answer.indexOf('\r\n\r\n'))), SOURCE)
  })

  test(`attach() refuses a server that a copy attached to which was ${name}`, () => {
    const server = attaching.attach(http.createServer(), { trust: ['127.0.0.1'] })
    assert.throws(
      () => asking.attach(server, { trust: ['127.0.0.1'] }),
      /^Error: attach\(\) was called on this server before$/,
    )
  })
}

test('the copies are two, and have the same names', () => {
  assert.notEqual(required.attach, modules.attach)
  assert.deepEqual(Object.keys(required).sort(), Object.keys(modules).sort())
})
