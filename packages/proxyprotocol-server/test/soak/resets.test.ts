// A stream that was cut must not look complete to its reader.

import assert from 'node:assert/strict'
import type { Socket } from 'node:net'
import { test } from 'node:test'
import { atOnce } from '../support/at-once.ts'
import { startRemoteRelay } from '../support/remote-server.ts'
import { outcome, random, type Outcome } from '../support/connections.ts'
import { transports } from '../support/transport.ts'

const RESETS = 500
/** Streams at the same time. */
const WIDTH = 20
const CHUNK = random(64 * 1024)
/** The most answers that a stream gets before it is cut. */
const ANSWERS = 8

/** Sends a chunk and another after each answer, and resets after so many answers, with a chunk on its way. */
function sendAndCut(socket: Socket, answers: number, reset: (socket: Socket) => void): void {
  let heard = 0
  socket.write(CHUNK)
  socket.on('data', () => {
    if (socket.destroyed) return
    socket.write(CHUNK)
    if (++heard === answers) reset(socket)
  })
}

for (const transport of transports) {
  const resets = transport.count(RESETS)
  for (const cutter of ['client', 'upstream'] as const) {
    test(`${transport.name}: ${resets} streams, every other one in both directions, that the ${cutter} resets in their middle are ECONNRESET on the other side, and never an end`, async t => {
      const ends: Promise<Outcome>[] = []
      let cuts = 0
      function cut(socket: Socket): void {
        sendAndCut(socket, 1 + (cuts++ % ANSWERS), transport.reset)
      }
      /** Answers whatever comes, and reads to the end. */
      function watch(socket: Socket): void {
        const reply = ends.length % 2 === 0 ? CHUNK : 'seen'
        ends.push(outcome(socket))
        socket.on('data', () => {
          if (socket.writable) socket.write(reply)
        })
      }
      const upstream = await transport.startUpstream(t, cutter === 'upstream' ? cut : watch)
      const relay = await startRemoteRelay(t, {
        source: transport.sourceFor(t),
        upstream: transport.upstreamAt(upstream.port),
      })
      await atOnce(resets, WIDTH, async () => {
        const socket = transport.dial(t, relay.port)
        const gone = new Promise(resolve => socket.on('close', resolve))
        if (cutter === 'client') cut(socket)
        else watch(socket)
        await gone
      })
      const seen = (await Promise.all(ends)).map(({ fin, error }) => `${fin ? 'end' : ''}${error ?? ''}`)
      assert.deepEqual([seen.length, [...new Set(seen)]], [resets, ['ECONNRESET']])
      const { counts } = await relay.reached(({ stats: { active } }) => active === 0)
      assert.deepEqual(counts, { [cutter === 'client' ? 'client_reset' : 'upstream_reset']: resets })
    })
  }
}
