// Whether addresses can be bound, found out before workers are told to. node:cluster counts every attempt of a worker at an address,
// also one that fails, and from then on takes its attempts for others than those of the workers beside it.

import { createServer } from 'proxyprotocol/server'
import type { Service } from '../../config/index.ts'
import { listenAt } from '../../relay/index.ts'
import { naming } from '../services/index.ts'

/**
 * Binds each address for a moment, and removes the files of UNIX sockets that nobody listens at any more.
 *
 * @throws PlainError that names the service whose address cannot be bound.
 */
export async function checkListen(services: readonly Service[]): Promise<void> {
  for (const service of services) {
    const server = createServer({ version: 'none' }, ({ socket }) => void socket.resetAndDestroy())
    try {
      await listenAt(server, service)
    } catch (error) {
      throw naming(service, error)
    } finally {
      await server.abort()
    }
  }
}
