// What the tests with programs of npm share: a client to announce, and servers that believe this machine alone.

import { once } from 'node:events'
import type { AddressInfo, Server, Socket } from 'node:net'
import type { TestContext } from 'node:test'
import type { HeaderInit } from 'proxyprotocol'
import { attach } from 'proxyprotocol/server'

export { certificate } from 'test-support/certificates'

export const HOST = '127.0.0.1'
export const CLIENT = { address: '192.0.2.1', port: 56_324 }

/** The header of a client at this port and address. */
export function headerOf(port: number = CLIENT.port, address: string = CLIENT.address): HeaderInit {
  return { source: { address, port }, destination: { address: '198.51.100.7', port: 443 } }
}

/** Makes a server read headers and listen on loopback until the test ends. */
export async function listen(t: TestContext, server: Server): Promise<number> {
  const sockets = new Set<Socket>()
  server.on('connection', (socket: Socket) => sockets.add(socket))
  attach(server, { trust: [HOST] })
  await once(server.listen(0, HOST), 'listening')
  t.after(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return (server.address() as AddressInfo).port // a TCP server that listens has one
}
