// http2.connect() over connect(): the connection stands and has sent its header before HTTP/2 takes it over.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import http2 from 'node:http2'
import { text as textOf } from 'node:stream/consumers'
import { test } from 'node:test'
import { certificate } from 'test-support/certificates'
import { turns } from 'test-support/sockets'
import { connect } from '../../src/client/index.ts'
import type { HeaderInit } from '../../src/codec/index.ts'
import { connectionInfo } from '../../src/server/index.ts'
import { listenAttached } from '../support/attached.ts'
import { DESTINATION, SOURCE } from '../support/headers.ts'
import { createHarness } from '../support/harness.ts'

const HEADER: HeaderInit = { source: SOURCE, destination: DESTINATION }

function tellClient(request: http2.Http2ServerRequest, response: http2.Http2ServerResponse): void {
  const { remoteAddress, remotePort } = request.socket
  const { address } = connectionInfo(request)?.via.peer as { address: string }
  response.end(`${remoteAddress}:${remotePort} by ${address}`)
}

const kinds = {
  h2c: { server: () => http2.createServer(tellClient), scheme: 'http', tls: false },
  'h2 over TLS': {
    server: () => http2.createSecureServer(certificate, tellClient),
    scheme: 'https',
    tls: { ca: certificate.cert, ALPNProtocols: ['h2'] },
  },
} as const

for (const [name, { server, scheme, tls }] of Object.entries(kinds)) {
  for (const wait of [0, 20]) {
    test(`http2.connect() speaks ${name} over connect(), also ${wait} turns after it has connected`, async t => {
      const harness = createHarness(t)
      const { port } = await listenAttached(harness, server())
      const socket = await connect({ host: '127.0.0.1', port, tls }, HEADER)
      await turns(wait) // what the server says meanwhile must not be lost
      const session = http2.connect(`${scheme}://127.0.0.1:${port}`, { createConnection: () => socket })
      const requests = [1, 2].map(() => textOf(session.request({ ':path': '/' })))
      const answer = `${SOURCE.address}:${SOURCE.port} by 127.0.0.1`
      assert.deepEqual(await Promise.all(requests), [answer, answer])
      session.close()
      await once(session, 'close')
    })
  }
}
