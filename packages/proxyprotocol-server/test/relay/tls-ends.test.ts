// How streams end through the relay, with TLS on either side, on both and on none: ends are ends, cuts are cuts, nothing is
// lost, and nothing is held for a reader that does not read.

import assert from 'node:assert/strict'
import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { Socket } from 'node:net'
import { test, type TestContext } from 'node:test'
import { readHeader } from 'proxyprotocol/server'
import { content, turns, until } from 'test-support/sockets'
import { certificateFiles } from '../support/certificate-files.ts'
import { readPieces, sendPieces } from '../support/pieces.ts'
import { startOnSockets, type TestRelay } from '../support/relay.ts'
import { dialSecure, listenSecure } from '../support/secure.ts'
import { dial, largestBuffer, listen, MEBIBYTE, outcome, random, sha256 } from '../support/connections.ts'

/**
 * The most that the two sides of a transfer of 32 MiB hold in this process: one large buffer of 240 KiB, and what TLS still
 * decrypts of one read of 64 KiB after it was stopped, five records of 16 KiB.
 */
const BOUND = (240 + 5 * 16) * 1024
const BIG = 32 * MEBIBYTE
/** More than all the kernel's buffers on the way take. */
const MOST = 12 * MEBIBYTE

type Kind = 'plain' | 'TLS'

/** A stream, and the TCP socket under it. */
interface End {
  readonly stream: Socket
  readonly raw: Socket
}

interface Relayed {
  readonly relay: TestRelay
  /** Connects, and gives both outer ends with the header taken off. */
  readonly connect: () => Promise<{ readonly client: End; readonly server: End }>
}

async function relayed(t: TestContext, down: Kind, up: Kind): Promise<Relayed> {
  const { cert, source: secureSource } = certificateFiles(t)
  const [plain, secure] = [await listen(t), await listenSecure(t)]
  const dest = up === 'TLS' ? `ssl://127.0.0.1:${secure.port}?cafile=${cert}` : `127.0.0.1:${plain.port}`
  const relay = await startOnSockets(t, dest, { source: down === 'TLS' ? secureSource : '127.0.0.1:0' })
  async function accept(): Promise<End> {
    if (up === 'TLS') {
      const { secure: stream, raw } = await secure.accept()
      return { stream, raw }
    }
    const raw = await plain.accept()
    raw.unshift((await readHeader(raw)).rest)
    return { stream: raw, raw }
  }
  function connect(): End {
    if (down === 'TLS') {
      const { secure: stream, raw } = dialSecure(t, relay.port)
      return { stream, raw }
    }
    const raw = dial(t, relay.port)
    return { stream: raw, raw }
  }
  return {
    relay,
    connect: async () => {
      const client = connect()
      const server = await accept()
      await turns(2) // what ends in the moment of its handshake has no close_notify, by OpenSSL
      return { client, server }
    },
  }
}

/** The two sockets of each tunnel, as the relay turns on their keep-alive after a second. */
function keptAlive(t: TestContext): readonly Socket[] {
  const sockets: Socket[] = []
  t.mock.method(Socket.prototype, 'setKeepAlive', function (this: Socket) {
    sockets.push(this)
    return this
  })
  return sockets
}

/** Both ends say as much as they like, and end when they have. */
async function converse({ client, server }: Readonly<Record<'client' | 'server', End>>): Promise<void> {
  const [up, down] = [sendPieces(client.stream, randomInt(MOST)), sendPieces(server.stream, randomInt(MOST))]
  const [gotUp, gotDown] = await Promise.all([readPieces(server.stream), readPieces(client.stream)])
  assert.deepEqual([gotUp, gotDown], [await up, await down])
}

