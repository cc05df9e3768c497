// Real sockets on loopback, and how they end.

import { once } from 'node:events'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { setImmediate as turn } from 'node:timers/promises'

/** How a socket ended: all it received, and `FIN`, `closed` (by this side) or the code of its error. */
export interface Outcome {
  readonly text: string
  readonly end: string
}

/** Reads a socket to its close. */
export function outcome(socket: Socket): Promise<Outcome> {
  const chunks: Buffer[] = []
  let end = 'closed'
  return new Promise(resolve => {
    socket.on('data', (chunk: Buffer) => chunks.push(chunk))
    socket.on('end', () => (end = 'FIN'))
    socket.on('error', (error: NodeJS.ErrnoException) => (end = error.code ?? error.message))
    socket.on('close', () => {
      resolve({ text: Buffer.concat(chunks).toString(), end })
    })
  })
}

/** Reads until so many bytes have come, or the FIN. */
export async function content(socket: Socket, length = Infinity): Promise<Buffer> {
  const chunks: Buffer[] = []
  let received = 0
  for await (const chunk of socket.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    chunks.push(chunk)
    received += chunk.length
    if (received >= length) break
  }
  return Buffer.concat(chunks)
}

export async function text(socket: Socket, length?: number): Promise<string> {
  return (await content(socket, length)).toString()
}

/** Turns the event loop until the condition holds, for states that no event tells of. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await turn()
}

/** Lets go of everything that is under way inside the process and on loopback. */
export async function turns(count = 10): Promise<void> {
  for (let i = 0; i < count; i++) await turn()
}

/** A listener without behaviour of its own, whose half-open sockets wait to be taken. */
export interface RawListener {
  readonly port: number
  readonly accept: () => Promise<Socket>
}

/** Starts one; `defer` gets what ends it. */
export async function listenRaw(
  { defer }: { readonly defer: (end: () => unknown) => void },
  where: number | string = 0,
): Promise<RawListener> {
  const waiting: Socket[] = []
  const all: Socket[] = []
  const server = createServer({ allowHalfOpen: true }, socket => {
    socket.on('error', () => {})
    waiting.push(socket)
    all.push(socket)
  })
  if (typeof where === 'string') server.listen(where)
  else server.listen(where, '127.0.0.1')
  await once(server, 'listening')
  defer(async () => {
    for (const socket of all) socket.destroy()
    server.close()
    await once(server, 'close')
  })
  return {
    port: (server.address() as AddressInfo).port,
    accept: async () => {
      await until(() => waiting.length > 0)
      return waiting.shift() as Socket // there is one now
    },
  }
}

/** A port of loopback without a listener. */
export async function closedPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}
