// One hostile connection: a header that may be sound, cut somewhere, with the protocol or noise behind it, ended politely or
// not. A sound header gives the application the client that it names; anything else gives it nothing.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { setTimeout } from 'node:timers/promises'
import { decodeHeader, type ProxyHeader } from 'proxyprotocol'

import type { Random } from 'test-support/random'
import { HeaderFirst, type Cut } from '../../packages/proxyprotocol/test/support/segments.ts'
import type { Target } from './servers.ts'

/** Milliseconds in which a connection must be over: longer than the deadline of its header. */
const HANG = 60_000
/** Milliseconds that a server gets to find fault with noise, before the client goes. */
const PATIENCE = 20
const MAX_SINGLE_BYTES = 48
const manners = ['ask', 'ask', 'noise', 'end', 'reset'] as const

/** @throws AssertionError when the server does what it must not do. */
export async function attack(target: Target, header: Uint8Array, random: Random): Promise<void> {
  const start = performance.now()
  const socket = connect({ port: target.port, host: '127.0.0.1' })
  socket.on('error', () => socket.destroy())
  const closed = new Promise<void>(resolve => socket.on('close', () => resolve()))
  await once(socket, 'connect')
  const { localPort: port = 0 } = socket
  const result = decodeHeader(header)
  const sound = result.status === 'header' && result.byteLength === header.length ? result.header : undefined
  const manner = random.pick(manners)
  let sent = header
  if (sound && manner === 'ask')
    await ask(target, socket, { header, said: sound, cut: cutOf(header, random) })
  else sent = await offend(socket, header, { manner, random })
  if (socket.closed) await closed
  else await within(closed, `${target.name} keeps a connection (${manner})`)
  if (decodeHeader(sent).status === 'header') return
  const delivered = target.delivered.get(port) ?? 0 // it may be of an earlier connection from that port
  assert.ok(delivered < start, `${target.name} delivered a connection`)
}

interface Question {
  readonly header: Uint8Array
  readonly said: ProxyHeader
  readonly cut: Cut
}

async function ask(target: Target, socket: Socket, { header, said, cut }: Question): Promise<void> {
  const own = `127.0.0.1:${socket.localPort ?? 0}`
  const stream = new HeaderFirst(socket, header, cut)
  const answer = await within(target.ask(stream), `${target.name} does not answer`)
  stream.destroy()
  assert.equal(answer, `${clientOf(said, own)} by 127.0.0.1`, `${target.name} answered for somebody else`)
}

function clientOf(said: ProxyHeader, own: string): string {
  if (said.family === 'UNSPEC') return own
  if (said.family === 'UNIX') return 'undefined:undefined'
  return `${said.source.address}:${said.source.port}`
}

/** @returns all that the server may have got. */
async function offend(
  socket: Socket,
  header: Uint8Array,
  { manner, random }: { manner: (typeof manners)[number]; random: Random },
): Promise<Uint8Array> {
  const noise = Array.from({ length: manner === 'noise' ? random.below(2_000) : 0 }, () => random.below(256))
  const bytes = Uint8Array.from([...header, ...noise])
  const at = random.below(header.length + 1)
  socket.resume()
  socket.write(bytes.subarray(0, at))
  if (random.below(2) === 0) await setTimeout(0)
  if (manner === 'reset') {
    socket.resetAndDestroy()
    return bytes
  }
  socket.write(bytes.subarray(at))
  if (manner !== 'noise') socket.end()
  await setTimeout(PATIENCE)
  const { status } = decodeHeader(bytes)
  // The application may wait for more as long as it likes, and so may a header that has not ended.
  if (status === 'header' || (status === 'partial' && manner === 'noise')) socket.destroy()
  return bytes
}

function cutOf(header: Uint8Array, random: Random): Cut {
  const kind = random.below(4)
  if (kind === 0 && header.length <= MAX_SINGLE_BYTES) return 'byte by byte'
  if (kind === 1) return 'header|payload'
  return kind === 2 ? random.below(header.length) : 'one segment'
}

async function within<Value>(promise: Promise<Value>, complaint: string): Promise<Value> {
  const watch = new AbortController()
  const late = setTimeout(HANG, undefined, { signal: watch.signal, ref: false }).then(() => {
    throw new Error(`hang: ${complaint}`)
  })
  try {
    return await Promise.race([promise, late])
  } finally {
    late.catch(() => undefined)
    watch.abort()
  }
}
