// mysql2 over openSocket(); the server is mysql2's own, and learns the address of its client when it authenticates.

import assert from 'node:assert/strict'
import type { Server } from 'node:net'
import { test } from 'node:test'
import mysql from 'mysql2/promise'
import { createServer as createMysqlServer, type Connection } from 'mysql2'
import { openSocket } from 'proxyprotocol/client'
import { CLIENT, headerOf, HOST, listen } from './support.ts'

/** What mysql2's types leave out of the connections of a server. */
interface ServerSide extends Connection {
  serverHandshake(options: object): void
  writeOk(): void
}

test('mysql2 takes openSocket() as its stream, and its server sees the client', async t => {
  const addresses: unknown[] = []
  const protocol = createMysqlServer(connection => {
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
        addresses.push(address)
        done(null)
      },
    })
  })
  const { _server: server } = protocol as unknown as { _server: Server } // its net.Server
  const port = await listen(t, server)
  const stream = () => openSocket({ host: HOST, port }, headerOf())
  const client = await mysql.createConnection({ user: 'someone', stream })
  await client.ping()
  assert.deepEqual(addresses, [CLIENT.address])
  await client.end()
})
