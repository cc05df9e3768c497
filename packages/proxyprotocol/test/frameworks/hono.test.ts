// Hono behind attach(), on its server for Node: getConnInfo() and `c.env.incoming`.

import http2 from 'node:http2'
import https from 'node:https'
import type { Server } from 'node:net'
import { createAdaptorServer, type Http2Bindings, type HttpBindings } from '@hono/node-server'
import { getConnInfo } from '@hono/node-server/conninfo'
import { Hono } from 'hono'
import { certificate } from 'test-support/certificates'
import { clientOf, listen, peerOf, testFramework, type HttpKind } from '../support/framework.ts'

function createApp(onRequest: () => void): Hono<{ Bindings: HttpBindings | Http2Bindings }> {
  const app = new Hono<{ Bindings: HttpBindings | Http2Bindings }>()
  app.get('/', c => {
    onRequest()
    const { incoming } = c.env
    const { remoteAddress, remotePort } = incoming.socket
    const socket = `${remoteAddress}:${remotePort}`
    const body = JSON.stringify({
      remote: getConnInfo(c).remote,
      socket,
      info: clientOf(incoming),
      peer: peerOf(incoming),
    })
    return c.body(body, 200, { 'content-length': String(body.length) })
  })
  return app
}

function createServer(kind: HttpKind, fetch: Hono['fetch']): Server {
  switch (kind) {
    case 'http':
      return createAdaptorServer({ fetch })
    case 'https':
      return createAdaptorServer({ fetch, createServer: https.createServer, serverOptions: certificate })
    case 'http2': {
      const serverOptions = { ...certificate, allowHTTP1: true }
      return createAdaptorServer({ fetch, createServer: http2.createSecureServer, serverOptions })
    }
    case 'h2c':
      return createAdaptorServer({ fetch, createServer: http2.createServer })
    default:
      return kind satisfies never
  }
}

testFramework({
  name: 'hono',
  kinds: ['http', 'https', 'http2', 'h2c'],
  start: (kind, onRequest) => listen(createServer(kind, createApp(onRequest).fetch as Hono['fetch'])),
  answer: {
    remote: { address: '192.0.2.1', port: 56324, addressType: 'IPv4' },
    socket: '192.0.2.1:56324',
    info: '192.0.2.1:56324',
    peer: '127.0.0.1',
  },
})
