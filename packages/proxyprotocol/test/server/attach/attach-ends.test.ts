// Ends and resets behind attach() are those of the bare server: attach() itself tells nothing apart.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { test } from 'node:test'
import { outcome, until } from 'test-support/sockets'
import { attach, distinguishResets } from '../../../src/server/index.ts'
import { V2 } from '../../support/headers.ts'
import { createHarness, type Harness } from '../../support/harness.ts'

const LENGTH = 30_000

const servers = {
  'the bare server': (server: Server) => server,
  'attach()': (server: Server) => attach(server, { trust: 'anyone' }),
}

/** What a server's socket sees of a client that sends some bytes, and ends or resets once the server has them all. */
async function play(
  harness: Harness,
  server: Server,
  {
    header,
    endsFirst,
    resets,
    tells,
  }: { header: boolean; endsFirst: boolean; resets: boolean; tells: boolean },
): Promise<unknown> {
  const accepted = once(server, 'connection') as Promise<[Socket]>
  const client = harness.dial((server.address() as AddressInfo).port)
  if (header) client.write(V2)
  const [socket] = await accepted
  if (tells) distinguishResets(socket)
  let received = 0
  const seen: string[] = []
  for (const event of ['end', 'error', 'close']) socket.on(event, () => seen.push(event))
  socket.on('data', (chunk: Buffer) => (received += chunk.length))
  const ended = outcome(socket)
  if (endsFirst) socket.end()
  client.write(Buffer.alloc(LENGTH))
  await until(() => received === LENGTH)
  client.resume()
  if (endsFirst) await until(() => client.readableEnded)
  if (resets) client.resetAndDestroy()
  else client.end()
  if (!endsFirst && !resets) {
    await until(() => seen.includes('end'))
    socket.end()
  }
  const { end } = await ended
  return { end, seen }
}

for (const endsFirst of [false, true]) {
  for (const resets of [false, true]) {
    const name = `${resets ? 'resets' : 'ends'}${endsFirst ? ' after the server has ended' : ''}`

    test(`attach() shows a client that ${name} as the bare server does, with distinguishResets() and without`, async t => {
      const harness = createHarness(t)
      const all: unknown[] = []
      for (const [kind, make] of Object.entries(servers)) {
        const server = make(createServer({ allowHalfOpen: true })).listen(0, '127.0.0.1')
        await once(server, 'listening')
        for (const tells of [false, true]) {
          all.push(await play(harness, server, { header: kind === 'attach()', endsFirst, resets, tells }))
        }
        await once(server.close(), 'close')
      }
      const expected = resets
        ? { end: 'ECONNRESET', seen: ['error', 'close'] }
        : { end: 'FIN', seen: ['end', 'close'] }
      assert.deepEqual(all, [expected, expected, expected, expected])
    })
  }
}
