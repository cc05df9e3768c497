// A client: it opens a connection, speaks as one of our servers or a peer's service expects it, and gives the answer.

import { once } from 'node:events'
import http from 'node:http'
import http2 from 'node:http2'
import net, { type Socket } from 'node:net'
import tls, { type ConnectionOptions } from 'node:tls'
import { ca } from './certificates.ts'
import type { Seen } from './seen.ts'
import type { ServerKind } from './servers.ts'

/** How the client connects; `tls` is spoken with the listener, also before another one inside. */
export interface Way {
  readonly host?: string
  readonly port?: number
  readonly path?: string
  readonly localAddress?: string
  readonly tls?: ConnectionOptions
}

/** The ends of the client's own connection, `ADDRESS PORT`; undefined for a UNIX socket. */
export interface Ends {
  readonly source: string | undefined
  readonly destination: string | undefined
}

export interface Answer {
  readonly seen: Seen
  readonly client: Ends
}

/** What is said to servers that speak no HTTP, in one piece. */
export const PAYLOAD = 'hello\n'
/** Milliseconds for an answer. */
const PATIENCE = 10_000

/** Connects to one of our servers, by way of whatever stands in front of it. */
export async function ask(kind: ServerKind, way: Way): Promise<Answer> {
  return askOn(await open(way), kind)
}

/** The same on a connection that stands. */
export async function askOn(socket: Socket, kind: ServerKind): Promise<Answer> {
  const client = { source: end(socket, 'local'), destination: end(socket, 'remote') }
  const text = await speak(kind, socket)
  try {
    const seen = JSON.parse(text) as Seen // our own server wrote it
    return { seen, client }
  } catch {
    throw new Error(`no answer of our server but ${JSON.stringify(text)}`)
  }
}

/** A connection that stands, its TLS handshake included. */
export async function open({ tls: secure, ...way }: Way): Promise<Socket> {
  const place = way.path === undefined ? { host: '127.0.0.1', ...way } : { path: way.path }
  const raw = net.connect(place as net.NetConnectOpts) // one of the two
  await once(raw, 'connect', { signal: AbortSignal.timeout(PATIENCE) })
  return secure ? handshake(raw, secure) : raw
}

/** Says what the server expects on an open connection; resolves with all that it answers, bodies alone for HTTP. */
export async function speak(kind: ServerKind, socket: Socket): Promise<string> {
  switch (kind) {
    case 'codec':
    case 'createServer':
    case 'net':
      return talk(socket, PAYLOAD)
    case 'http':
      return httpGet(socket)
    case 'https':
      return httpGet(await handshake(socket, {}))
    case 'h2c':
      return http2Get(socket)
    case 'h2':
      return http2Get(await handshake(socket, { ALPNProtocols: ['h2'] }))
  }
}

/** Sends `text` and reads to the end. */
export async function talk(socket: Socket, text: string): Promise<string> {
  socket.setTimeout(PATIENCE, () => socket.destroy(new Error('no answer')))
  socket.write(text)
  const chunks: Buffer[] = []
  for await (const chunk of socket) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString()
}

/** The first that comes from a server that speaks first. */
export async function greeting(socket: Socket): Promise<string> {
  const [chunk] = (await once(socket, 'data', { signal: AbortSignal.timeout(PATIENCE) })) as [Buffer]
  return chunk.toString('latin1')
}

/** One request; resolves with the body. */
export async function httpGet(socket: Socket, path = '/'): Promise<string> {
  return responseOf(http.get({ path, host: 'localhost', createConnection: () => socket }))
}

/** The body of the answer to a request. */
export async function responseOf(request: http.ClientRequest): Promise<string> {
  request.setTimeout(PATIENCE, () => request.destroy(new Error('no answer')))
  const [response] = (await once(request, 'response')) as [http.IncomingMessage]
  return textOf(response)
}

async function http2Get(socket: Socket): Promise<string> {
  const session = http2.connect('http://localhost', { createConnection: () => socket })
  try {
    const request = session.request({ ':path': '/' })
    request.setTimeout(PATIENCE, () => request.destroy(new Error('no answer')))
    return await textOf(request)
  } finally {
    session.close()
  }
}

async function textOf(stream: AsyncIterable<unknown>): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of stream) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString()
}

async function handshake(socket: Socket, options: ConnectionOptions): Promise<Socket> {
  const secure = tls.connect({ ca, servername: 'localhost', ...options, socket })
  await once(secure, 'secureConnect', { signal: AbortSignal.timeout(PATIENCE) })
  return secure
}

function end(socket: Socket, side: 'local' | 'remote'): string | undefined {
  const address = socket[`${side}Address`]
  return address && `${address} ${String(socket[`${side}Port`])}`
}
