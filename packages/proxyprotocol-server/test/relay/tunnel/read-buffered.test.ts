// What came in several chunks before the tunnel starts: Node 26 gives one of them for each read(), all others give all of them.

import assert from 'node:assert/strict'
import { Socket } from 'node:net'
import { test, type TestContext } from 'node:test'
import { connect } from 'node:tls'
import { readHeader } from 'proxyprotocol/server'
import { certificate } from 'test-support/certificates'
import { content, until } from 'test-support/sockets'
import type { Traffic } from '../../../src/relay/tunnel/direction.ts'
import { readBuffered } from '../../../src/relay/tunnel/read-buffered.ts'
import { tunnel } from '../../../src/relay/tunnel/tunnel.ts'
import { certificateFiles } from '../../support/certificate-files.ts'
import { holdName } from '../../support/names.ts'
import { startRelay } from '../../support/relay.ts'
import { listenSecure } from '../../support/secure.ts'
import { dial, listen, pair, random, sha256 } from '../../support/connections.ts'

const HEADER = 'PROXY TCP4 192.0.2.1 198.51.100.1 1000 443\r\n'
/** Bytes: a few times the smallest high-water mark of all lines of Node. */
const LENGTH = 60_000
const PIECES = 6

/** Puts a stream into a socket's buffer as chunks. */
function buffer(socket: Socket, bytes: Buffer): void {
  const size = Math.ceil(bytes.length / PIECES)
  for (let at = PIECES - 1; at >= 0; at--) socket.unshift(bytes.subarray(at * size, (at + 1) * size))
}

test('readBuffered() gives all chunks in one piece, leaves the high-water mark, and ends no stream', async () => {
  for (const bytes of [random(0), random(1), random(LENGTH)]) {
    const socket = new Socket()
    const mark = socket.readableHighWaterMark
    if (bytes.length > 0) buffer(socket, bytes)
    socket.push(null)
    assert.deepEqual(readBuffered(socket), bytes.length > 0 ? bytes : null)
    assert.equal(readBuffered(socket), null)
    await new Promise(setImmediate)
    assert.deepEqual([socket.readableHighWaterMark, socket.readableEnded], [mark, false])
    socket.destroy()
  }
})

test('tunnel() relays every chunk that was buffered before it, then what follows, in both directions', async t => {
  const [client, downstream] = await pair(t)
  const [upstream, server] = await pair(t)
  const [up, down] = [random(LENGTH), random(LENGTH)]
  buffer(downstream, up)
  buffer(upstream, down)
  const traffic: Traffic = { bytesUp: 0, bytesDown: 0 }
  const done = tunnel(downstream, upstream, { traffic, halfClose: 60_000, keepAlive: 60_000 })
  client.end('up')
  server.end('down')
  const [atServer, atClient] = await Promise.all([content(server), content(client)])
  assert.ok(atServer.equals(Buffer.concat([up, Buffer.from('up')])))
  assert.ok(atClient.equals(Buffer.concat([down, Buffer.from('down')])))
  await done
  assert.deepEqual([traffic.bytesUp, traffic.bytesDown], [LENGTH + 2, LENGTH + 4])
})

/** Two ends of a relay whose upstream is connected to when the test says so. */
interface Held {
  readonly client: Socket
  /** The accepted socket, as the relay reads it. */
  readonly accepted: () => Socket | undefined
  readonly connect: () => Promise<Socket>
}

async function held(t: TestContext, secure: { in: boolean; out: boolean }): Promise<Held> {
  const name = holdName(t, 'upstream.test')
  const [plain, tls] = [await listen(t), await listenSecure(t)]
  const { cert, source } = certificateFiles(t)
  const dest = secure.out
    ? `ssl://upstream.test:${tls.port}?cafile=${cert}&servername=localhost`
    : `upstream.test:${plain.port}`
  const relay = await startRelay(t, dest, {
    source: secure.in ? `${source}&pp=detect` : '127.0.0.1:0?pp=detect',
    trust: ['127.0.0.1'],
  })
  const raw = dial(t, relay.port)
  raw.write(HEADER)
  const client = secure.in ? connect({ socket: raw, ca: certificate.cert, servername: 'localhost' }) : raw
  client.allowHalfOpen = true
  await name.asked
  return {
    client,
    accepted: () => [...relay.server.connections][0]?.socket,
    connect: async () => {
      name.answer('127.0.0.1')
      if (secure.out) return (await tls.accept()).secure
      const far = await plain.accept()
      far.unshift((await readHeader(far)).rest)
      return far
    },
  }
}

for (const secure of [
  { in: false, out: false },
  { in: true, out: false },
  { in: false, out: true },
  { in: true, out: true },
]) {
  const name = `${secure.in ? 'TLS' : 'plain'} in, ${secure.out ? 'TLS' : 'plain'} out`

  test(`${name}: every byte that came while the upstream was connecting arrives, with what follows and the end`, async t => {
    const { client, accepted, connect } = await held(t, secure)
    const bytes = random(LENGTH)
    const size = Math.ceil(LENGTH / PIECES)
    // A chunk each: Node reads no further than the high-water mark, which some of them fill.
    for (let at = 0; at < LENGTH; at += size) {
      client.write(bytes.subarray(at, at + size))
      const { readableHighWaterMark = 0 } = accepted() ?? {}
      await until(() => (accepted()?.readableLength ?? 0) >= Math.min(at + size, readableHighWaterMark))
    }
    const more = random(LENGTH)
    client.end(more)
    const far = await connect()
    assert.equal(sha256(await content(far)), sha256(Buffer.concat([bytes, more])))
    far.end('done')
    assert.equal((await content(client)).toString(), 'done')
  })
}
