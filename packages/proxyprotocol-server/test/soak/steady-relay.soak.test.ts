// A relay under a steady mix of all that clients and upstreams do.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { Socket } from 'node:net'
import { test } from 'node:test'
import { encodeHeader } from 'proxyprotocol'
import { readHeader } from 'proxyprotocol/server'
import { content } from 'test-support/sockets'
import { startRemoteRelay } from '../support/remote-server.ts'
import { soakSeconds } from '../support/soak-length.ts'
import { MEBIBYTE, outcome, random } from '../support/connections.ts'
import { CLIENTS, loadSteadily, type Kind } from '../support/steady-load.ts'
import { startUpstream } from '../support/upstream.ts'

/** Of the header, in milliseconds. */
const DEADLINE = 3_000

const source = { address: '192.0.2.1', port: 56_324 }
const destination = { address: '198.51.100.7', port: 443 }
const headers = [
  encodeHeader({ source, destination }),
  encodeHeader({ version: 1, source, destination }),
  encodeHeader({ command: 'LOCAL' }),
]
const payload = random(64 * 1024)

/** What an upstream does, by the first byte that it is sent behind the header. */
const upstreams: Readonly<Record<string, (socket: Socket) => void>> = {
  /** Sends back what it is sent. */
  E: socket => socket.pipe(socket),
  /** Has its last word first, and reads on. */
  F: socket => socket.resume().end('first'),
  /** Sends more than the sockets on the way take. */
  L: socket => socket.resume().end(Buffer.alloc(MEBIBYTE, payload)),
  /** Cuts the stream. */
  R: socket => socket.write('cut', () => socket.resetAndDestroy()),
}

async function serve(socket: Socket): Promise<void> {
  const { rest } = await readHeader(socket)
  socket.unshift(rest)
  if (socket.readableLength === 0) await once(socket, 'readable')
  const first = socket.read(1) as Buffer | null // without an encoding it gives bytes
  if (first === null) return void socket.resume().end()
  socket.unshift(first)
  upstreams[first.toString()]?.(socket)
}

function headerOf(n: number): Uint8Array {
  return headers[n % headers.length] ?? assert.fail()
}

const quick: readonly Kind[] = [
  async function sendsAndReadsBack(socket, n) {
    const bytes = Buffer.concat([Buffer.from('E'), payload.subarray(0, n % payload.length)])
    socket.write(headerOf(n))
    socket.end(bytes)
    assert.ok((await content(socket)).equals(bytes))
    return 'done'
  },
  async function speaksOnAfterTheUpstream(socket, n) {
    socket.write(headerOf(n))
    socket.write('F')
    assert.equal((await content(socket)).toString(), 'first')
    socket.end(payload)
    return 'done'
  },
  async function readsLate(socket, n) {
    socket.write(headerOf(n))
    socket.write('L')
    await once(socket, 'readable')
    socket.end()
    assert.equal((await content(socket)).length, MEBIBYTE)
    return 'done'
  },
  async function resets(socket, n) {
    socket.write(headerOf(n))
    socket.write('E and more')
    await once(socket, 'data')
    socket.resetAndDestroy()
    return 'client_reset'
  },
  async function isReset(socket, n) {
    socket.write(headerOf(n))
    socket.write('R')
    const { fin, error } = await outcome(socket)
    assert.deepEqual({ fin, error }, { fin: false, error: 'ECONNRESET' })
    return 'upstream_reset'
  },
  async function saysNothing(socket) {
    socket.end()
    await outcome(socket)
    return 'probe'
  },
  async function saysNothingAndResets(socket) {
    await once(socket, 'connect')
    socket.resetAndDestroy()
    return 'probe'
  },
  async function sendsNoHeader(socket) {
    socket.write('GET / HTTP/1.1\r\n\r\n')
    await outcome(socket)
    return 'header_missing'
  },
  async function sendsHalfOfAHeader(socket, n) {
    socket.end(headerOf(n).subarray(0, 14))
    await outcome(socket)
    return 'header_invalid'
  },
]
async function sendsHalfOfAHeaderAndWaits(socket: Socket, n: number): Promise<string> {
  socket.write(headerOf(n).subarray(0, 14))
  await outcome(socket)
  return 'header_timeout'
}
/** The slow ones are few, or all clients would soon wait in them. */
const mix: readonly Kind[] = [...Array.from({ length: 10 }, () => quick).flat(), sendsHalfOfAHeaderAndWaits]

test(`a relay under ${soakSeconds} s of ten kinds of connections from ${CLIENTS} clients: each is counted under its reason, objects grow by at most 2 MiB and descriptors do not after a fifth of the time, and none is left`, async t => {
  const upstream = await startUpstream(t, socket => {
    serve(socket).catch(() => socket.destroy()) // its client is gone
  })
  const relay = await startRemoteRelay(t, {
    source: '127.0.0.1:0?pp=detect',
    upstream: `127.0.0.1:${upstream.port}`,
    timeouts: { header: DEADLINE },
  })
  await loadSteadily(t, relay, mix)
})
