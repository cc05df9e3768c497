// Receives one real datagram, or what one connection starts with, up to the end of its header or the first wrong byte.

import { createSocket, type RemoteInfo } from 'node:dgram'
import { once } from 'node:events'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { decodeHeader } from 'proxyprotocol'
import { ConfigError, parseAddress, type UdpAddress } from '../../config/index.ts'
import { showAddress, showEndpoint } from '../../log/index.ts'
import type { ProgramIo } from '../program.ts'

/** Most senders give up after five seconds. */
const PATIENCE = 10_000

export async function firstBytes(at: string, io: Pick<ProgramIo, 'error'>): Promise<Uint8Array> {
  const address = parseAddress(at, { role: 'listen' })
  if (address.transport === 'udp') return firstDatagram(address, io)
  if (address.transport === 'unix' || address.tls) {
    throw new ConfigError(
      `${JSON.stringify(at)}: a header is taken from a port, in clear; a right one is "127.0.0.1:10007"`,
    )
  }
  const { host, port } = address
  const server = createServer()
  server.listen({ host, port })
  try {
    await once(server, 'listening')
    io.error(`listening at ${String(showAddress(server.address() as AddressInfo))}\n`)
    const [socket] = (await once(server, 'connection')) as [Socket]
    const { remoteAddress = '', remotePort = 0 } = socket
    io.error(`connection from ${String(showEndpoint({ address: remoteAddress, port: remotePort }))}\n`)
    return await start(socket)
  } finally {
    server.close()
  }
}

async function firstDatagram({ host, port }: UdpAddress, io: Pick<ProgramIo, 'error'>): Promise<Uint8Array> {
  const socket = createSocket(host?.includes(':') ? 'udp6' : 'udp4')
  socket.bind(port, host)
  try {
    await once(socket, 'listening')
    io.error(`listening at ${String(showAddress(socket.address()))}\n`)
    const [bytes, peer] = (await once(socket, 'message')) as [Buffer, RemoteInfo]
    io.error(`datagram from ${String(showEndpoint(peer))}\n`)
    return bytes
  } finally {
    socket.close()
  }
}

async function start(socket: Socket): Promise<Uint8Array> {
  let bytes = Buffer.alloc(0)
  const timer = setTimeout(() => socket.destroy(), PATIENCE)
  try {
    for await (const chunk of socket) {
      bytes = Buffer.concat([bytes, chunk as Buffer])
      if (decodeHeader(bytes).status !== 'partial') break
    }
  } catch {
    // After a reset, what has come until then is explained.
  } finally {
    clearTimeout(timer)
    socket.destroy()
  }
  return bytes
}
