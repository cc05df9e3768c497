// What the matrix of ends and cuts (cut-matrix.ts) is played on: relays of each kind, and the servers of the library.

import { once } from 'node:events'
import { createServer as createNetServer, type AddressInfo, type Socket } from 'node:net'
import type { TestContext } from 'node:test'
import { connect, type TLSSocket } from 'node:tls'
import {
  attach,
  createServer,
  distinguishResets,
  front,
  reset,
  type Connection,
  type ProxyServer,
} from 'proxyprotocol/server'
import { certificate } from 'test-support/certificates'
import { certificateFiles } from './certificate-files.ts'
import { helloWith } from './client-hello.ts'
import type { End, Ends } from './cut-matrix.ts'
import { startRelay } from './relay.ts'
import { listenSecure } from './secure.ts'
import { dial, listen } from './connections.ts'
import { atEnd } from './teardown.ts'

/** What is tested, ready for connections. */
export interface CutKind {
  /** Opens one connection after the other. */
  readonly open: () => Promise<Ends>
  /** How many connections have been counted under each reason; undefined if nothing counts them. */
  readonly counts?: () => Readonly<Record<string, number>>
}

type Start = (t: TestContext) => Promise<CutKind>

const HEADER = 'PROXY TCP4 192.0.2.1 198.51.100.1 1000 443\r\n'

export const relayKinds: Readonly<Record<string, Start>> = {
  'a plain relay': t => relayed(t, {}),
  'a relay with TLS in': t => relayed(t, { in: true }),
  'a relay with TLS out': t => relayed(t, { out: true }),
  'a relay with TLS on both sides': t => relayed(t, { in: true, out: true }),
  'a relay that passes TLS through': passing,
}

export const serverKinds: Readonly<Record<string, Start>> = {
  createServer: t => served(t, false),
  'createServer with TLS': t => served(t, true),
  'front()': fronted,
  'attach() with distinguishResets()': attached,
}

/** A socket of the test, half-open, which tells a reset from an end. */
function plainEnd(stream: Socket): End {
  distinguishResets(stream)
  return { stream, cut: () => reset(stream) }
}

function secureEnd(stream: TLSSocket): End {
  stream.allowHalfOpen = true
  stream.on('error', () => {})
  return plainEnd(stream)
}

function dialPlain(t: TestContext, port: number): End {
  return plainEnd(dial(t, port))
}

function dialSecure(t: TestContext, port: number): End {
  const socket = dial(t, port)
  const end = secureEnd(connect({ socket, ca: certificate.cert, servername: 'localhost' }))
  atEnd(t, () => end.stream.destroy())
  return end
}

async function relayed(t: TestContext, secure: { in?: true; out?: true }): Promise<CutKind> {
  const [plain, tls] = [await listen(t), await listenSecure(t, {}, { header: false })]
  const { cert, source } = certificateFiles(t)
  const dest = secure.out
    ? `ssl://127.0.0.1:${tls.port}?pp=noop&cafile=${cert}`
    : `127.0.0.1:${plain.port}?pp=noop`
  const relay = await startRelay(t, dest, secure.in ? { source } : {})
  const accept = async (): Promise<End> =>
    secure.out ? secureEnd((await tls.accept()).secure) : plainEnd(await plain.accept())
  return {
    open: async () => {
      const client = (secure.in ? dialSecure : dialPlain)(t, relay.port)
      return { client, server: await accept() }
    },
    counts: () => countsOf(relay.server),
  }
}

async function passing(t: TestContext): Promise<CutKind> {
  const hello = helloWith([])
  const upstream = await listen(t)
  const relay = await startRelay(t, `127.0.0.1:${upstream.port}?pp=noop`, { passthrough: {} })
  return {
    open: async () => {
      const client = dialPlain(t, relay.port)
      client.stream.write(hello)
      const far = await upstream.accept()
      while (far.readableLength < hello.length) await once(far, 'readable')
      far.read(hello.length)
      return { client, server: plainEnd(far) }
    },
    counts: () => countsOf(relay.server),
  }
}

/** Hands its connections out one by one, and returns when they are closed. */
function served(t: TestContext, secure: boolean): Promise<CutKind> {
  const queue = new Queue<Connection>()
  const options = { trust: 'anyone', ...(secure ? { tls: certificate } : {}) } as const
  const server = createServer(options, async connection => {
    const closed = new Promise(resolve => connection.socket.on('close', resolve))
    queue.put(connection)
    await closed
  })
  return behindHeader(t, {
    server,
    secure,
    accept: async () => {
      const connection = await queue.take()
      return { stream: connection.socket, cut: () => connection.abort() }
    },
  })
}

function fronted(t: TestContext): Promise<CutKind> {
  const queue = new Queue<Socket>()
  const target = createNetServer({ allowHalfOpen: true }, socket => {
    socket.on('error', () => {})
    queue.put(socket)
  })
  const server = front(target, { trust: 'anyone' })
  return behindHeader(t, { server, secure: false, accept: async () => plainEnd(await queue.take()) })
}

/** What is behind a header, and how its connections are had. */
interface Behind {
  readonly server: ProxyServer
  readonly secure: boolean
  readonly accept: () => Promise<End>
}

async function behindHeader(t: TestContext, { server, secure, accept }: Behind): Promise<CutKind> {
  const { port } = (await server.listen(0, '127.0.0.1')) as AddressInfo
  atEnd(t, () => server.abort())
  return {
    open: async () => {
      const raw = dial(t, port)
      raw.write(HEADER)
      const client = secure
        ? secureEnd(connect({ socket: raw, ca: certificate.cert, servername: 'localhost' }))
        : plainEnd(raw)
      return { client, server: await accept() }
    },
    counts: () => countsOf(server),
  }
}

async function attached(t: TestContext): Promise<CutKind> {
  const queue = new Queue<Socket>()
  const server = attach(
    createNetServer({ allowHalfOpen: true }, socket => {
      socket.on('error', () => {})
      queue.put(socket)
    }),
    { trust: 'anyone' },
  ).listen(0, '127.0.0.1')
  await once(server, 'listening')
  atEnd(t, () => once(server.close(), 'close'))
  return {
    open: async () => {
      const raw = dial(t, (server.address() as AddressInfo).port)
      raw.write(HEADER)
      return { client: plainEnd(raw), server: plainEnd(await queue.take()) }
    },
  }
}

function countsOf(server: ProxyServer): Readonly<Record<string, number>> {
  return server.stats().closed
}

/** What comes before it is awaited, waits. */
class Queue<T> {
  readonly #items: T[] = []
  readonly #takers: ((item: T) => void)[] = []

  put(item: T): void {
    const taker = this.#takers.shift()
    if (taker) taker(item)
    else this.#items.push(item)
  }

  take(): Promise<T> {
    const item = this.#items.shift()
    return item === undefined ? new Promise(resolve => this.#takers.push(resolve)) : Promise.resolve(item)
  }
}
