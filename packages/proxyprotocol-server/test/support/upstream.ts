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
  /** Goes away as a process that is killed: nothing listens any more, and what is open is reset. */
  kill(): Promise<void>
}

/** Listens on a port, a free one unless it is told; its sockets are half-open, and destroyed at the test's end. */
export async function startUpstream(
  t: TestContext,
  handle: (socket: Socket) => void,
  at = 0,
): Promise<Upstream> {
  const sockets = new Set<Socket>()
  let accepted = 0
  const server = createServer({ allowHalfOpen: true, noDelay: true }, socket => {
    accepted++
    sockets.add(socket)
    socket.on('error', () => {}).on('close', () => sockets.delete(socket))
    handle(socket)
  })
  server.listen({ port: at, host: '127.0.0.1', backlog: 4_096 })
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const kill = async (): Promise<void> => {
    if (!server.listening) return
    server.close()
    for (const socket of sockets) socket.resetAndDestroy()
    await once(server, 'close')
  }
  atEnd(t, kill)
  return {
    port,
    sockets,
    get accepted() {
      return accepted
    },
    kill,
  }
}

/** Sends back what it is sent, and ends after the other side has. */
export function echo(socket: Socket): void {
  socket.pipe(socket)
}
