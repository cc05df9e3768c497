// A killed program leaves the file of its UNIX socket behind, which must not block the next start.

import { once } from 'node:events'
import { lstatSync, unlinkSync } from 'node:fs'
import { connect, type AddressInfo } from 'node:net'
import type { ProxyServer } from 'proxyprotocol/server'
import { endpointOptions, type Service } from '../config/index.ts'

export type ListenSettings = Pick<Service, 'listen'> & Partial<Pick<Service, 'backlog' | 'ipv6Only'>>

/** Any other file stays. */
export async function listenAt(
  server: Pick<ProxyServer, 'listen'>,
  { listen, backlog, ipv6Only }: ListenSettings,
): Promise<AddressInfo | string> {
  const options = { ...endpointOptions(listen), backlog, ipv6Only }
  try {
    return await server.listen(options)
  } catch (error) {
    if (listen.transport !== 'unix' || !isInUse(error) || !(await isStale(listen.path))) throw error
    unlinkSync(listen.path)
    return server.listen(options)
  }
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
