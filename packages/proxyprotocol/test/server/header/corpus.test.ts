// Every input of the corpus against every kind of server, cut in every way: a sound header gives the application its
// payload and its client, and of everything else it learns nothing.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { Server, Socket } from 'node:net'
import { test } from 'node:test'
import { outcome } from 'test-support/sockets'
import { connectionInfo, type AttachOptions } from '../../../src/server/index.ts'
import { outcomeOf } from '../../support/outcome.ts'
import { HeaderFirst } from '../../support/segments.ts'
import { kinds, withServer, type KindName } from '../../support/server-kinds.ts'
import { vectorFiles, type ExpectedHeader, type Vector } from '../../support/vectors.ts'

/** Connections at a time: both ends of each are descriptors of this process. */
const BATCH = 100
/** Milliseconds: nothing here waits for it, however slowly the machine gets the bytes across one by one. */
const HEADER_TIMEOUT = 60_000
/** What follows an input that is refused: any application would answer it, or complain. */
const REQUEST = Buffer.from('GET / HTTP/1.1\r\nhost: a\r\n\r\n')

const vectors = vectorFiles.flatMap(file => file.vectors)
const cutNames = ['one segment', 'header|data', 'CR|LF', 3, 15, 20, 'byte by byte'] as const

/** One input, cut in one way. */
interface Trial {
  readonly vector: Vector
  readonly cut: (typeof cutNames)[number]
}

/** By cut, so that connections which take equally long run together. */
const everyTrial: readonly Trial[] = cutNames
  .flatMap(cut => vectors.map(vector => ({ vector, cut })))
  .filter(({ vector, cut }) => cut !== 'CR|LF' || endOfLine(vector) > 0)
/** node:test follows each promise and socket, and that makes the full product on six kinds take a minute. */
const sample = everyTrial.filter(({ vector, cut }) => {
  const [whole, ...others] = cutNames
  return cut === whole || cut === others[vectors.indexOf(vector) % others.length]
})

/** Where the first CR of an input ends that has an LF behind it; 0 without one. */
function endOfLine({ bytes }: Vector): number {
  return Buffer.from(bytes).indexOf('\r\n') + 1
}

for (const name of Object.keys(kinds) as KindName[]) {
  const trials = name === 'net' ? everyTrial : sample
  const covered = name === 'net' ? 'in every cut' : 'whole, and in one other cut in turn'
  test(`attach() on ${name} gives the application what follows a header, and nothing else: every input ${covered}`, async t => {
    for (const group of byOptions(trials)) {
      const options = optionsOf(group)
      await t.test(`${group.length} connections with ${JSON.stringify(options)}`, async sub => {
        const server = kinds[name].create()
        const delivered = watch(server, name)
        await withServer(sub, { server, options }, async ({ dial }) => {
          for (let at = 0; at < group.length; at += BATCH) {
            const batch = group.slice(at, at + BATCH)
            await Promise.all(batch.map(trial => run(trial, { name, dial, delivered })))
            delivered.clear()
          }
        })
      })
    }
  })
}

function byOptions(trials: readonly Trial[]): Iterable<readonly Trial[]> {
  const groups = new Map<string, Trial[]>()
  for (const trial of trials) {
    const key = JSON.stringify(trial.vector.options ?? {})
    const group = groups.get(key)
    if (group) group.push(trial)
    else groups.set(key, [trial])
  }
  return groups.values()
}

/** The options of the codec as those of attach(). */
function optionsOf([trial]: readonly Trial[]): Partial<AttachOptions> {
  const { versions, maxHeaderBytes, mixedFamilies } = trial?.vector.options ?? {}
  const version = versions?.length === 1 ? (versions[0] === 1 ? 'v1' : 'v2') : 'detect'
  return {
    version,
    limits: { headerBytes: maxHeaderBytes },
    mixedFamilies,
    timeouts: { header: HEADER_TIMEOUT },
  }
}

/** What the application got of one connection. */
interface Delivery {
  readonly socket: Socket
  /** All that it could read, where nothing else reads the socket. */
  readonly chunks: Buffer[]
}

/** Records what a server's application gets, by the port of the client's own socket. */
function watch(server: Server, name: KindName): Map<number, Delivery> {
  const delivered = new Map<number, Delivery>()
  server.on('connection', (socket: Socket) => {
    const peer = connectionInfo(socket)?.via.peer
    assert.ok(peer && 'port' in peer)
    const chunks: Buffer[] = []
    delivered.set(peer.port, { socket, chunks })
    if (name === 'net') socket.on('data', (chunk: Buffer) => chunks.push(chunk))
  })
  return delivered
}

interface Scene {
  readonly name: KindName
  readonly dial: () => Socket
  readonly delivered: ReadonlyMap<number, Delivery>
}

async function run({ vector, cut }: Trial, { name, dial, delivered }: Scene): Promise<void> {
  const { bytes, expected } = vector
  const socket = dial()
  await once(socket, 'connect')
  const { localPort: port = 0 } = socket
  const closed = new Promise(resolve => socket.once('close', resolve))
  const segments = cut === 'header|data' ? 'header|payload' : cut === 'CR|LF' ? endOfLine(vector) : cut
  const header = expected.status === 'header' ? bytes.subarray(0, expected.byteLength) : bytes
  const stream = new HeaderFirst(socket, header, segments)
  try {
    if (expected.status === 'header') {
      assert.equal(await kinds[name].ask(stream), `${addressOf(expected, port)} by 127.0.0.1`)
      assertDelivered(expected, name, delivered.get(port))
    } else {
      await assertRefused(stream, socket, expected.status === 'partial')
      assert.equal(delivered.has(port), false, 'the application saw the connection')
    }
  } catch (error) {
    throw new Error(`${vector.name}, cut: ${cut}`, { cause: error })
  }
  stream.destroy()
  await closed
}

/** An input that is not complete is ended there; the others are followed by a request. */
async function assertRefused(stream: HeaderFirst, socket: Socket, isPartial: boolean): Promise<void> {
  const ended = outcome(socket)
  stream.end(isPartial ? Buffer.alloc(0) : REQUEST)
  assert.equal((await ended).text, '')
}

function assertDelivered(expected: ExpectedHeader, name: KindName, delivery: Delivery | undefined): void {
  assert.ok(delivery)
  const header = connectionInfo(delivery.socket)?.header
  assert.ok(header)
  assert.deepEqual(outcomeOf({ status: 'header', header, byteLength: expected.byteLength }), expected)
  if (name === 'net') assert.equal(Buffer.concat(delivery.chunks).toString(), 'hi')
}

/** What the application reads off its socket: nothing for UNIX sockets, the peer itself where the header names no client. */
function addressOf({ source }: ExpectedHeader, port: number): string {
  if (source === undefined) return `127.0.0.1:${port}`
  return 'address' in source ? `${source.address}:${source.port}` : 'undefined:undefined'
}
