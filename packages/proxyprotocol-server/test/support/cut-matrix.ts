// How a stream may end while the other direction has ended, is ending or stands: every combination, on one connection, and what
// the reader may see of it. A stream that was cut must never look complete, and one that is complete must never look cut.

import type { Socket } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'

/** One end of a connection as it reaches the other end through what is tested. Its stream is half-open, and tells a cut from an end. */
export interface End {
  readonly stream: Socket
  /** Cuts the connection, which must be a reset where there is such a thing. */
  readonly cut: () => void
}

export interface Ends {
  readonly client: End
  readonly server: End
}

type Side = keyof Ends

export interface Cell {
  /** Who ends its own direction, in order, before anything else. */
  readonly first: Side | 'nobody'
  /** Who cuts the connection after its last byte. */
  readonly cutter: Side | 'nobody'
  /** Bytes before that: none, less than a buffer, several buffers, more than the kernel takes. */
  readonly bytes: number
  /** Milliseconds between them. */
  readonly pause: number
}

const sides = ['client', 'server', 'nobody'] as const
const sizes = [0, 10, 30_000, 3_000_000]
const pauses = [0, 10]

/** All of them; without an end and without a cut there is nothing to see. */
export const cells: readonly Cell[] = sides.flatMap(first =>
  sides
    .filter(cutter => first !== 'nobody' || cutter !== 'nobody')
    .flatMap(cutter => sizes.flatMap(bytes => pauses.map(pause => ({ first, cutter, bytes, pause })))),
)

export function nameOf({ first, cutter, bytes, pause }: Cell): string {
  const ends = first === 'nobody' ? 'no end first' : `the ${first} ends first`
  const cut = cutter === 'nobody' ? 'no reset' : `the ${cutter} resets${pause ? ` ${pause} ms later` : ''}`
  return `${ends}, ${bytes} bytes, ${cut}`
}

/** What a reader has seen until its stream ended or failed, and whether it failed after its end. */
interface Seen {
  readonly bytes: number
  readonly ended: boolean
  readonly error: string | undefined
}

/**
 * Plays a cell on a connection, which is closed after it.
 *
 * @returns what was seen and must not be; undefined if all is well.
 */
export async function play(cell: Cell, ends: Ends): Promise<string | undefined> {
  const { first, cutter } = cell
  const sender = cutter === 'nobody' ? other(first) : cutter
  const reader = other(sender)
  const atReader = watch(ends[reader].stream)
  const atSender = watch(ends[sender].stream)
  if (first !== 'nobody' && first !== cutter) {
    ends[first].stream.end()
    await atSender.over
  }
  await send(cell, ends[sender])
  await (first === cutter ? atReader.over : atReader.closed)
  const wrong =
    judge(cell, atReader.seen()) ?? (cutter === 'nobody' ? judgeEnd(atSender.seen(), 0) : undefined)
  for (const { stream } of [ends.client, ends.server]) stream.destroy()
  return wrong && `${nameOf(cell)}: ${wrong}`
}

/** Sends all that the cell has, and ends or cuts. */
async function send({ first, cutter, bytes, pause }: Cell, { stream, cut }: End): Promise<void> {
  await new Promise<unknown>(resolve => {
    stream.write(Buffer.alloc(bytes, 1), resolve)
  })
  if (cutter === 'nobody') return void stream.end()
  if (first === cutter) {
    await new Promise<void>(resolve => {
      stream.end(resolve)
    })
  }
  if (pause > 0) await wait(pause)
  cut()
}

function judge({ first, cutter, bytes }: Cell, seen: Seen): string | undefined {
  if (cutter === 'nobody') return judgeEnd(seen, bytes)
  if (seen.ended && first !== cutter) return `the reader saw an end after ${seen.bytes} bytes`
  if (seen.ended && seen.bytes !== bytes) return `the reader saw an end after ${seen.bytes} bytes`
  return seen.ended || seen.error !== undefined ? undefined : 'the reader saw a close'
}

function judgeEnd({ bytes, ended, error }: Seen, expected: number): string | undefined {
  if (ended && error === undefined && bytes === expected) return undefined
  return `the reader saw ${error ?? (ended ? 'an end' : 'a close')} after ${bytes} of ${expected} bytes`
}

interface Watched {
  /** Its stream has ended or failed. */
  readonly over: Promise<unknown>
  readonly closed: Promise<unknown>
  readonly seen: () => Seen
}

function watch(stream: Socket): Watched {
  let bytes = 0
  let ended = false
  let error: string | undefined
  stream.on('data', (chunk: Buffer) => (bytes += chunk.length))
  stream.on('end', () => (ended = true))
  stream.on('error', (cause: NodeJS.ErrnoException) => (error = cause.code ?? cause.message))
  const closed = new Promise(resolve => stream.on('close', resolve))
  const over = Promise.race([closed, new Promise(resolve => stream.on('end', resolve))])
  stream.resume()
  return { over, closed, seen: () => ({ bytes, ended, error }) }
}

function other(side: Side | 'nobody'): Side {
  return side === 'client' ? 'server' : 'client'
}
