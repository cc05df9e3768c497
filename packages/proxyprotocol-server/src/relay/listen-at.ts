// How servers get their addresses. A killed program leaves the file of its UNIX socket behind, which must not block the
// next start.

import cluster from 'node:cluster'
import { once } from 'node:events'
import { lstatSync, unlinkSync } from 'node:fs'
import { connect, createServer, type AddressInfo } from 'node:net'
import { listenersKey } from 'proxyprotocol/internal/node'
import type { ProxyServer } from 'proxyprotocol/server'
import { endpointOptions, type Service } from '../config/index.ts'

export type ListenSettings = Pick<Service, 'listen'> & Partial<Pick<Service, 'backlog' | 'ipv6Only'>>

/** Beside bulk flows 16 accept no faster than 8. */
const MOST_LISTENERS = 8
/** Listeners take descriptors from connections. */
const CONNECTIONS_EACH = 250
/** They share the backlog, and the kernel does not deal clients out evenly. */
const BACKLOG_EACH = 512

interface Surroundings {
  readonly isWorker: boolean
  readonly platform: string
  readonly version: string
}

const surroundings: Surroundings = {
  isWorker: cluster.isWorker,
  platform: process.platform,
  version: process.versions.node,
}

/** Any other file stays. */
export async function listenAt(
  server: Pick<ProxyServer, 'listen'>,
  { listen, backlog, ipv6Only }: ListenSettings,
  more: object = {},
): Promise<AddressInfo | string> {
  const options = { ...endpointOptions(listen), backlog, ipv6Only, ...more }
  try {
    return await server.listen(options)
  } catch (error) {
    if (listen.transport !== 'unix' || !isInUse(error) || !(await isStale(listen.path))) throw error
    unlinkSync(listen.path)
    return server.listen(options)
  }
}

/** With several listeners, and without losing clients that wait for them at the end. */
export async function listenForClients(
  server: Pick<ProxyServer, 'listen'>,
  service: Service,
  count: number = listenersFor(service),
): Promise<AddressInfo | string> {
  const { listen, backlog } = service
  if (count > 1 && listen.transport !== 'unix' && listen.port !== 0) await checkFree(service)
  const several = { reusePort: count > 1, backlog: Math.ceil(backlog / count), [listenersKey]: count }
  return listenAt(server, service, several)
}

/** Workers share sockets, which `reusePort` would end. */
export function listenersFor(
  { listen, limits, backlog }: Pick<Service, 'listen' | 'limits' | 'backlog'>,
  { isWorker, platform, version }: Surroundings = surroundings,
): number {
  if (isWorker || listen.transport === 'unix' || !canReusePort(platform, version)) return 1
  const { connections = Infinity } = limits
  const room = Math.floor(Math.min(connections / CONNECTIONS_EACH, backlog / BACKLOG_EACH))
  return Math.max(1, Math.min(MOST_LISTENERS, room))
}

function canReusePort(platform: string, version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  return platform === 'linux' && (major > 22 || (major === 22 && minor >= 12))
}

/** With `reusePort` another program of the same user would share the address unnoticed. */
async function checkFree({ listen, ipv6Only }: Service): Promise<void> {
  const probe = createServer().listen({ ...endpointOptions(listen), ipv6Only })
  await once(probe, 'listening')
  probe.close()
  await once(probe, 'close')
}

function isInUse(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'EADDRINUSE'
}

async function isStale(path: string): Promise<boolean> {
  if (!lstatSync(path, { throwIfNoEntry: false })?.isSocket()) return false
  const socket = connect({ path })
  try {
    await once(socket, 'connect')
    return false
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'ECONNREFUSED'
  } finally {
    socket.destroy()
  }
}
