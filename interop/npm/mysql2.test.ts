// mysql2 over openSocket(); the server is mysql2's own.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import mysql from 'mysql2/promise'
import { openSocket } from 'proxyprotocol/client'
import { mysqlServer } from './databases/mysql.ts'
import { CLIENT, headerOf, HOST, listen } from './support.ts'

test('mysql2 takes openSocket() as its stream, and its server sees the client', async t => {
  const addresses: unknown[] = []
  const server = mysqlServer(address => addresses.push(address))
  const port = await listen(t, server)
  const stream = () => openSocket({ host: HOST, port }, headerOf())
  const client = await mysql.createConnection({ user: 'someone', stream })
  await client.ping()
  assert.deepEqual(addresses, [CLIENT.address])
  await client.end()
})
