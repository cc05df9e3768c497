// Only the user of the program may use the socket: its mode is 0600 from the moment that it exists.

import { once } from 'node:events'
import { createServer, type Server, type Socket } from 'node:net'
import type { ProxyServer } from 'proxyprotocol/server'
import { listenAt } from '../../relay/index.ts'
import { explain, PlainError } from '../program.ts'
import { obey } from './commands.ts'
import { type ControlAnswer, type ControlRequest, controlRequest, MAX_REQUEST_BYTES } from './request.ts'
import type { Running } from './running.ts'

const MAX_CONNECTIONS = 16
const REQUEST_TIMEOUT = 5_000
const OTHERS = 0o177

export interface ControlServer {
  close(): Promise<void>
}

export async function startControl(path: string, running: Running): Promise<ControlServer> {
  const sockets = new Set<Socket>()
  const server = createServer({ allowHalfOpen: true }, socket => {
    sockets.add(socket)
    socket.on('error', () => undefined).on('close', () => sockets.delete(socket))
    void answer(socket, running)
  })
  server.maxConnections = MAX_CONNECTIONS
  const listening = { listen: (...args: Parameters<ProxyServer['listen']>) => privately(server, args) }
  await listenAt(listening, { listen: { transport: 'unix', path, pp: undefined, tls: undefined } }).catch(
    (error: unknown) => {
      throw new PlainError(`control socket: ${explain(error)}`, { cause: error })
    },
  )
  return {
    close: async () => {
      server.close()
      for (const socket of sockets) socket.destroy()
      await once(server, 'close')
    },
  }
}

/** Node binds within the call. */
async function privately(server: Server, args: Parameters<ProxyServer['listen']>): Promise<string> {
  const before = process.umask(OTHERS)
  try {
    server.listen(args[0])
  } finally {
    process.umask(before)
  }
  await once(server, 'listening')
  return server.address() as string // a UNIX socket
}

async function answer(socket: Socket, running: Running): Promise<void> {
  try {
    const reply = await replyTo(await requestOf(socket), running)
    socket.end(`${JSON.stringify(reply)}\n`)
  } catch {
    socket.destroy() // it has left, or asks for too much
  }
}

async function requestOf(socket: Socket): Promise<string> {
  const timer = setTimeout(() => socket.destroy(), REQUEST_TIMEOUT).unref()
  try {
    return await lineOf(socket)
  } finally {
    clearTimeout(timer)
  }
}

async function lineOf(socket: Socket): Promise<string> {
  let text = ''
  for await (const chunk of socket.setEncoding('utf8').iterator({ destroyOnReturn: false })) {
    text += String(chunk)
    if (text.length > MAX_REQUEST_BYTES) break
    if (text.endsWith('\n')) return text
  }
  throw new Error('no request')
}

async function replyTo(text: string, running: Running): Promise<ControlAnswer> {
  try {
    return { status: 'done', result: await obey(running, requestIn(text)) }
  } catch (error) {
    return { status: 'refused', error: explain(error) }
  }
}

function requestIn(text: string): ControlRequest {
  try {
    return controlRequest.parse(JSON.parse(text))
  } catch {
    throw new PlainError(
      'the request must be one of this version, got another one; is ctl of the same version?',
    )
  }
}
