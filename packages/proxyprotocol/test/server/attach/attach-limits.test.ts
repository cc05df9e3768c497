// Behind attach() every kind of server keeps its own limits and events.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { DropArgument, Socket } from 'node:net'
import { test } from 'node:test'
import { turns } from 'test-support/sockets'
import { V2 } from '../../support/headers.ts'
import { kinds, withServer } from '../../support/server-kinds.ts'
import { options, CLIENT, countOf, fate, silent } from '../../support/attach-limits.ts'

for (const [name, { create, ask }] of Object.entries(kinds)) {
  test(`attach() on ${name}: maxConnections counts connections that wait for a header, and 'drop' tells of the rest`, t =>
    withServer(t, { server: create(), options }, async attached => {
      const { server, dial, behind } = attached
      server.maxConnections = 1
      const waiting = await silent(attached)
      const dropped = once(server, 'drop') as Promise<[DropArgument]>
      const second = fate(dial())
      const [{ remoteAddress }] = await dropped
      assert.equal(remoteAddress, '127.0.0.1')
      assert.equal((await second).text, '')
      waiting.destroy()
      while ((await countOf(server)) > 0) await turns(1)
      assert.equal(await ask(behind(V2)), CLIENT)
    }))

  test(`attach() on ${name}: getConnections() counts what waits for a header and what has it`, t =>
    withServer(t, { server: create(), options }, async attached => {
      const { server, behind } = attached
      const waiting = await silent(attached)
      const open = behind(V2)
      const accepted = once(server, 'connection') as Promise<[Socket]>
      open.write('')
      const [socket] = await accepted
      assert.equal(await countOf(server), 2)
      waiting.destroy()
      open.destroy()
      socket.destroy() // net servers of this kind are half-open
      while ((await countOf(server)) > 0) await turns(1)
    }))

  test(`attach() on ${name}: close() ends with silent connections pending`, t =>
    withServer(t, { server: create(), options }, async attached => {
      const { server } = attached
      const sockets = [await silent(attached), await silent(attached)]
      const closed = once(server, 'close')
      server.close()
      await closed
      for (const { end } of await Promise.all(sockets.map(socket => fate(socket)))) {
        assert.match(end, /^(?:FIN|ECONNRESET)$/)
      }
    }))

  test(`attach() on ${name}: listeners of 'connection' that come late hear of the client, once() once`, t =>
    withServer(t, { server: create(), options }, async ({ server, behind }) => {
      const [often, once]: [string[], string[]] = [[], []]
      server.on('connection', (socket: Socket) => often.push(String(socket.remoteAddress)))
      server.once('connection', (socket: Socket) => once.push(String(socket.remoteAddress)))
      for (let i = 0; i < 2; i++) assert.equal(await ask(behind(V2)), CLIENT)
      assert.deepEqual([often, once], [['192.0.2.1', '192.0.2.1'], ['192.0.2.1']])
    }))
}
