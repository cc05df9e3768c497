// Tries the handles of this runtime on loopback, once in a process. Only if back-pressure, a half-close and a reset come
// through as they should are handles used.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { Socket } from 'node:net'
import { setImmediate as turn } from 'node:timers/promises'
import { canShareBuffers } from 'proxyprotocol/internal/node'
import { learn } from './node-tcp.ts'
import { TestBench } from './test-bench.ts'

/** A runtime where it hangs gets sockets. */
const DEADLINE = 3_000
/** Of no size that a buffer has. */
const CHUNK = Buffer.from(Array.from({ length: 65_521 }, (_, at) => at % 251))
/** More than the kernel holds between two sockets. */
const MOST_CHUNKS = 1_024
const REPLY = Buffer.from('reply')

let works = false
let test: Promise<boolean> | undefined

/** False until the test has succeeded. */
export function handlesWork(): boolean {
  return works
}

/** Resolves with whether handles are used from now on; never rejects. */
export function testHandles(): Promise<boolean> {
  return (test ??= tryHandles().then(outcome => (works = outcome)))
}

/** @param platform as `process.platform`. */
export async function tryHandles(platform?: NodeJS.Platform): Promise<boolean> {
  if (!canShareBuffers(platform)) return false
  const deadline = new AbortController()
  const timer = setTimeout(() => deadline.abort(), DEADLINE)
  const bench = new TestBench(deadline.signal)
  try {
    await learn(deadline.signal)
    await bench.listen()
    await relayAll(bench)
    await relayReset(bench)
    return true
  } catch {
    return false
  } finally {
    clearTimeout(timer)
    bench.close()
  }
}

/** The upstream reads only when the relay has to wait for it; the client ends before the reply. */
async function relayAll(bench: TestBench): Promise<void> {
  const [client, upstream] = await bench.open()
  let chunks = 0
  for (; !bench.isPending; chunks++) {
    assert(chunks < MOST_CHUNKS)
    client.write(CHUNK)
    await turn(undefined, { signal: bench.signal })
  }
  client.end()
  const received = await content(upstream, bench.signal)
  assert(received.equals(Buffer.concat(Array.from({ length: chunks }, () => CHUNK))))
  upstream.end(REPLY)
  assert((await content(client, bench.signal)).equals(REPLY))
  assert.equal(await bench.ended, undefined)
}

async function relayReset(bench: TestBench): Promise<void> {
  const [client, upstream] = await bench.open()
  client.write(CHUNK)
  upstream.once('data', () => upstream.resetAndDestroy())
  upstream.resume()
  client.resume()
  const [error] = (await once(client, 'error', { signal: bench.signal })) as [NodeJS.ErrnoException]
  assert.equal(error.code, 'ECONNRESET')
  assert.equal((await bench.ended)?.code, 'upstream_reset')
}

async function content(socket: Socket, signal: AbortSignal): Promise<Buffer> {
  const chunks: Buffer[] = []
  socket.on('data', (chunk: Buffer) => chunks.push(chunk)).resume()
  await once(socket, 'end', { signal })
  return Buffer.concat(chunks)
}
