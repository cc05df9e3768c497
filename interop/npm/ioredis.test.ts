// ioredis over openSocket(), plain and over TLS.

import assert from 'node:assert/strict'
import { createServer } from 'node:net'
import { test } from 'node:test'
import tls from 'node:tls'
import { AbstractConnector, Redis } from 'ioredis'
import { openSocket, type OpenSocketOptions } from 'proxyprotocol/client'
import { serveRedis } from './databases/redis.ts'
import { certificate, CLIENT, headerOf, HOST, listen } from './support.ts'

/** A connector of ioredis whose connections start with a header. */
function connectorTo(options: OpenSocketOptions) {
  return class extends AbstractConnector {
    constructor() {
      super(1000)
    }

    override connect() {
      this.stream = openSocket(options, headerOf())
      return Promise.resolve(this.stream)
    }
  }
}

for (const name of ['plain', 'TLS'] as const) {
  test(`ioredis speaks to a server over openSocket(), ${name}, and the server sees the client`, async t => {
    const server = name === 'TLS' ? tls.createServer(certificate, serveRedis) : createServer(serveRedis)
    const port = await listen(t, server)
    const Connector = connectorTo({ host: HOST, port, tls: name === 'TLS' && { ca: certificate.cert } })
    const client = new Redis({ Connector, enableReadyCheck: false, lazyConnect: true })
    await client.connect()
    assert.equal(await client.ping(), CLIENT.address)
    client.disconnect()
  })
}
