// Streams that a client may send to a server: sound ones, and ones that are nearly right. The same seed gives the same.

import { once } from 'node:events'
import { PassThrough, Duplex } from 'node:stream'
import tls from 'node:tls'
import type { Random } from 'test-support/random'

const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')
const REQUEST = Buffer.from([0x82, 0x86, 0x84, 0x41, 9, ...Buffer.from('localhost')])
const POST = Buffer.from([0x83, 0x86, 0x84, 0x41, 9, ...Buffer.from('localhost')])
const ALERT = Buffer.from([0x15, 3, 3, 0, 2, 2, 0x28])
const MOST_FRAMES = 8
const MOST_REQUESTS = 4

/** A stream of HTTP/2 frames without TLS. */
export function http2Stream(random: Random): Buffer {
  const frames = Array.from({ length: 1 + random.below(MOST_FRAMES) }, () => frame(random))
  const start = [PREFACE, frameOf({ type: 4, flags: 0, id: 0, payload: Buffer.alloc(0) })]
  return spoilt(Buffer.concat([...start, ...frames]), random)
}

/** Requests of HTTP/1, one after the other. */
export function http1Stream(random: Random, most = MOST_REQUESTS): Buffer {
  const requests = Array.from({ length: 1 + random.below(most) }, () =>
    random.pick([
      'GET / HTTP/1.1\r\nHost: a\r\n\r\n',
      'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n',
      'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello',
      'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n',
      'GET / HTTP/1.1\r\n\r\n',
      'GET / HTTP/1.0\r\n\r\n',
      'GET /\r\n\r\n',
    ]),
  )
  return spoilt(Buffer.from(requests.join('')), random)
}

/** What a TLS client says first. */
export async function clientHello(): Promise<Buffer> {
  const sent = new PassThrough()
  const client = tls.connect({ socket: Duplex.from({ writable: sent, readable: new PassThrough() }) })
  const [hello] = (await once(sent, 'data')) as [Buffer]
  client.on('error', () => {}).destroy()
  return hello
}

/** A ClientHello and what may follow it. */
export function tlsStream(random: Random, hello: Buffer): Buffer {
  return spoilt(Buffer.concat([hello, random.pick([Buffer.alloc(0), ALERT])]), random)
}

interface Frame {
  readonly type: number
  readonly flags: number
  readonly id: number
  readonly payload: Buffer
}

function frame(random: Random): Buffer {
  const id = random.pick([1, 1, 1, 3, 3, 5, 2, 0])
  const code = Buffer.from([0, 0, 0, random.below(14)])
  return frameOf(
    random.pick<Frame>([
      { type: 1, flags: 5, id, payload: REQUEST },
      { type: 1, flags: 4, id, payload: POST },
      { type: 1, flags: random.below(256), id, payload: REQUEST },
      { type: 0, flags: random.below(2), id, payload: Buffer.from('hello') },
      { type: 3, flags: 0, id, payload: code },
      { type: 3, flags: 0, id, payload: code },
      { type: 2, flags: 0, id, payload: Buffer.from([0, 0, 0, 0, 16]) },
      {
        type: 4,
        flags: random.below(2),
        id: 0,
        payload: Buffer.from([0, random.below(8), 0, 0, random.below(256), 0]),
      },
      { type: 6, flags: random.below(2), id: 0, payload: Buffer.alloc(8) },
      { type: 7, flags: 0, id: 0, payload: Buffer.alloc(8) },
      { type: 8, flags: 0, id, payload: Buffer.from([0, 0, 1, 0]) },
      { type: 9, flags: 4, id, payload: REQUEST },
      {
        type: random.below(12),
        flags: random.below(256),
        id,
        payload: Buffer.alloc(random.below(20), random.below(256)),
      },
    ]),
  )
}

function frameOf({ type, flags, id, payload }: Frame): Buffer {
  const head = Buffer.alloc(9)
  head.writeUIntBE(payload.length, 0, 3)
  head.set([type, flags], 3)
  head.writeUInt32BE(id, 5)
  return Buffer.concat([head, payload])
}

/** One in three has a byte changed, dropped or added, or ends too early. */
function spoilt(bytes: Buffer, random: Random): Buffer {
  const at = random.below(bytes.length)
  const byte = Buffer.from([random.below(256)])
  const rest = { same: bytes.subarray(at), other: bytes.subarray(at + 1) }
  const head = bytes.subarray(0, at)
  switch (random.below(12)) {
    case 0:
      return Buffer.concat([head, byte, rest.other])
    case 1:
      return Buffer.concat([head, rest.other])
    case 2:
      return Buffer.concat([head, byte, rest.same])
    case 3:
      return head
    default:
      return bytes
  }
}
