// Sends streams to two servers, one bare and one that reads a header first, and compares what happens there. It runs as a
// process of its own, because a stream may end it: `same-process.ts KIND FIRST_SEED COUNT`. It tells its parent each seed
// before it sends the stream, then what differs.

import { once } from 'node:events'
import http from 'node:http'
import http2 from 'node:http2'
import net, { type AddressInfo, type Server, type Socket } from 'node:net'
import tls from 'node:tls'
import { certificate } from 'test-support/certificates'
import { turns } from 'test-support/sockets'
import { randomFrom, type Random } from 'test-support/random'
import { attach, createServer } from '../../src/server/index.ts'
import { V1, V2 } from './headers.ts'
import { clientHello, http1Stream, http2Stream, tlsStream } from './streams.ts'

/** What the process tells its parent. */
export interface Told {
  readonly seed: number
  /** Which server the stream goes to next. */
  readonly to?: 'bare' | 'behind' | undefined
  /** What happened at the bare server, and behind the header, if that is not the same. */
  readonly difference?: readonly [bare: string, behind: string] | undefined
}

/** Turns of the event loop after which nothing moves any more on loopback. */
const SETTLED = 12

let events: string[] = []
/** What the server does with sessions and streams, by the seed. */
let policy = 0

process.on('uncaughtException', (error: NodeJS.ErrnoException) =>
  note('uncaught', error.code ?? error.message),
)

function note(...words: readonly unknown[]): void {
  events.push(words.join(' '))
}

function watch(socket: Socket): void {
  socket.on('error', (error: NodeJS.ErrnoException) => note('socket error', error.code))
  socket.on('close', () => note('socket close'))
}

function onRequest(request: http.IncomingMessage, response: http.ServerResponse): void {
  note('request', request.method, request.url)
  response.sendDate = false
  request.on('data', chunk => note('data', chunk)).on('end', () => note('end'))
  response.end('ok')
}

function httpServer(): Server {
  const server = http.createServer(onRequest).on('connection', watch)
  return server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    note('clientError', error.code)
    socket.destroy()
  })
}

function tlsServer(): Server {
  const server = tls.createServer(certificate).on('connection', watch)
  return server.on('tlsClientError', (error: NodeJS.ErrnoException) => note('tlsClientError', error.code))
}

function h2cServer(): Server {
  const server = http2.createServer()
  server.on('session', session => {
    note('session')
    session
      .on('close', () => note('session close'))
      .on('error', (error: Error) => note('session error', error.message))
    session.on('goaway', code => note('goaway', code)).on('ping', () => note('ping'))
    session.on('remoteSettings', () => note('settings'))
    session.on('frameError', (type, code, id) => note('frameError', type, code, id))
    if (policy === 1) session.destroy()
  })
  server.on('stream', (stream, headers) => {
    note('stream', stream.id, headers[':method'])
    stream.on('error', (error: Error) => note('stream error', stream.id, error.message))
    stream.on('close', () => note('stream close', stream.id, stream.rstCode))
    stream.on('aborted', () => note('aborted', stream.id)).on('end', () => note('end', stream.id))
    stream.on('data', chunk => note('data', stream.id, chunk))
    if (policy === 3) return stream.session?.destroy()
    if (policy === 4) stream.on('finish', () => stream.session?.close())
    if (policy === 2) stream.session?.close()
    if (policy === 5) return stream.close()
    stream.respond({ ':status': 200 }, { sendDate: false } as object) // as a bare server has it
    stream.end('ok')
  })
  return server
}

function handingOn(inner: Server): Server {
  return net.createServer({ allowHalfOpen: true }, socket => {
    watch(socket)
    inner.emit('connection', socket)
  })
}

interface Kind {
  readonly create: () => Server
  readonly stream: (random: Random) => Buffer
  /** Makes the port that reads headers in front of the same server. */
  readonly behind?: () => Promise<number>
}

const kinds: Readonly<Record<string, Kind>> = {
  http: { create: httpServer, stream: random => http1Stream(random, 1) },
  'net to http': { create: () => handingOn(httpServer()), stream: http1Stream },
  tls: { create: tlsServer, stream: random => tlsStream(random, hello) },
  h2c: { create: h2cServer, stream: http2Stream },
  'net to h2c': { create: () => handingOn(h2cServer()), stream: http2Stream },
  'createServer() to h2c': {
    create: () => handingOn(h2cServer()),
    stream: http2Stream,
    behind: createdServer,
  },
}

async function createdServer(): Promise<number> {
  const inner = h2cServer()
  const server = createServer({ trust: 'anyone', onError: () => {} }, async ({ socket }) => {
    inner.emit('connection', socket)
    if (!socket.closed) await once(socket, 'close')
  })
  return ((await server.listen(0, '127.0.0.1')) as AddressInfo).port // TCP
}

async function portOf(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return (server.address() as AddressInfo).port // TCP
}

/** Whether two servers must do the same: TLS sends other random bytes each time, and createServer() has its own ends. */
function shows(event: string): boolean {
  if (name === 'tls') return !event.startsWith('received')
  return kind.behind === undefined || !/^(?:socket|FIN|received)/.test(event)
}

/** What happens at a server that gets these segments, each of which it reads by itself. */
async function happens(port: number, segments: readonly Buffer[]): Promise<string> {
  events = []
  const received: Buffer[] = []
  const client = net.connect({ port, host: '127.0.0.1', noDelay: true, allowHalfOpen: true })
  client.on('data', (chunk: Buffer) => received.push(chunk)).on('end', () => note('FIN'))
  client.on('error', () => {}) // a write that comes after the server has closed
  for (const segment of segments) {
    client.write(segment)
    await turns(SETTLED)
  }
  client.end()
  await turns(SETTLED)
  client.destroy()
  await turns(SETTLED)
  if (name === 'http') events.sort() // docs/server.md says why their order may differ
  return [
    ...events,
    `received ${Buffer.concat(received)
      .toString('latin1')
      .replaceAll(/Date: .*/g, '')}`,
  ]
    .filter(shows)
    .join('\n')
}

/** Bytes in one segment, or in two. */
function cutAt(bytes: Buffer, at: number): Buffer[] {
  return [bytes.subarray(0, at), bytes.subarray(at)].filter(({ length }) => length > 0)
}

const [name = '', first, count] = process.argv.slice(2)
const kind = kinds[name] as Kind // the parent's promise
const hello = await clientHello()
const bare = await portOf(kind.create())
const behind = await (kind.behind?.() ?? portOf(attach(kind.create(), { trust: 'anyone' })))
for (let seed = Number(first); seed < Number(first) + Number(count); seed++) {
  const random = randomFrom(seed)
  policy = random.below(10)
  const header = random.pick([V1, V2])
  const bytes = kind.stream(random)
  const at = random.pick([0, header.length, random.below(header.length + bytes.length)])
  process.send?.({ seed, to: 'bare' } satisfies Told)
  const alone = await happens(bare, cutAt(bytes, Math.max(0, at - header.length)))
  process.send?.({ seed, to: 'behind' } satisfies Told)
  const headed = await happens(behind, cutAt(Buffer.concat([header, bytes]), at))
  if (alone !== headed) process.send?.({ seed, difference: [alone, headed] } satisfies Told)
}
process.exit()
