// One side says all it has and ends; what the other answers after that still arrives, whole.

import assert from 'node:assert/strict'
import type { Socket } from 'node:net'
import { test } from 'node:test'
import { content } from 'test-support/sockets'
import { startRemoteRelay } from '../support/remote-server.ts'
import { MEBIBYTE, random, sha256 } from '../support/connections.ts'
import { transports } from '../support/transport.ts'

const STREAMS = 50

/** Sends all there is, ends, and reads the answer; resolves with its hash. */
async function speakFirst(socket: Socket, bytes: Buffer): Promise<string> {
  socket.end(bytes)
  return sha256(await content(socket))
}

/** Reads to the end and answers only then; resolves with the hash of what it has read. */
async function answer(socket: Socket, bytes: Buffer): Promise<string> {
  const received = await content(socket)
  socket.end(bytes)
  return sha256(received)
}

for (const transport of transports) {
  const streams = transport.count(STREAMS)
  for (const first of ['client', 'upstream'] as const) {
    test(`${transport.name}: ${streams} times 1 MiB and a FIN from the ${first}, then 1 MiB and a FIN as the answer: all hashes are equal`, async t => {
      const [said, answered] = [random(MEBIBYTE), random(MEBIBYTE)]
      const atUpstream: Promise<string>[] = []
      const upstream = await transport.startUpstream(t, socket => {
        atUpstream.push(first === 'upstream' ? speakFirst(socket, said) : answer(socket, answered))
      })
      const relay = await startRemoteRelay(t, {
        source: transport.sourceFor(t),
        upstream: transport.upstreamAt(upstream.port),
      })
      const atClients = await Promise.all(
        Array.from({ length: streams }, () => {
          const socket = transport.dial(t, relay.port)
          return first === 'client' ? speakFirst(socket, said) : answer(socket, answered)
        }),
      )
      const [speaker, listener] = [sha256(answered), sha256(said)]
      assert.deepEqual(new Set(atClients), new Set([first === 'client' ? speaker : listener]))
      assert.deepEqual(
        new Set(await Promise.all(atUpstream)),
        new Set([first === 'client' ? listener : speaker]),
      )
      assert.deepEqual([atClients.length, atUpstream.length], [streams, streams])
      const { stats } = await relay.reached(({ stats: { active } }) => active === 0)
      assert.equal(stats.closed.done, streams)
    })
  }
}
