// attach() tells peers at a UNIX socket by their sockets, because a server does not always know where it listens.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type AddressInfo, type Server } from 'node:net'
import { join } from 'node:path'
import { Duplex } from 'node:stream'
import { test } from 'node:test'
import { temporaryFolder } from 'test-support/folder'
import { outcome, until } from 'test-support/sockets'
import { attach } from '../../../src/server/index.ts'
import { encode, SOURCE, V2 } from '../../support/headers.ts'
import { createHarness, type Harness } from '../../support/harness.ts'

async function listen(harness: Harness, server: Server, where: string | number): Promise<void> {
  server.listen(where)
  await once(server, 'listening')
  harness.defer(async () => {
    server.close()
    await once(server, 'close')
  })
}

test('attach() trusts the peers of "unix" also if the server does not know where they connected', async t => {
  const harness = createHarness(t)
  const server = attach(
    createServer(socket => socket.end(String(socket.remoteAddress))),
    { trust: ['unix'] },
  )
  assert.equal(server.address(), null)
  const path = join(temporaryFolder(t), 'socket')
  await listen(
    harness,
    createServer({ allowHalfOpen: true }, socket => server.emit('connection', socket)),
    path,
  )
  assert.equal((await outcome(harness.dial(path).end(V2))).text, SOURCE.address)
})

test('attach() does not take a stream of the program for a peer at a UNIX socket', async () => {
  const server = attach(
    createServer(() => assert.fail('it was let in')),
    { trust: ['unix'] },
  )
  const stream = new Duplex({ read: () => undefined })
  stream.push(V2)
  server.emit('connection', stream)
  await until(() => stream.destroyed)
})

test('attach() does not take a TCP socket whose header named a UNIX path for a peer at a UNIX socket', async t => {
  const harness = createHarness(t)
  const server = attach(
    createServer(() => assert.fail('it was let in')),
    { trust: ['unix'] },
  )
  let shown: unknown
  const outer = createServer(socket => {
    shown = socket.localAddress
    server.emit('connection', socket)
  })
  attach(outer, { trust: 'anyone' })
  await listen(harness, outer, 0)
  const header = encode({ source: { path: '/a' }, destination: { path: '/b' } })
  const client = harness.dial((outer.address() as AddressInfo).port)
  assert.equal((await outcome(client.end(Buffer.concat([header, V2])))).text, '')
  assert.equal(shown, undefined)
})
