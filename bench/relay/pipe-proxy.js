// What most people would write: `pipe-proxy.js PORT TLS_PORT UPSTREAM_PORT CERT KEY`, with a header, and pipe() both ways.
// Plain JavaScript, as what tsx makes of a source file names every function it creates.

import { readFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { createServer as createTlsServer } from 'node:tls'
import { encodeHeader } from 'proxyprotocol'
import { headerFor } from 'proxyprotocol/client'

const [port = 0, tlsPort = 0, upstreamPort = 0] = process.argv.slice(2, 5).map(Number)
const [cert = '', key = ''] = process.argv.slice(5)
const options = { allowHalfOpen: true, noDelay: true }

createServer(options, onConnection).listen(port, '127.0.0.1')
const certificate = { cert: readFileSync(cert), key: readFileSync(key) }
createTlsServer({ ...options, ...certificate }, onConnection).listen(tlsPort, '127.0.0.1')

/** @param {import('node:net').Socket} downstream */
function onConnection(downstream) {
  const upstream = connect({ ...options, port: upstreamPort, host: '127.0.0.1' })
  upstream.write(encodeHeader(headerFor(downstream)))
  downstream.pipe(upstream)
  upstream.pipe(downstream)
  downstream.on('error', () => upstream.destroy())
  upstream.on('error', () => downstream.destroy())
}
