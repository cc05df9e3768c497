// SIGTERM in the middle of everything: every stream that is open then comes to its own end, whole.

import assert from 'node:assert/strict'
import { EventEmitter, once } from 'node:events'
import type { Socket } from 'node:net'
import { test, type TestContext } from 'node:test'
import { content, until } from 'test-support/sockets'
import { portIn, run } from '../support/child.ts'
import { random, sha256 } from '../support/connections.ts'
import { soaking } from '../support/soak-length.ts'
import { transports, type Transport } from '../support/transport.ts'
import { echo } from '../support/upstream.ts'

const STREAMS = 300
const SEEDS = soaking ? 20 : 4
/** The longest stream, in bytes; each comes back, so that twice as many pass the relay. */
const LONGEST = 128 * 1024
/** How often a stream is held up: it sends the next part when it has got back the one before. */
const PARTS = 4

/** A small generator (mulberry32): the same seed gives the same run. */
function numbersFrom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** Sends the bytes in parts, each when the one before has come back; resolves with the hash of all that came. */
async function exchange(socket: Socket, bytes: Buffer, onPart: () => void): Promise<string> {
  const size = Math.ceil(bytes.length / PARTS)
  let received = 0
  let sent = 0
  function send(): void {
    const part = bytes.subarray(sent, sent + size)
    sent += part.length
    socket.write(part)
    onPart()
    if (sent === bytes.length) socket.end()
  }
  socket.on('data', (chunk: Buffer) => {
    received += chunk.length
    if (received === sent && sent < bytes.length) send()
  })
  send()
  return sha256(await content(socket))
}

async function drainsAllStreams(t: TestContext, transport: Transport, seed: number): Promise<void> {
  const draw = numbersFrom(seed)
  const upstream = await transport.startUpstream(t, echo)
  const program = run(t, 'packages/proxyprotocol-server/bin/proxyprotocol-server.js', [
    ...['--service', transport.sourceFor(t), transport.upstreamAt(upstream.port)],
  ])
  const port = portIn(await program.line(/ listening /))
  const sockets = Array.from({ length: STREAMS }, () => transport.dial(t, port))
  await until(() => upstream.accepted === STREAMS) // those that the kernel has, and the relay not, would be reset
  const parts = new EventEmitter()
  let begun = 0
  const moment = 1 + Math.floor(draw() * STREAMS * PARTS)
  const atMoment = once(parts, 'moment')
  const streams = sockets.map(async socket => {
    const bytes = random(PARTS + Math.floor(draw() * LONGEST))
    const hash = await exchange(socket, bytes, () => ++begun === moment && parts.emit('moment'))
    assert.equal(hash, sha256(bytes))
  })
  await atMoment
  program.send('SIGTERM')
  await Promise.all(streams)
  assert.deepEqual(await program.ended, { code: 0, signal: null, errors: '' })
  const lines = program.output().split('\n')
  assert.equal(lines.filter(line => / closed .* reason=done /.test(line)).length, STREAMS)
  assert.ok(lines.some(line => line.endsWith(' stopped forced=0 stuck=0')))
}

for (const transport of transports) {
  const seeds = transport.count(SEEDS)
  test(`${transport.name}: SIGTERM in the midst of ${STREAMS} hashed streams, at random moments (seeds: ${seeds}): every hash is right, and the program exits with 0`, async t => {
    for (let seed = 1; seed <= seeds; seed++) {
      await t.test(`seed ${seed}`, t => drainsAllStreams(t, transport, seed))
    }
  })
}
