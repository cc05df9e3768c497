// After a failed attempt at an address, node:cluster no longer matches those of other workers.

import { createServer } from 'proxyprotocol/server'
import type { Service } from '../../config/index.ts'
import { listenAt } from '../../relay/index.ts'
import { naming } from '../services/index.ts'

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
