// One real connection: whatever it starts with, up to where that is a header or cannot be one.

import { once } from 'node:events'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { decodeHeader } from 'proxyprotocol'
import { ConfigError, parseAddress } from '../../config/index.ts'
import { showAddress, showEndpoint } from '../../log/index.ts'
import type { ProgramIo } from '../program.ts'

/** A sender that has not finished its header by then will not: most give up after five seconds. */
const PATIENCE = 10_000

/**
 * Listens, takes the first connection and gives what it sends; says on standard error where it listens and who came.
 *
 * @throws ConfigError for what is no address; the system's error when it cannot be bound.
 */
export async function firstBytes(at: string, io: Pick<ProgramIo, 'error'>): Promise<Uint8Array> {
  const address = parseAddress(at, { role: 'listen' })
  if (address.transport === 'unix' || address.tls) {
    throw new ConfigError(
      `${JSON.stringify(at)}: a header is taken from a TCP port, in clear; a right one is "127.0.0.1:10007"`,
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

async function start(socket: Socket): Promise<Uint8Array> {
  let bytes = Buffer.alloc(0)
  const timer = setTimeout(() => socket.destroy(), PATIENCE)
  try {
    for await (const chunk of socket) {
      bytes = Buffer.concat([bytes, chunk as Buffer])
      if (decodeHeader(bytes).status !== 'partial') break
    }
  } catch {
    // A reset, or our own end to it: what had come until then is what there is to explain.
  } finally {
    clearTimeout(timer)
    socket.destroy()
  }
  return bytes
}
