// A server behind attach(), as a test's upstream: what arrives there has come through our own receiver.

import { once } from 'node:events'
import type { AddressInfo, Server, Socket } from 'node:net'
import { attach, type AttachOptions } from '../../src/server/index.ts'
import type { Harness } from './harness.ts'

export interface AttachedServer {
  readonly port: number
  /** The connections so far, as they were accepted. */
  readonly sockets: readonly Socket[]
}

/** Attaches to a server and has it listen on loopback, or at a path; at the end all its connections are destroyed. */
export async function listenAttached(
  { defer }: Pick<Harness, 'defer'>,
  server: Server,
  options: Partial<AttachOptions> & { readonly at?: string } = {},
): Promise<AttachedServer> {
  const { at, ...rest } = options
  const sockets: Socket[] = []
  server.on('connection', socket => {
    socket.on('error', () => {})
    sockets.push(socket)
  })
  attach(server, { trust: 'anyone', ...rest })
  if (at === undefined) server.listen(0, '127.0.0.1')
  else server.listen(at)
  await once(server, 'listening')
  defer(async () => {
    for (const socket of sockets) socket.destroy()
    server.close()
    await once(server, 'close')
  })
  return { port: at === undefined ? (server.address() as AddressInfo).port : 0, sockets }
}
