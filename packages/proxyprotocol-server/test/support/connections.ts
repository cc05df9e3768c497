// Connections on loopback that end with the test: servers that return their sockets one by one, and watches on sockets.

import { createHash, randomBytes } from 'node:crypto'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { EventEmitter, once } from 'node:events'
import { connect, createServer, Socket, type AddressInfo } from 'node:net'
import type { TestContext } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { atEnd } from './teardown.ts'

/** How a socket ended: what it had received, whether a FIN came, and the code of its error. */
export interface Outcome {
  readonly bytes: Buffer
  readonly fin: boolean
  readonly error: string | undefined
}

/** A listening server without behaviour of its own. */
export interface Listener {
  readonly host: string
  readonly port: number
  /** The next socket that was not taken yet. */
  accept(): Promise<Socket>
  /** How many there have been. */
  readonly accepted: number
}

export const MEBIBYTE: number = 1024 * 1024

const dialled = new WeakSet<Socket>()

/** Node's channel for them, net.client.socket, leaves out those that are made before they connect. */
const connecting = new EventEmitter()
// eslint-disable-next-line @typescript-eslint/unbound-method -- it is called with its socket
const { connect: original } = Socket.prototype
Socket.prototype.connect = function (this: Socket, ...args: unknown[]) {
  connecting.emit('socket', this)
  return Reflect.apply(original, this, args) as Socket
}

/** Listens on a free port; its sockets are half-open, and destroyed at the test's end. */
export async function listen(t: TestContext, host = '127.0.0.1'): Promise<Listener> {
  const waiting: Socket[] = []
  let accepted = 0
  const sockets = new Set<Socket>()
  const server = createServer({ allowHalfOpen: true, noDelay: true }, socket => {
    if (!server.listening) return socket.destroy() // the test is over
    sockets.add(socket)
    atEnd(t, () => socket.destroy())
    socket.on('error', () => {})
    waiting.push(socket)
    accepted++
  })
  server.listen(0, host)
  await once(server, 'listening')
  atEnd(t, async () => {
    server.close()
    for (const socket of sockets) socket.destroy() // one may have come since the test ended
    await once(server, 'close')
  })
  return {
    host,
    port: (server.address() as AddressInfo).port,
    get accepted() {
      return accepted
    },
    accept: async () => {
      if (waiting.length === 0) await once(server, 'connection')
      const socket = waiting.shift()
      return socket ?? Promise.reject(new Error('two accept() at the same time'))
    },
  }
}

/** A half-open client; destroyed at the test's end. */
export function dial(t: TestContext, port: number, host = '127.0.0.1'): Socket {
  const socket = connect({ port, host, allowHalfOpen: true, noDelay: true })
  dialled.add(socket)
  socket.on('error', () => {})
  atEnd(t, () => socket.destroy())
  return socket
}

/** Two ends of one connection. */
export async function pair(t: TestContext): Promise<readonly [near: Socket, far: Socket]> {
  const listener = await listen(t)
  const near = dial(t, listener.port)
  return [near, await listener.accept()]
}

/**
 * Reads a socket to its close, and ends it when the other side has. What Node before 24 takes for an end is none when a
 * write of nothing fails after it.
 */
export function outcome(socket: Socket): Promise<Outcome> {
  const chunks: Buffer[] = []
  let fin = false
  let error: string | undefined
  return new Promise(resolve => {
    socket
      .on('data', (chunk: Buffer) => chunks.push(chunk))
      .on('end', () => {
        if (socket.writable) socket.write('', () => socket.end())
        fin = true
      })
      .on('error', (cause: NodeJS.ErrnoException) => (error = cause.code))
      .on('close', () => {
        resolve({ bytes: Buffer.concat(chunks), fin: fin && error === undefined, error })
      })
      .resume()
  })
}

/** The next chunk, in one piece; the socket is paused after it. */
export async function chunk(socket: Socket): Promise<Buffer> {
  const next = once(socket, 'data') as Promise<[Buffer]>
  socket.resume()
  const [bytes] = await next
  socket.pause()
  return bytes
}

/** Writes until the kernel takes no more, but less than would ask the writer to wait. */
export async function fill(socket: Socket): Promise<void> {
  for (let still = 0; still < 50; still++) {
    if (socket.writableLength === 0) {
      socket.write(Buffer.alloc(socket.writableHighWaterMark / 2))
      still = 0
    }
    await turn()
  }
}

export function random(length: number): Buffer {
  return randomBytes(length)
}

export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}

/** The sockets that the process accepts while the test runs. */
export function acceptedSockets(t: TestContext): readonly Socket[] {
  const seen: Socket[] = []
  const onSocket = (message: unknown): void => {
    seen.push((message as { socket: Socket }).socket) // as Node documents the channel
  }
  subscribe('net.server.socket', onSocket)
  atEnd(t, () => unsubscribe('net.server.socket', onSocket))
  return seen
}

/** The sockets that the process connects while the test runs, those of {@link dial} left out. */
export function connectedSockets(t: TestContext): () => readonly Socket[] {
  const seen: Socket[] = []
  const onSocket = (socket: Socket): void => {
    seen.push(socket)
  }
  connecting.on('socket', onSocket)
  atEnd(t, () => connecting.off('socket', onSocket))
  return () => seen.filter(socket => !dialled.has(socket))
}

/** The most bytes that the sockets held in this process at any turn of the event loop until `during` resolved. */
export async function largestBuffer(held: readonly Socket[], during: Promise<unknown>): Promise<number> {
  let largest = 0
  const over = new AbortController()
  const finished = during.finally(() => {
    over.abort()
  })
  while (!over.signal.aborted) {
    const bytes = held.reduce(
      (sum, { readableLength, writableLength }) => sum + readableLength + writableLength,
      0,
    )
    largest = Math.max(largest, bytes)
    await turn()
  }
  await finished
  return largest
}

/** The warnings of the process while the test runs; the test fails at its end unless they were taken out. */
export function warnings(t: TestContext): Error[] {
  const seen: Error[] = []
  const onWarning = (warning: Error): void => {
    seen.push(warning)
  }
  process.on('warning', onWarning)
  atEnd(t, async () => {
    await turn() // warnings are emitted a tick late
    process.off('warning', onWarning)
    if (seen.length > 0) throw new Error('a warning was emitted', { cause: seen[0] })
  })
  return seen
}

/** The arguments of each call of setKeepAlive(). */
export function keepAliveCalls(t: TestContext): readonly unknown[][] {
  const calls: unknown[][] = []
  // eslint-disable-next-line @typescript-eslint/unbound-method -- it is called with its socket
  const { setKeepAlive } = Socket.prototype
  t.mock.method(Socket.prototype, 'setKeepAlive', function (this: Socket, ...args: [boolean, number]) {
    calls.push(args)
    return setKeepAlive.apply(this, args)
  })
  return calls
}
