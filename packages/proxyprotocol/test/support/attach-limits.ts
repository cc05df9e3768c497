// Servers behind attach(), with connections that still wait for a header.

import type { Server, Socket } from 'node:net'
import { outcome, turns, type Outcome } from 'test-support/sockets'
import type { Attached } from './server-kinds.ts'

/** Beyond the patience of a test: nothing ends because a header is overdue. */
export const options = { timeouts: { header: 600_000 } }
export const CLIENT = '192.0.2.1:56324 by 127.0.0.1'

export function countOf(server: Server): Promise<number> {
  return new Promise((resolve, reject) => {
    server.getConnections((error, count) => (error ? reject(error) : resolve(count)))
  })
}

/** How a client fares that ends when the server does. */
export function fate(socket: Socket): Promise<Outcome> {
  socket.on('end', () => socket.end())
  return outcome(socket)
}

/** A connection that the server has accepted, and that says nothing. */
export async function silent({ server, dial }: Attached): Promise<Socket> {
  const before = await countOf(server)
  const socket = dial()
  while ((await countOf(server)) === before) await turns(1)
  return socket
}
