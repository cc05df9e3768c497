// Listening at an address. A UNIX socket leaves its file behind when its program is killed, which must not keep the next one
// from starting.

import { once } from 'node:events'
import { lstatSync, unlinkSync } from 'node:fs'
import { connect, type AddressInfo } from 'node:net'
import type { ProxyServer } from 'proxyprotocol/server'
import { placeOf, type Address } from '../config/index.ts'

/**
 * Makes the server listen, and removes the file of a UNIX socket that nobody listens at any more; any other file stays.
 *
 * @returns the bound address.
 * @throws the system's error when the address cannot be bound.
 */
export async function listenAt(
  server: Pick<ProxyServer, 'listen'>,
  address: Address,
): Promise<AddressInfo | string> {
  try {
    return await server.listen(placeOf(address))
  } catch (error) {
    if (address.transport !== 'unix' || !isInUse(error) || !(await isStale(address.path))) throw error
    unlinkSync(address.path)
    return server.listen(placeOf(address))
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
