// Upstreams that do something by themselves: a handler for each connection, and the count of them.

import { once } from 'node:events'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import type { TestContext } from 'node:test'
import { atEnd } from './teardown.ts'

export interface Upstream {
  readonly port: number
  /** Those that are open. */
  readonly sockets: ReadonlySet<Socket>
  /** How many there have been. */
  readonly accepted: number
}

/** Listens on a free port; its sockets are half-open, and destroyed at the test's end. */
export async function startUpstream(t: TestContext, handle: (socket: Socket) => void): Promise<Upstream> {
  const sockets = new Set<Socket>()
  let accepted = 0
  const server = createServer({ allowHalfOpen: true, noDelay: true }, socket => {
    accepted++
    sockets.add(socket)
    socket.on('error', () => {}).on('close', () => sockets.delete(socket))
    handle(socket)
  })
  server.listen({ port: 0, host: '127.0.0.1', backlog: 4_096 })
  await once(server, 'listening')
  atEnd(t, async () => {
    server.close()
    for (const socket of sockets) socket.destroy()
    await once(server, 'close')
  })
  return {
    port: (server.address() as AddressInfo).port,
    sockets,
    get accepted() {
      return accepted
    },
  }
}

/** Sends back what it is sent, and ends after the other side has. */
export function echo(socket: Socket): void {
  socket.pipe(socket)
}
