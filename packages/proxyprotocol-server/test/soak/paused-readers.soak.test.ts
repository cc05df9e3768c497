// Back-pressure: who does not read holds a connection, not the relay's memory.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { Socket } from 'node:net'
import { test } from 'node:test'
import { checkPattern, sendPattern } from '../support/pattern.ts'
import { startRemoteRelay } from '../support/remote-server.ts'
import { MEBIBYTE } from '../support/connections.ts'
import { transports } from '../support/transport.ts'

const READERS = 20
/** Bytes for each. */
const LENGTH = 64 * MEBIBYTE
/** What the resident memory may grow by, in bytes. */
const BOUND = 48 * MEBIBYTE
/** Looks at the memory after the last sender had to wait. */
const LOOKS = 20

for (const transport of transports) {
  for (const reader of ['client', 'upstream'] as const) {
    test(`${transport.name}: ${READERS} ${reader}s that do not read 64 MiB each cost the relay at most 48 MiB of memory, and have every byte once they do`, async t => {
      let length = LENGTH
      const received: Promise<number | string>[] = []
      const senders: Socket[] = []
      const readers: Socket[] = []
      function send(socket: Socket): void {
        senders.push(socket.resume())
        sendPattern(socket, length)
      }
      function hold(socket: Socket): void {
        readers.push(socket)
        if (length === MEBIBYTE) received.push(checkPattern(socket))
        socket.on('end', () => socket.end())
      }
      const upstream = await transport.startUpstream(t, reader === 'client' ? send : hold)
      const relay = await startRemoteRelay(t, {
        source: transport.sourceFor(t),
        upstream: transport.upstreamAt(upstream.port),
      })
      const start = async (): Promise<void> => {
        const socket = transport.dial(t, relay.port)
        await once(socket, 'connect')
        if (reader === 'client') hold(socket)
        else send(socket)
      }
      // A process keeps what it takes for its first connections, whether they read or not.
      length = MEBIBYTE
      await Promise.all(Array.from({ length: READERS }, start))
      await relay.reached(({ counts }) => counts['done'] === READERS)
      assert.deepEqual(await Promise.all(received.splice(0)), Array(READERS).fill(MEBIBYTE))
      const before = (await relay.collected()).memory.resident

      length = LENGTH
      senders.length = readers.length = 0
      await Promise.all(Array.from({ length: READERS }, start))
      for (let still = 0, last = -1; still < LOOKS; still++) {
        const { memory } = await relay.health()
        const grown = memory.resident - before
        assert.ok(grown <= BOUND, `it took ${(grown / MEBIBYTE).toFixed(1)} MiB`)
        const sent = senders.reduce(
          (sum, { bytesWritten, writableLength }) => sum + bytesWritten - writableLength,
          0,
        )
        const stuck = senders.length === READERS && senders.every(sender => sender.writableNeedDrain)
        if (!stuck || sent !== last) still = 0
        last = sent
      }

      received.push(...readers.map(checkPattern))
      assert.deepEqual(await Promise.all(received), Array(READERS).fill(LENGTH))
      await relay.reached(({ counts }) => counts['done'] === 2 * READERS)
    })
  }
}
