// Handlers of the library under a steady mix of what handlers do: their promises are held by their server alone, and there
// is a collection of garbage every second.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { encodeHeader } from 'proxyprotocol'
import { content } from 'test-support/sockets'
import { startRemoteHandlers } from '../support/remote-server.ts'
import { soakSeconds } from '../support/soak-length.ts'
import { outcome, random } from '../support/connections.ts'
import { CLIENTS, loadSteadily, type Kind } from '../support/steady-load.ts'

const header = encodeHeader({
  source: { address: '192.0.2.1', port: 56_324 },
  destination: { address: '198.51.100.7', port: 443 },
})
const payload = random(64 * 1024)

/** A client of a handler that fails: it must not take what it has got for the whole. */
function expectsReset(first: string): Kind {
  return async socket => {
    socket.write(header)
    socket.write(`${first} and more`)
    const { fin, error } = await outcome(socket)
    assert.deepEqual({ fin, error }, { fin: false, error: 'ECONNRESET' })
    return 'handler_error'
  }
}

const kinds: readonly Kind[] = [
  async function readsBack(socket, n) {
    const bytes = Buffer.concat([Buffer.from('E'), payload.subarray(0, n % payload.length)])
    socket.write(header)
    socket.end(bytes)
    assert.ok((await content(socket)).equals(bytes))
    return 'done'
  },
  async function waitsForALateAnswer(socket) {
    socket.write(header)
    socket.end('S')
    assert.equal((await content(socket)).toString(), 'late')
    return 'done'
  },
  async function resets(socket) {
    socket.write(header)
    socket.write('E and more')
    await once(socket, 'data')
    socket.resetAndDestroy()
    return 'client_reset'
  },
  async function resetsAHandlerThatWaits(socket) {
    socket.write(header)
    socket.write('W', () => socket.resetAndDestroy())
    return 'client_reset'
  },
  expectsReset('T'),
  expectsReset('J'),
]

test(`${soakSeconds} s of six kinds of handlers, failing ones among them, for ${CLIENTS} clients: each settles and is counted, faults are reported once each, objects grow by at most 2 MiB and descriptors do not after a fifth of the time`, async t => {
  const server = await startRemoteHandlers(t)
  const { stats, counts } = await loadSteadily(t, server, kinds)
  assert.equal(counts['reported'], stats.closed.handler_error)
  assert.equal(counts['settled'], counts['started'])
  assert.ok((counts['started'] ?? 0) > CLIENTS)
})
