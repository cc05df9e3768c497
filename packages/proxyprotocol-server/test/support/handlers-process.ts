// A server of the library in a process of its own, whose handlers do, by the first byte that they read, what handlers do.

import { once } from 'node:events'
import { pipeline } from 'node:stream/promises'
import { setTimeout as later } from 'node:timers/promises'
import { createServer, type Connection } from 'proxyprotocol/server'
import { runServerProcess } from './server-process.ts'

/** Milliseconds that a slow handler waits: there is a collection meanwhile, and only the server holds its promise. */
const SLOW = 1_500

const counts: Record<string, number> = { started: 0, settled: 0, reported: 0 }
const faults: string[] = []

const handlers: Readonly<Record<string, (connection: Connection) => unknown>> = {
  /** Echoes. */
  E: ({ socket, signal }) => pipeline(socket, socket, { signal }),
  /** Answers late. */
  S: async ({ socket }) => {
    await later(SLOW)
    socket.write('late')
  },
  /** Throws at once. */
  T: () => {
    throw new Error('thrown')
  },
  /** Rejects late. */
  J: async () => {
    await later(0)
    throw new Error('rejected')
  },
  /** Waits for its signal. */
  W: async ({ signal, socket }) => {
    socket.resume()
    await once(signal, 'abort')
  },
}

async function firstOf({ socket, signal }: Connection): Promise<string> {
  if (socket.readableLength === 0) await once(socket, 'readable', { signal })
  const first = socket.read(1) as Buffer // without an encoding it gives bytes
  socket.unshift(first)
  return first.toString()
}

function count(what: string): void {
  counts[what] = (counts[what] ?? 0) + 1
}

const server = createServer(
  { trust: 'anyone', onError: () => count('reported') },
  async (connection): Promise<void> => {
    count('started')
    try {
      await handlers[await firstOf(connection)]?.(connection)
    } finally {
      count('settled')
    }
  },
)
await runServerProcess({ server, listen: () => server.listen(0, '127.0.0.1'), counts, faults })
