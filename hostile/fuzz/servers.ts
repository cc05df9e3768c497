// The servers under attack: attach() on each kind that Node has, and createServer(). Each answers a client that its header
// names with what it sees of it, and tells which connections its application got.

import { once } from 'node:events'
import type { AddressInfo, Server, Socket } from 'node:net'

import { attach, connectionInfo, createServer } from '../../packages/proxyprotocol/src/server/index.ts'
import {
  askPlain,
  kinds,
  onSocket,
  type Kind,
} from '../../packages/proxyprotocol/test/support/server-kinds.ts'

/** One server. */
export interface Target {
  readonly name: string
  readonly port: number
  /** Speaks the kind's protocol. */
  readonly ask: Kind['ask']
  /** When the application got the last connection from each port of a client. */
  readonly delivered: ReadonlyMap<number, number>
  /** Ends it, and tells what it still held. */
  close(): Promise<string>
}

/** Milliseconds that a header may take, however slowly a busy machine gets it across. */
const HEADER_TIMEOUT = 25_000
/** Nearly all headers are refused; without `onRejected` each refusal is a warning, which ends the run. */
const TRUST = { trust: ['127.0.0.1'], timeouts: { header: HEADER_TIMEOUT }, onRejected: () => undefined }

/** Starts all of them. */
export async function startTargets(): Promise<readonly Target[]> {
  const attached = Object.entries(kinds).map(([name, kind]) => attachedTarget(name, kind))
  return Promise.all([...attached, awaitedTarget()])
}

async function attachedTarget(name: string, { create, ask }: Kind): Promise<Target> {
  const server: Server = attach(create(), TRUST)
  const delivered = new Map<number, number>()
  server.on('connection', (socket: Socket) => remember(delivered, socket))
  server.on('tlsClientError', (_error: Error, socket: Socket) => socket.destroy())
  server.on('connection', (socket: Socket) => {
    socket.on('error', () => socket.destroy())
    if (name === 'net') socket.on('end', () => socket.end()) // it allows half-open connections
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const close = async () => {
    const left = await new Promise<number>(resolve =>
      server.getConnections((_error, count) => resolve(count)),
    )
    server.close()
    return left === 0 ? '' : `${name} still holds ${left} connections`
  }
  return { name: `attach(${name})`, port: (server.address() as AddressInfo).port, ask, delivered, close }
}

async function awaitedTarget(): Promise<Target> {
  const delivered = new Map<number, number>()
  const server = createServer({ ...TRUST, onError: () => undefined }, async ({ socket, signal }) => {
    remember(delivered, socket)
    onSocket(socket)
    await Promise.race([once(socket, 'close'), once(socket, 'end', { signal })])
  })
  const { port } = (await server.listen(0, '127.0.0.1')) as AddressInfo // it listens at a port
  const close = async () => {
    const { stuck } = await server.close({ drain: 1_000 })
    const { accepted, active, closed } = server.stats()
    const counted = active + Object.values(closed).reduce((sum, count) => sum + count, 0)
    return stuck.length === 0 && accepted === counted
      ? ''
      : `createServer: ${stuck.length} stuck, ${accepted} accepted, ${counted} counted`
  }
  return { name: 'createServer', port, ask: askPlain, delivered, close }
}

function remember(delivered: Map<number, number>, socket: Socket): void {
  const peer = connectionInfo(socket)?.via.peer
  if (peer && 'port' in peer) delivered.set(peer.port, performance.now())
}
