// The server of mysql2, as far as a client needs one. It learns the address of its client when it authenticates.

import type { Server } from 'node:net'
import { createServer, type Connection } from 'mysql2'

/** What mysql2's types leave out of the connections of a server. */
interface ServerSide extends Connection {
  serverHandshake(options: object): void
  writeOk(): void
}

export function mysqlServer(onClient: (address: unknown) => void): Server {
  const protocol = createServer(connection => {
    const server = connection as ServerSide // the server's own connections have more
    server.on('error', () => undefined)
    server.on('ping', () => server.writeOk())
    server.serverHandshake({
      protocolVersion: 10,
      serverVersion: '8.0.0',
      connectionId: 1,
      statusFlags: 2,
      characterSet: 8,
      capabilityFlags: 0xff_ff_f7_df, // all but SSL
      authCallback: ({ address }: { address: unknown }, done: (error: null) => void) => {
        onClient(address)
        done(null)
      },
    })
  })
  const { _server: server } = protocol as unknown as { _server: Server } // its net.Server
  return server
}
