// What the tests with programs of npm share: a client to announce, a relay that announces it, and servers that believe this
// machine alone.

import { once } from 'node:events'
import net, { type AddressInfo, type Server, type Socket } from 'node:net'
import type { TestContext } from 'node:test'
import type { InetInit } from 'proxyprotocol'
import { openSocket } from 'proxyprotocol/client'
import { attach } from 'proxyprotocol/server'

export { certificate } from 'test-support/certificates'

export const HOST = '127.0.0.1'
export const CLIENT = { address: '192.0.2.1', port: 56_324 }

/** The header of a client at this port and address. */
export function headerOf(port: number = CLIENT.port, address: string = CLIENT.address): InetInit {
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

/** A relay that puts the header in front, for clients that take no socket. */
export async function relayTo(t: TestContext, port: number): Promise<number> {
  const relay = net.createServer(socket => {
    const upstream = openSocket({ host: HOST, port }, headerOf())
    socket.pipe(upstream).pipe(socket)
    socket.on('close', () => upstream.destroy()).on('error', () => undefined)
    upstream.on('close', () => socket.destroy()).on('error', () => undefined)
  })
  t.after(() => relay.close())
  await once(relay.listen(0, HOST), 'listening')
  return (relay.address() as AddressInfo).port
}
