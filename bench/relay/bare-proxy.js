// What Node's sockets cost by themselves: `bare-proxy.js PORT UPSTREAM_PORT`, with a header, and nothing that a proxy needs for
// more than a short connection that goes well: no back-pressure, no timeout, no limit, no log, no counter. It accepts and reads
// by the quick ways of the relay, so that the rest is what the relay adds.
// Plain JavaScript, as what tsx makes of a source file names every function it creates.

import { createServer, Socket } from 'node:net'
import { encodeHeader } from 'proxyprotocol'
import { headerFor } from 'proxyprotocol/client'
import { acceptAs, readInto } from 'proxyprotocol/internal/node'
import { readBuffered } from '../../packages/proxyprotocol-server/dist/relay/tunnel/read-buffered.js'

const [port = 0, upstreamPort = 0] = process.argv.slice(2).map(Number)
const buffer = Buffer.allocUnsafeSlow(65_536)
const options = { allowHalfOpen: true, noDelay: true }

const server = createServer(options, onConnection)
server.listen(port, '127.0.0.1', () => acceptAs(server, settings => new Socket(settings)))

/** @param {Socket} downstream */
function onConnection(downstream) {
  const header = encodeHeader(headerFor(downstream))
  const settings = settingsOf()
  const upstream = new Socket(settings).connect(settings)
  upstream.on('connect', () => {
    const payload = readBuffered(downstream)
    upstream.write(payload ? Buffer.concat([header, payload]) : header)
    copy(downstream, upstream)
    copy(upstream, downstream)
    downstream.on('end', () => upstream.end())
  })
  upstream.on('end', () => (downstream.readableEnded ? downstream.destroy() : downstream.end()))
  downstream.on('error', () => upstream.destroy())
  upstream.on('error', () => downstream.destroy())
}

/** A literal with all that Node would add, as `connect()` has it. */
function settingsOf() {
  return {
    host: '127.0.0.1',
    port: upstreamPort,
    path: undefined,
    localAddress: undefined,
    localPort: undefined,
    family: undefined,
    hints: undefined,
    lookup: undefined,
    noDelay: true,
    keepAlive: undefined,
    keepAliveInitialDelay: undefined,
    autoSelectFamily: undefined,
    autoSelectFamilyAttemptTimeout: 250,
    allowHalfOpen: true,
    emitClose: false,
    autoDestroy: true,
    decodeStrings: false,
  }
}

/**
 * @param {Socket} from
 * @param {Socket} to
 */
function copy(from, to) {
  readInto(from, new Copy(to), nextBuffer)
  from.read(0)
}

class Copy {
  /** @param {Socket} to */
  constructor(to) {
    this.to = to
  }

  /** @param {number} length */
  onBytes(length) {
    this.to.write(Buffer.from(buffer.subarray(0, length)))
    return true
  }
}

function nextBuffer() {
  return buffer
}
