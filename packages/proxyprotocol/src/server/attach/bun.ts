// What attach() cannot protect on Bun: HTTP servers read their sockets natively, and TLS servers start the handshake at
// once.

import { Server } from 'node:net'

/**
 * Refuses a server that would see connections before their headers are read.
 *
 * @param bun Bun's version; undefined on other runtimes, where every server can be attached to.
 * @throws Error that names front(), which protects it.
 */
export function refuseOnBun(server: Server, bun: string | undefined = process.versions['bun']): void {
  if (bun === undefined) return
  // Bun's HTTP servers are no net.Server; the two methods are those of TLS and HTTP servers anywhere.
  const plain = server instanceof Server && !('setSecureContext' in server || 'closeAllConnections' in server)
  if (plain) return
  throw new Error(
    'attach() protects net and cleartext http2 servers only on Bun, which starts HTTP and TLS before the header is ' +
      'read: put front() in front of this server instead',
  )
}
