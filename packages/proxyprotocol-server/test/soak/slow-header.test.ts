// Slowloris at the header: the deadline is absolute, and bytes that drip do not move it.

import assert from 'node:assert/strict'
import { EventEmitter, once } from 'node:events'
import type { Socket } from 'node:net'
import { test } from 'node:test'
import { encodeHeader } from 'proxyprotocol'
import { content } from 'test-support/sockets'
import { startRemoteRelay } from '../support/remote-server.ts'
import { chunk, dial } from '../support/connections.ts'
import { atEnd } from '../support/teardown.ts'
import { echo, startUpstream } from '../support/upstream.ts'

const SLOW = 2_000
const GOOD = 20
/** Milliseconds from one byte of a slow client to its next. */
const DRIP = 500
/** Of the header, in milliseconds. */
const DEADLINE = 3_000
/** Bytes after which a slow client gives up, thrice as late as it should have been closed; the header has more. */
const PATIENCE = (3 * DEADLINE) / DRIP
/** Milliseconds after the deadline by which the last must be gone. */
const SLACK = 250
/** Slow clients that connect at a time, fewer than a listener's backlog: who comes when it is full waits for a second. */
const BATCH = 250
/** Groups of slow clients, each at its own moment within the drip's interval. */
const PHASES = 10

const source = { address: '192.0.2.1', port: 56_324 }
const destination = { address: '198.51.100.7', port: 443 }
const header = encodeHeader({ source, destination })

test(`${SLOW} clients that drip a byte of their header per ${DRIP} ms are all closed within the deadline + ${SLACK} ms, and ${GOOD} good ones beside them are served`, async t => {
  const upstream = await startUpstream(t, echo)
  const relay = await startRemoteRelay(t, {
    source: '127.0.0.1:0?pp=detect',
    upstream: `127.0.0.1:${upstream.port}?pp=noop`,
    limits: { connections: 2 * SLOW, pendingHeaders: 2 * SLOW },
    timeouts: { header: DEADLINE },
  })
  const dripping: Set<Socket>[] = Array.from({ length: PHASES }, () => new Set())
  const beat = new EventEmitter().setMaxListeners(GOOD)
  let beats = 0
  const timer = setInterval(() => {
    for (const socket of dripping[beats % PHASES] ?? []) {
      if (socket.bytesWritten === PATIENCE) socket.destroy()
      else socket.write(header.subarray(socket.bytesWritten, socket.bytesWritten + 1))
    }
    beats++
    beat.emit('beat')
  }, DRIP / PHASES)
  atEnd(t, () => clearInterval(timer))

  let slow = SLOW
  async function drip(n: number): Promise<void> {
    const socket = dial(t, relay.port)
    await once(socket, 'connect')
    dripping[n % PHASES]?.add(socket.resume())
    socket
      .on('end', () => socket.destroy())
      .on('close', () => {
        slow--
        dripping[n % PHASES]?.delete(socket)
      })
  }
  /** How many messages came back, each of them before the next was sent, from before the first slow one to after the last. */
  async function exchange(n: number): Promise<number> {
    const socket = dial(t, relay.port)
    socket.write(header)
    let messages = 0
    do {
      const message = `message ${messages} of ${n}`
      socket.write(message)
      assert.equal((await chunk(socket)).toString(), message)
      messages++
      await once(beat, 'beat')
    } while (slow > 0)
    socket.end('bye')
    assert.equal((await content(socket)).toString(), 'bye')
    return messages
  }

  const good = Array.from({ length: GOOD }, (_, n) => exchange(n))
  for (let n = 0; n < SLOW; n += BATCH) {
    await Promise.all(Array.from({ length: BATCH }, (_, i) => drip(n + i)))
    await relay.reached(({ stats: { accepted } }) => accepted >= n + BATCH)
  }
  for (const messages of await Promise.all(good)) assert.ok(messages > 1)
  const { stats, oldest, lateness } = await relay.reached(({ stats: { active } }) => active === 0)
  assert.deepEqual([stats.closed.header_timeout, stats.closed.done], [SLOW, GOOD])
  assert.equal(upstream.accepted, GOOD)
  const age = oldest['header_timeout'] ?? 0
  assert.ok(
    age <= DEADLINE + SLACK + lateness,
    `one lived for ${age} ms; the event loop was ${lateness} ms late`,
  )
})
