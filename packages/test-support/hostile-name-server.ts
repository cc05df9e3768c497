// A name server that answers each query in the way of one kind, over UDP and, where the kind has a stream, over TCP.

import { createSocket } from 'node:dgram'
import type { Socket } from 'node:dgram'
import { once } from 'node:events'
import { createServer } from 'node:net'
import type { Server } from 'node:net'
import type { HostileKind } from './hostile-replies.ts'

export interface HostileServer {
  /** What `servers` takes. */
  readonly address: string
  close(): Promise<void>
}

/** Ports are tried until one is free for UDP and TCP alike. */
export async function startHostileServer(kind: HostileKind): Promise<HostileServer> {
  const socket = await bound()
  const other = await bound()
  const { port } = socket.address()
  socket.on('message', (query, from) => {
    for (const reply of kind.datagrams(query)) socket.send(reply, from.port, from.address)
    for (const reply of kind.elsewhere?.(query) ?? []) other.send(reply, from.port, from.address)
  })
  const tcp = tcpServer(kind)
  const closed = async (): Promise<void> => {
    const ended = [socket, other].map(each => once(each.close(), 'close'))
    if (tcp.listening) ended.push(once(tcp.close(), 'close'))
    await Promise.all(ended)
  }
  if (kind.stream === undefined) return { address: `127.0.0.1:${port}`, close: closed }
  try {
    tcp.listen(port, '127.0.0.1')
    await once(tcp, 'listening')
  } catch {
    await closed()
    return startHostileServer(kind)
  }
  return { address: `127.0.0.1:${port}`, close: closed }
}

async function bound(): Promise<Socket> {
  const socket = createSocket('udp4')
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  return socket
}

/** Answers the first query of each connection, which comes in one segment, and ends. */
function tcpServer({ stream, drips }: HostileKind): Server {
  return createServer(socket => {
    socket.on('error', () => {}) // the client has enough
    socket.once('data', (bytes: Buffer) => {
      const reply = stream?.(bytes.subarray(2)) ?? Buffer.alloc(0)
      if (drips !== true) return void socket.end(reply)
      let at = 0
      const timer = setInterval(() => {
        socket.write(reply.subarray(at, ++at))
        if (at === reply.length) socket.end()
      }, 1)
      socket.once('close', () => clearInterval(timer))
    })
  })
}
