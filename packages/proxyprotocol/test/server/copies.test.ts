// Two copies of the library in one process, as import and require give them: they share what they know.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import http from 'node:http'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import { PassThrough } from 'node:stream'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import * as codec from 'proxyprotocol'
import { connect } from 'proxyprotocol/client'
import * as modules from 'proxyprotocol/server'
import { certificate } from 'test-support/certificates'
import { text as received, until } from 'test-support/sockets'
import { DESTINATION, SOURCE, V2 } from '../support/headers.ts'
import { createHarness } from '../support/harness.ts'
import { dialSecure } from '../support/secure.ts'

/** The build for CommonJS, which Node itself would not choose. */
const require = createRequire(import.meta.url)
const required = require('../../dist/cjs/server/index.js') as typeof modules
const requiredCodec = require('../../dist/cjs/codec/index.js') as typeof codec
const { ProxyProtocolError } = codec

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

  test(`startTls() starts TLS on a connection of a server which was ${name}`, async t => {
    const harness = createHarness(t)
    const server = harness.watch(
      attaching.createServer({ trust: ['127.0.0.1'] }, async connection => {
        const { socket: raw } = connection
        const secure = await asking.startTls(connection, certificate)
        assert.equal(connection.tls, secure)
        await assert.rejects(
          attaching.startTls(raw, certificate),
          /^TypeError: target must be a socket without TLS/,
        )
        secure.write(String(secure.remoteAddress))
      }),
    )
    const { port } = (await server.listen(0, '127.0.0.1')) as AddressInfo
    const { secure } = dialSecure(harness, port)
    assert.equal(await received(secure), SOURCE.address)
    secure.end()
    await until(() => server.stats().active === 0)
    assert.equal(server.stats().closed.done, 1)
    harness.dial(port).end(Buffer.concat([V2, Buffer.from('EHLO mail.example')])) // and not a handshake
    await until(() => server.stats().closed.tls_client_error === 1)
    await server.close()
  })

  test(`attach() refuses a server that a copy attached to which was ${name}`, () => {
    const server = attaching.attach(http.createServer(), { trust: ['127.0.0.1'] })
    assert.throws(
      () => asking.attach(server, { trust: ['127.0.0.1'] }),
      /^Error: attach\(\) was called on this server before$/,
    )
    assert.throws(
      () => asking.admit(server, new PassThrough()),
      /^TypeError: server must be one that attach\(\) was called on, got one that another copy of this library serves$/,
    )
  })
}

test('ProxyProtocolError knows the errors of both copies, and no other', () => {
  const errors = [new ProxyProtocolError('done'), new requiredCodec.ProxyProtocolError('done')]
  for (const Class of [ProxyProtocolError, requiredCodec.ProxyProtocolError]) {
    for (const error of errors) assert.ok(error instanceof Class)
    for (const other of [new Error('done'), { name: 'ProxyProtocolError' }, undefined]) {
      assert.ok(!(other instanceof Class))
    }
    class Own extends Class {}
    assert.ok(new Own('done') instanceof Own && !(errors[0] instanceof Own))
  }
})

test('the copies are two, and have the same names', () => {
  assert.notEqual(required.attach, modules.attach)
  assert.deepEqual(Object.keys(required).sort(), Object.keys(modules).sort())
})
