// Listening at an address. A UNIX socket leaves its file behind when its program is killed, which must not keep the next one
// from starting.

import { once } from 'node:events'
import { lstatSync, unlinkSync } from 'node:fs'
import { connect, type AddressInfo } from 'node:net'
import type { ProxyServer } from 'proxyprotocol/server'
import { endpointOptions, type Service } from '../config/index.ts'

/** Where and how to listen. */
export type ListenSettings = Pick<Service, 'listen'> & Partial<Pick<Service, 'backlog' | 'ipv6Only'>>

/**
 * Makes the server listen, and removes the file of a UNIX socket that nobody listens at any more; any other file stays.
 *
 * @returns the bound address.
 * @throws the system's error when the address cannot be bound.
 */
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

/** A socket refuses connections when nobody listens; other answers are those of a program that lives. */
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
