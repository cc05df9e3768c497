// After a failed attempt at an address, node:cluster no longer matches those of other workers.

import { createServer } from 'proxyprotocol/server'
import type { Service } from '../../config/index.ts'
import { bindOnce, listenAt } from '../../relay/index.ts'
import { naming } from '../services/index.ts'

export async function checkListen(services: readonly Service[]): Promise<void> {
  for (const service of services) {
    try {
      await (service.datagrams ? bindOnce(service) : listenOnce(service))
    } catch (error) {
      throw naming(service, error)
    }
  }
}

async function listenOnce(service: Service): Promise<void> {
  const server = createServer({ version: 'none' }, ({ socket }) => void socket.resetAndDestroy())
  try {
    await listenAt(server, service)
  } finally {
    await server.abort()
  }
}
