// How a proof's clients reach the relay and the relay its upstream: what holds on one transport has to hold on each.

import type { Socket } from 'node:net'
import type { TestContext } from 'node:test'
import { connect, createSecureContext, createServer, type TLSSocket } from 'node:tls'
import { distinguishResets, reset } from 'proxyprotocol/server'
import { certificate } from 'test-support/certificates'
import { certificateFiles } from './certificate-files.ts'
import { soaking } from './soak-length.ts'
import { dial } from './connections.ts'
import { atEnd } from './teardown.ts'
import { startUpstream, type Upstream } from './upstream.ts'

export interface Transport {
  readonly name: string
  /** How many of so many there are to be: all, or what the gate has time for. */
  count(all: number): number
  /** An address for the relay to listen at, as good as the test is long. */
  sourceFor(t: TestContext): string
  /** The relay's upstream address, without a header, for a port. */
  upstreamAt(port: number): string
  /** Its sockets are half-open, and tell an end from a cut. */
  startUpstream(t: TestContext, handle: (socket: Socket) => void): Promise<Upstream>
  /** A client, half-open, that tells an end from a cut. */
  dial(t: TestContext, port: number): Socket
  /** Cuts the stream. */
  readonly reset: (socket: Socket) => void
}

const plain: Transport = {
  name: 'plain',
  count: all => all,
  sourceFor: () => '127.0.0.1:0',
  upstreamAt: port => `127.0.0.1:${port}?pp=noop`,
  startUpstream,
  dial,
  reset: socket => void socket.resetAndDestroy(),
}

/** What clients trust, made once for all of them. */
const secureContext = createSecureContext({ ca: certificate.cert })

/** TLS to the relay, which ends it, and TLS of its own to the upstream, with each certificate checked. */
const tls: Transport = {
  name: 'TLS',
  count: all => (soaking ? all : Math.ceil(all / 5)),
  sourceFor: t => certificateFiles(t).source,
  upstreamAt: port => `ssl://127.0.0.1:${port}?pp=noop&cadata=${encodeURIComponent(certificate.cert)}`,
  startUpstream: (t, handle) => {
    const server = createServer(certificate)
      .on('secureConnection', secure => handle(strict(secure)))
      .on('tlsClientError', (_, secure) => secure.destroy())
    return startUpstream(t, raw => server.emit('connection', raw))
  },
  dial: (t, port) => {
    const socket = dial(t, port)
    const secure = connect({ socket, secureContext, servername: 'localhost' })
    atEnd(t, () => secure.destroy())
    return strict(secure)
  },
  reset,
}

/** Every transport that the relay has. */
export const transports: readonly Transport[] = [plain, tls]

/** Half-open, and with an end at a close_notify alone: what comes without one is an error. */
function strict(secure: TLSSocket): TLSSocket {
  secure.allowHalfOpen = true
  distinguishResets(secure)
  return secure.on('error', () => {})
}
