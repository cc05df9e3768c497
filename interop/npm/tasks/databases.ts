// The examples about clients of databases: a server that reads headers sees the client that the example announces.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { mysqlServer } from '../databases/mysql.ts'
import { servePostgres } from '../databases/postgres.ts'
import { serveRedis } from '../databases/redis.ts'
import { CLIENT, listen } from '../support.ts'
import { run, start, type Check } from './example.ts'

export const databases: Readonly<Record<string, Check>> = {
  'databases.md 1': async (t, example) => {
    const port = await listen(
      t,
      createServer(socket => void servePostgres(socket).catch(() => socket.destroy())),
    )
    const { child, line } = start(t, example, { replace: { 5432: port } })
    assert.equal(await line(), `{ address: '${CLIENT.address}:${CLIENT.port}' }`)
    assert.deepEqual(await once(child, 'exit'), [0, null])
  },

  'databases.md 2': async (t, example) => {
    const addresses: unknown[] = []
    const server = mysqlServer(address => addresses.push(address))
    await run(t, example, { replace: { 3306: await listen(t, server) } })
    assert.deepEqual(addresses, [CLIENT.address])
  },

  'databases.md 3': async (t, example) => {
    const port = await listen(t, createServer(serveRedis))
    const { child, line } = start(t, example, { replace: { 6379: port } })
    assert.equal(await line(), CLIENT.address)
    assert.deepEqual(await once(child, 'exit'), [0, null])
  },
}
