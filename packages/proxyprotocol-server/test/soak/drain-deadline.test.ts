// Streams that never end are cut when the time to drain is over, and their readers notice.

import assert from 'node:assert/strict'
import type { Socket } from 'node:net'
import { test } from 'node:test'
import { until } from 'test-support/sockets'
import { portIn, run } from '../support/child.ts'
import { outcome, random, type Outcome } from '../support/connections.ts'
import { transports } from '../support/transport.ts'

const STREAMS = 50
/** Milliseconds that the streams have after SIGTERM. */
const DRAIN = 500
const CHUNK = random(1_024)

/** What one side sends, the other answers, for ever. */
function playOn(socket: Socket): Promise<Outcome> {
  socket.on('data', () => {
    if (socket.writable) socket.write(CHUNK)
  })
  return outcome(socket)
}

for (const transport of transports) {
  test(`${transport.name}: ${STREAMS} streams without an end are reset on both sides when the ${DRAIN} ms after SIGTERM are over, are logged as drain_deadline and counted as forced, and the exit code is 0`, async t => {
    const atUpstream: Promise<Outcome>[] = []
    const upstream = await transport.startUpstream(t, socket => atUpstream.push(playOn(socket)))
    const program = run(t, 'packages/proxyprotocol-server/bin/proxyprotocol-server.js', [
      ...['--drain', `${DRAIN}`, '--service', transport.sourceFor(t), transport.upstreamAt(upstream.port)],
    ])
    const port = portIn(await program.line(/ listening /))
    const atClients = Array.from({ length: STREAMS }, () => {
      const socket = transport.dial(t, port)
      socket.write(CHUNK)
      return playOn(socket)
    })
    await until(() => atUpstream.length === STREAMS)
    program.send('SIGTERM')
    assert.deepEqual(await program.ended, { code: 0, signal: null, errors: '' })
    for (const { bytes, fin, error } of await Promise.all([...atClients, ...atUpstream])) {
      assert.ok(bytes.length > 0)
      assert.deepEqual({ fin, error }, { fin: false, error: 'ECONNRESET' })
    }
    const lines = program.output().split('\n')
    const ages = lines.flatMap(line => / closed .* reason=drain_deadline .*\bms=(\d+)/.exec(line)?.[1] ?? [])
    assert.equal(ages.length, STREAMS)
    assert.ok(Math.min(...ages.map(Number)) >= DRAIN, 'one was given less time')
    assert.match(program.output(), new RegExp(` stopped forced=${STREAMS} stuck=0\n$`))
  })
}
