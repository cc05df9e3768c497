// node:cluster counts each attempt of a worker at an address. After a failed one, it no longer matches those of other
// workers.

import { createServer } from 'proxyprotocol/server'
import type { Service } from '../../config/index.ts'
import { listenAt } from '../../relay/index.ts'
import { naming } from '../services/index.ts'

/**
 * Binds each address for a moment, and removes the files of UNIX sockets that refuse connections.
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
