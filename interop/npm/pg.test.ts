// pg over openSocket(), plain and with the TLS that pg starts itself.

import assert from 'node:assert/strict'
import { createServer } from 'node:net'
import { test, type TestContext } from 'node:test'
import pg from 'pg'
import { openSocket } from 'proxyprotocol/client'
import { servePostgres } from './databases/postgres.ts'
import { certificate, CLIENT, headerOf, HOST, listen } from './support.ts'

async function listenPostgres(t: TestContext): Promise<number> {
  return listen(
    t,
    createServer(socket => void servePostgres(socket).catch(() => socket.destroy())),
  )
}

for (const ssl of [false, { ca: certificate.cert }]) {
  test(`pg sends the header before its first message${ssl ? ', and its own TLS behind it' : ''}`, async t => {
    const port = await listenPostgres(t)
    const client = new pg.Client({
      host: 'localhost',
      port,
      user: 'someone',
      ssl,
      stream: () => openSocket({ host: HOST, port }, headerOf()),
    })
    await client.connect()
    const { rows } = await client.query<{ address: string }>('SELECT address')
    assert.deepEqual(rows, [{ address: `${CLIENT.address}:${CLIENT.port}` }])
    await client.end()
  })
}

test('pg gets a failure of openSocket() as its own', async () => {
  const stream = () => openSocket({ host: HOST, port: 1 }, headerOf())
  await assert.rejects(new pg.Client({ user: 'someone', stream }).connect(), { code: 'ECONNREFUSED' })
})
