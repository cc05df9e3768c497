// The six kinds of servers that Node has, each with a client of its protocol, and the harness for attach() on them.

import { once } from 'node:events'
import http from 'node:http'
import http2 from 'node:http2'
import https from 'node:https'
import net, { type AddressInfo, type Server } from 'node:net'
import { text as textOf } from 'node:stream/consumers'
import type { TestContext } from 'node:test'
import tls from 'node:tls'
import { certificate } from 'test-support/certificates'
import { attach, connectionInfo, type AttachOptions } from '../../src/server/index.ts'
import { HeaderFirst, type Cut } from './segments.ts'
import { createHarness } from './harness.ts'

export interface Kind {
  /** Its server answers each client with what it sees of it. */
  readonly create: () => Server
  /** Speaks the kind's protocol over a stream and resolves with the server's answer. */
  readonly ask: (stream: HeaderFirst) => Promise<string>
}

/** By name. */
export const kinds = {
  net: { create: () => net.createServer({ allowHalfOpen: true }, onSocket), ask: askPlain },
  tls: { create: () => tls.createServer(certificate, onSocket), ask: stream => askPlain(secure(stream)) },
  http: { create: () => http.createServer(onRequest), ask: askHttp },
  https: { create: () => https.createServer(certificate, onRequest), ask: stream => askHttp(secure(stream)) },
  http2: {
    create: () => http2.createSecureServer({ ...certificate, allowHTTP1: true }, onRequest),
    ask: stream => askHttp2(() => secure(stream, 'h2')),
  },
  h2c: { create: () => http2.createServer(onRequest), ask: stream => askHttp2(() => stream) },
} as const satisfies Readonly<Record<string, Kind>>

export type KindName = keyof typeof kinds

/** The client's address as a server's own code sees it, and the peer behind it. */
export function seen(
  connected: { readonly remoteAddress?: string | undefined; readonly remotePort?: number | undefined },
  from: object,
): string {
  const peer = connectionInfo(from)?.via.peer
  return `${connected.remoteAddress}:${connected.remotePort} by ${peer && 'address' in peer ? peer.address : 'nobody'}`
}

export function onRequest(
  request: http.IncomingMessage | http2.Http2ServerRequest,
  response: { end(text: string): unknown },
): void {
  response.end(seen(request.socket, request))
}

export function onSocket(socket: net.Socket): void {
  socket.once('data', () => socket.end(seen(socket, socket)))
}

/** TLS over a stream, as a client speaks it. */
export function secure(stream: HeaderFirst, protocol?: string): tls.TLSSocket {
  const offer = protocol === undefined ? {} : { ALPNProtocols: [protocol] }
  return tls.connect({ socket: stream, rejectUnauthorized: false, ...offer })
}

export async function askPlain(stream: NodeJS.ReadWriteStream): Promise<string> {
  stream.write('hi')
  const answer = await textOf(stream)
  stream.end()
  return answer
}

export async function askHttp(stream: NodeJS.ReadWriteStream): Promise<string> {
  stream.write('GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n')
  const answer = await textOf(stream)
  return answer.slice(answer.indexOf('\r\n\r\n') + 4)
}

export async function askHttp2(createConnection: () => HeaderFirst | tls.TLSSocket): Promise<string> {
  const session = http2.connect('http://localhost', { createConnection })
  const answer = await textOf(session.request({ ':path': '/' }))
  session.close()
  return answer
}

/** An attached server that listens on loopback. */
export interface Attached<S extends Server = Server> {
  readonly server: S
  readonly port: number
  readonly dial: () => net.Socket
  /** A stream of the kind's client that starts with a header. */
  readonly behind: (header: Uint8Array, cut?: Cut) => HeaderFirst
}

/** Runs a test with an attached server that listens on loopback, and leaves nothing of it behind. */
export async function withServer<S extends Server>(
  t: TestContext,
  { server, options = {} }: { readonly server: S; readonly options?: Partial<AttachOptions> },
  body: (attached: Attached<S>) => Promise<void>,
): Promise<void> {
  const harness = createHarness(t)
  attach(server, { trust: ['127.0.0.1'], ...options })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const dial = (): net.Socket => harness.dial(port)
  try {
    await body({
      server,
      port,
      dial,
      behind: (header, cut = 'one segment') => new HeaderFirst(dial(), header, cut),
    })
  } finally {
    if (server.listening) server.close()
  }
}
