// The two ways to let connections in, createServer() and attach() on a net.Server, behind one face: under the same options
// the same rules hold for both.

import { once } from 'node:events'
import { createServer as createNetServer, type AddressInfo, type Socket } from 'node:net'
import type { TestContext } from 'node:test'
import { text } from 'test-support/sockets'
import {
  attach,
  connectionInfo,
  createServer,
  diagnosticsChannels,
  type AcceptedMessage,
  type AttachOptions,
  type ConnectionInfo,
  type ProxyServer,
  type RejectedMessage,
} from '../../src/server/index.ts'
import { collect, type Harness } from './harness.ts'

/** A connection that came through. */
export interface Seen {
  readonly info: ConnectionInfo | undefined
  /** The socket's own word. */
  readonly address: string | undefined
  /** All that the client has sent, once its FIN is there. */
  text: string | undefined
}

export interface Door {
  /** 0 on a UNIX socket. */
  readonly port: number
  readonly seen: readonly Seen[]
  readonly accepted: readonly AcceptedMessage[]
  readonly refused: readonly RejectedMessage[]
  /** What `onError` was given, which attach() does not have. */
  readonly errors: readonly unknown[]
  /** Undefined for attach(). */
  readonly server: ProxyServer | undefined
}

/** Opens a door on loopback, or at a path; by default it trusts anyone. It answers `served` after the client's FIN. */
export type OpenDoor = (
  t: TestContext,
  harness: Harness,
  setting?: { readonly options?: Partial<AttachOptions>; readonly path?: string },
) => Promise<Door>

export const doors: readonly (readonly [name: string, open: OpenDoor])[] = [
  ['createServer()', openCreated],
  ['attach()', openAttached],
]

async function openCreated(...[t, harness, { options, path } = {}]: Parameters<OpenDoor>): Promise<Door> {
  const seen: Seen[] = []
  const errors: unknown[] = []
  const onError = (error: unknown): unknown => errors.push(error)
  const server = harness.watch(
    createServer({ trust: 'anyone', onError, ...options }, ({ socket }) => serve(socket, seen)),
  )
  const address = await (path === undefined ? server.listen(0, '127.0.0.1') : server.listen(path))
  const port = typeof address === 'string' ? 0 : address.port
  return { port, seen, errors, server, ...messages(t, server) }
}

async function openAttached(...[t, harness, { options, path } = {}]: Parameters<OpenDoor>): Promise<Door> {
  const seen: Seen[] = []
  const sockets: Socket[] = []
  const server = createNetServer({ allowHalfOpen: true }, socket => {
    sockets.push(socket.on('error', () => {}))
    void serve(socket, seen).catch(() => socket.destroy())
  })
  attach(server, { trust: 'anyone', ...options })
  if (path === undefined) server.listen(0, '127.0.0.1')
  else server.listen(path)
  await once(server, 'listening')
  harness.defer(async () => {
    for (const socket of sockets) socket.destroy()
    server.close()
    await once(server, 'close')
  })
  const port = path === undefined ? (server.address() as AddressInfo).port : 0
  return { port, seen, errors: [], server: undefined, ...messages(t, server) }
}

function messages(t: TestContext, server: AcceptedMessage['server']): Pick<Door, 'accepted' | 'refused'> {
  const accepted: AcceptedMessage[] = []
  const refused: RejectedMessage[] = []
  collect(t, diagnosticsChannels.accepted, { server, seen: accepted })
  collect(t, diagnosticsChannels.rejected, { server, seen: refused })
  return { accepted, refused }
}

async function serve(socket: Socket, all: Seen[]): Promise<void> {
  const seen: Seen = { info: connectionInfo(socket), address: socket.remoteAddress, text: undefined }
  all.push(seen)
  seen.text = await text(socket)
  socket.end('served')
}
