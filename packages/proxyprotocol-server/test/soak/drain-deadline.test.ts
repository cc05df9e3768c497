// Streams that never end are cut when the time to drain is over, and whoever reads them notices.

import assert from 'node:assert/strict'
import type { Socket } from 'node:net'
import { test } from 'node:test'
import { startRemoteRelay } from '../support/remote-server.ts'
import { outcome, random, type Outcome } from '../support/sockets.ts'
import { transports } from '../support/transport.ts'

const STREAMS = 50
/** Milliseconds that the streams have after SIGTERM. */
const DRAIN = 500
const CHUNK = random(1_024)

for (const transport of transports) {
  test(`${transport.name}: ${STREAMS} streams without an end are reset on both sides when the ${DRAIN} ms after SIGTERM are over, are counted as drain_deadline, and the exit code is 0`, async t => {
    const atUpstream: Promise<Outcome>[] = []
    /** What one side sends, the other sends back, for ever. */
    function playOn(socket: Socket): Promise<Outcome> {
      socket.on('data', () => {
        if (socket.writable) socket.write(CHUNK)
      })
      return outcome(socket)
    }
    const upstream = await transport.startUpstream(t, socket => atUpstream.push(playOn(socket)))
    const relay = await startRemoteRelay(t, {
      source: transport.source,
      upstream: transport.upstreamAt(upstream.port),
      drain: DRAIN,
    })
    const atClients = Array.from({ length: STREAMS }, () => {
      const socket = transport.dial(t, relay.port)
      socket.write(CHUNK)
      return playOn(socket)
    })
    await relay.reached(() => atUpstream.length === STREAMS)
    const { closed, stats, counts, oldest } = await relay.stop()
    assert.deepEqual(closed, { drained: 0, forced: STREAMS, stuck: 0 })
    assert.deepEqual([stats.closed.drain_deadline, counts], [STREAMS, { drain_deadline: STREAMS }])
    assert.ok((oldest['drain_deadline'] ?? 0) >= DRAIN, 'they were given less time')
    for (const { bytes, fin, error } of await Promise.all([...atClients, ...atUpstream])) {
      assert.ok(bytes.length > 0)
      assert.deepEqual({ fin, error }, { fin: false, error: 'ECONNRESET' })
    }
  })
}
