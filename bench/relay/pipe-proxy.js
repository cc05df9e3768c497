// What most people would write: `pipe-proxy.js PORT UPSTREAM_PORT`, with a header, and pipe() both ways. Plain JavaScript,
// as what tsx makes of a source file names every function it creates.

import { connect, createServer } from 'node:net'
import { encodeHeader } from 'proxyprotocol'
import { headerFor } from 'proxyprotocol/client'

const [port, upstreamPort] = process.argv.slice(2).map(Number)

createServer({ allowHalfOpen: true, noDelay: true }, downstream => {
  const upstream = connect({ port: upstreamPort ?? 0, host: '127.0.0.1', allowHalfOpen: true, noDelay: true })
  upstream.write(encodeHeader(headerFor(downstream)))
  downstream.pipe(upstream)
  upstream.pipe(downstream)
  downstream.on('error', () => upstream.destroy())
  upstream.on('error', () => downstream.destroy())
}).listen(port, '127.0.0.1')
