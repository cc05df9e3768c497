// Our servers behind a peer that sends, one for each door of the library. Each answers with what it has learnt of the
// connection, so that the client in front of the peer can hold that against what it knows of itself.

import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { once } from 'node:events'
import http, { type IncomingMessage, type ServerResponse } from 'node:http'
import http2, { type Http2ServerRequest, type Http2ServerResponse } from 'node:http2'
import https from 'node:https'
import net, { type AddressInfo, type Server, type Socket } from 'node:net'
import { HeaderDecoder, type ProxyHeader } from 'proxyprotocol'
import {
  attach,
  connectionInfo,
  createServer,
  diagnosticsChannels,
  type AcceptedMessage,
  type HeaderServerOptions,
  type ProxyServer,
  type RejectedMessage,
} from 'proxyprotocol/server'
import { certificate } from 'test-support/certificates'
import { seenOf, type Seen } from './seen.ts'
import { until, type Harness } from './harness.ts'

/** How a place is written by HAProxy, nginx and hitch, but for UNIX sockets. */
export function hostPort({ host, port }: { readonly host: string; readonly port: number }): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}

/** The doors: the codec on a bare socket, the awaited server, and `attach` on each of Node's servers. */
export const serverKinds = ['codec', 'createServer', 'net', 'http', 'https', 'h2c', 'h2'] as const
export type ServerKind = (typeof serverKinds)[number]

/** Where a server listens. */
export type Place = { readonly host: string; readonly port: number } | { readonly path: string }

export interface OurServer extends Served {
  readonly kind: ServerKind
}

export interface Served {
  readonly place: Place
  /** In the order of arrival. */
  readonly seen: readonly Seen[]
  /** Error codes of those that were turned away. */
  readonly refused: readonly string[]
  /** How many connections have come so far; the codec alone does not count. */
  readonly accepted: () => number
  /** The first that fits, once it has come. */
  find(fits: (seen: Seen) => boolean, what: string): Promise<Seen>
}

/** Everything comes from this machine. */
export const accept: { readonly trust: readonly string[] } = { trust: ['127.0.0.0/8', '::1', 'unix'] }
const tls = { key: certificate.key, cert: certificate.cert }

/** Starts a server on IPv4, or where it is told to; it ends with the harness. */
export async function startServer(
  harness: Harness,
  kind: ServerKind,
  where: { readonly host: string } | { readonly path: string } = { host: '127.0.0.1' },
): Promise<OurServer> {
  return { kind, ...(await serve(harness, makers[kind], where)) }
}

/** Starts a server that answers in a way of its own, and keeps in the log what it learns. */
export async function serve(
  harness: Harness,
  make: (log: Log) => Server | ProxyServer,
  where: { readonly host: string } | { readonly path: string } = { host: '127.0.0.1' },
): Promise<Served> {
  const log = new Log()
  const server = make(log)
  const bound = await listen(server, 'path' in where ? where : { ...where, port: 0 })
  const stopListening = [
    on(diagnosticsChannels.rejected, message => {
      const { server: from, error } = message as RejectedMessage // as the channel documents it
      if (from === server) log.refused.push(error.code)
    }),
    on(diagnosticsChannels.accepted, message => {
      if ((message as AcceptedMessage).server === server) log.accepted++ // as the channel documents it
    }),
  ]
  harness.atEnd(async () => {
    for (const stop of stopListening) stop()
    await stopServer(server)
  })
  const place = 'path' in where ? where : { ...where, port: bound }
  const { seen, refused } = log
  const find: Served['find'] = (fits, what) => until(() => seen.find(fits), what)
  return { place, seen, refused, find, accepted: () => log.accepted }
}

/** Listens to a channel until the function that it gives is called. */
function on(channel: string, listener: (message: unknown) => void): () => void {
  subscribe(channel, listener)
  return () => {
    unsubscribe(channel, listener)
  }
}

export class Log {
  readonly seen: Seen[] = []
  readonly refused: string[] = []
  accepted = 0

  /** Keeps what was learnt, and gives it as the answer to the client. */
  record(header: ProxyHeader | undefined, from: { socket?: Socket; payload?: string }): string {
    if (header === undefined) throw new Error('a connection has come without a header')
    const seen = seenOf(header, from)
    this.seen.push(seen)
    return `${JSON.stringify(seen)}\n`
  }
}

const makers: Record<ServerKind, (log: Log) => Server | ProxyServer> = {
  codec: codecServer,
  createServer: log => awaitedServer(log),
  net: log =>
    attach(
      net.createServer(socket => {
        socket.on('error', () => socket.destroy())
        socket.once('data', (chunk: Buffer) => {
          socket.end(log.record(connectionInfo(socket)?.header, { socket, payload: chunk.toString() }))
        })
      }),
      accept,
    ),
  http: log => attach(http.createServer(answer(log)), accept),
  https: log => attach(https.createServer(tls, answer(log)), accept),
  h2c: log => attach(http2.createServer(answer(log)), accept),
  h2: log => attach(http2.createSecureServer(tls, answer(log)), accept),
}

/** Whatever it is told besides, it believes this machine. */
export function awaitedServer(log: Log, options: Omit<HeaderServerOptions, 'trust'> = {}): ProxyServer {
  return createServer({ ...options, ...accept }, async ({ socket, info }) => {
    const payload = await firstOf(socket)
    const text = log.record(info.header, { socket, ...(payload !== undefined && { payload }) })
    if (payload !== undefined) socket.write(text)
  })
}

/** Nothing of the library but the decoder, in the way of its example. */
function codecServer(log: Log): Server {
  return net.createServer(socket => {
    const decoder = new HeaderDecoder()
    socket.on('error', () => socket.destroy())
    const finish = (header: ProxyHeader, payload: Uint8Array): void => {
      socket.end(log.record(header, { payload: Buffer.from(payload).toString() }))
    }
    socket.on('data', (chunk: Buffer) => {
      const { result } = decoder
      if (result.status === 'header') return finish(result.header, chunk)
      const verdict = decoder.push(chunk)
      if (verdict.status === 'header' && decoder.rest.length > 0) return finish(verdict.header, decoder.rest)
      if (verdict.status === 'header' || verdict.status === 'partial') return
      log.refused.push(decoder.fault().code)
      socket.destroy()
    })
  })
}

function answer(
  log: Log,
): (request: IncomingMessage | Http2ServerRequest, response: ServerResponse | Http2ServerResponse) => void {
  return (request, response) => {
    const text = log.record(connectionInfo(request)?.header, { socket: request.socket })
    response.setHeader('content-type', 'application/json')
    ;(response as ServerResponse).end(text) // the two differ in types alone
  }
}

/** Undefined where the client ends or resets without a word, as health checks do. */
async function firstOf(socket: Socket): Promise<string | undefined> {
  try {
    for await (const chunk of socket.iterator({ destroyOnReturn: false })) return String(chunk)
  } catch {
    return undefined
  }
  return undefined
}

type Where = { readonly host: string; readonly port: number } | { readonly path: string }

async function listen(server: Server | ProxyServer, where: Where): Promise<number> {
  if (server instanceof net.Server) await once(server.listen(where), 'listening')
  else await server.listen(where)
  const bound = (server instanceof net.Server ? server.address() : server.address) as AddressInfo | string // it listens
  return typeof bound === 'string' ? 0 : bound.port
}

async function stopServer(server: Server | ProxyServer): Promise<void> {
  if (!(server instanceof net.Server)) {
    await server.abort()
    return
  }
  if ('closeAllConnections' in server) (server as http.Server).closeAllConnections()
  server.close()
}
