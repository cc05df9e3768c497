// On Bun, HTTP servers read their sockets natively, and TLS servers start the handshake at once.

import { Server } from 'node:net'

export function refuseOnBun(server: Server, bun: string | undefined = process.versions['bun']): void {
  if (bun === undefined) return
  // Bun's HTTP servers are not `net.Server`s; TLS and HTTP servers everywhere have these methods.
  const plain = server instanceof Server && !('setSecureContext' in server || 'closeAllConnections' in server)
  if (plain) return
  throw new Error(
    'attach() protects net and cleartext http2 servers only on Bun, which starts HTTP and TLS before the header is ' +
      'read: put front() in front of this server instead',
  )
}