for (const [down, up] of [
  ['plain', 'plain'],
  ['TLS', 'plain'],
  ['plain', 'TLS'],
  ['TLS', 'TLS'],
] as const) {
  const name = `${down} in, ${up} out`

  test(`${name}: whichever side ends first or stops reading for a while, every byte arrives`, async t => {
    const { connect } = await relayed(t, down, up)
    const all: Promise<void>[] = []
    for (let i = 0; i < 4; i++) all.push(converse(await connect()))
    await Promise.all(all)
  })

  test(`${name}: 1 MiB and a FIN pass, and 1 MiB and a FIN in reply, whichever side speaks first`, async t => {
    const { relay, connect } = await relayed(t, down, up)
    for (const first of ['client', 'server'] as const) {
      const ends = await connect()
      const [near, far] = first === 'client' ? [ends.client, ends.server] : [ends.server, ends.client]
      const [request, reply] = [random(MEBIBYTE), random(MEBIBYTE)]
      near.stream.end(request)
      assert.equal(sha256(await content(far.stream)), sha256(request))
      const answered = outcome(near.stream)
      far.stream.end(reply)
      const { bytes, fin, error } = await answered
      assert.deepEqual([sha256(bytes), fin, error], [sha256(reply), true, undefined])
    }
    await relay.record(1)
    assert.deepEqual(
      relay.records.map(({ reason, bytesUp, bytesDown }) => [reason, bytesUp, bytesDown]),
      [
        ['done', MEBIBYTE, MEBIBYTE],
        ['done', MEBIBYTE, MEBIBYTE],
      ],
    )
  })

  test(`${name}: 40 resets mid-stream, half from either side, are ECONNRESET on the other and never an end`, async t => {
    const { relay, connect } = await relayed(t, down, up)
    for (let i = 0; i < 40; i++) {
      const ends = await connect()
      const [failing, other] = i % 2 === 0 ? [ends.client, ends.server] : [ends.server, ends.client]
      const cut = outcome(other.stream)
      // A reset finds some with data on their way to the failing side, and comes behind data of any length.
      if (i % 8 > 5) other.stream.write(random(MEBIBYTE))
      if (i % 4 > 1) failing.stream.resume()
      const length = [1, 20_000, 200_000][i % 3] ?? 0
      failing.stream.write(random(length), () => failing.raw.resetAndDestroy())
      const { fin, error } = await cut
      assert.deepEqual(
        { fin, error: error === 'EPIPE' ? 'ECONNRESET' : error },
        { fin: false, error: 'ECONNRESET' },
      )
      const { reason } = await relay.record(i)
      assert.equal(reason, i % 2 === 0 ? 'client_reset' : 'upstream_reset')
    }
  })

  for (const side of ['client', 'server'] as const) {
    if ((side === 'client' ? down : up) === 'plain') continue
    test(`${name}: a stream that the ${side} cuts off without a close_notify is reset on the other side`, async t => {
      const { relay, connect } = await relayed(t, down, up)
      for (let i = 0; i < 20; i++) {
        const ends = await connect()
        const [failing, other] = side === 'client' ? [ends.client, ends.server] : [ends.server, ends.client]
        const cut = outcome(other.stream)
        failing.stream.write(random([1, 200_000][i % 2] ?? 0), () => failing.raw.end())
        const { fin, error } = await cut
        assert.deepEqual({ fin, error }, { fin: false, error: 'ECONNRESET' })
        const { reason, error: fault } = await relay.record(i)
        assert.equal(reason, side === 'client' ? 'tls_client_error' : 'tls_upstream_error')
        assert.match(fault?.message ?? '', /it ended without close_notify/)
      }
    })
  }

  test(`${name}: a client that reads late gets all that the kernel has for it, and an end, when its time is over`, async t => {
    const { relay, connect } = await relayed(t, down, up)
    const { client, server } = await connect()
    client.stream.pause()
    const payload = random(200_000)
    server.stream.end(payload)
    const [connection] = relay.server.connections
    assert.ok(connection)
    const { socket } = connection
    await until(() => socket.writableFinished)
    socket.emit('timeout')
    assert.equal((await relay.record()).reason, 'half_close_timeout')
    const { bytes, fin, error } = await outcome(client.stream)
    assert.deepEqual([sha256(bytes), fin, error], [sha256(payload), true, undefined])
  })

  test(`${name}: who does not read stops the sender, and gets every byte when it goes on`, async t => {
    const { relay, connect } = await relayed(t, down, up)
    const tunnel = keptAlive(t)
    const { client, server } = await connect()
    await until(() => tunnel.length === 2)
    const [downstream, upstream] = tunnel as [Socket, Socket]
    for (const first of ['client', 'server'] as const) {
      const [sender, reader] = first === 'client' ? [client, server] : [server, client]
      const payload = random(BIG)
      const stopped = once(first === 'client' ? downstream : upstream, 'pause')
      sender.stream.end(payload)
      const received: Promise<Buffer> = stopped.then(() => content(reader.stream))
      assert.ok((await largestBuffer(tunnel, received)) <= BOUND)
      assert.equal(sha256(await received), sha256(payload))
    }
    assert.equal((await relay.record()).reason, 'done')
  })
}
