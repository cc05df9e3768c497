// Servers that hand their listening socket over.

import { content } from 'test-support/sockets'
import { createServer, type ProxyServer } from '../../src/server/index.ts'
import type { Harness } from './harness.ts'

export const HOST = '127.0.0.1'

/** A server that sends its name, and then ends with its client. */
export function named(harness: Harness, name: string): ProxyServer {
  return harness.watch(
    createServer({ trust: 'anyone' }, async ({ socket }) => {
      socket.write(name)
      await content(socket)
    }),
  )
}
