// What createServer() and attach() make of connections that they admit or refuse.

import assert from 'node:assert/strict'
import { outcome, turns, type Outcome } from 'test-support/sockets'
import { errorMessages, type ErrorCode } from '../../src/codec/index.ts'
import type { CloseReason } from '../../src/server/index.ts'
import type { Door } from './doors.ts'
import { counted, over, type Harness } from './harness.ts'

export const SERVED: Outcome = { text: 'served', end: 'FIN' }

type Bytes = Uint8Array | string

/** What one client sent before its FIN, piece by piece, and how that ended. */
export async function send(
  harness: Harness,
  where: number | string,
  ...pieces: readonly Bytes[]
): Promise<Outcome> {
  const client = harness.dial(where)
  const ended = outcome(client)
  for (const piece of pieces.slice(0, -1)) {
    client.write(piece)
    await turns(2) // both ends share this event loop, so each piece is read by itself
  }
  client.end(pieces.at(-1) ?? '')
  return ended
}

/** What came through: the client's address as the socket says it, whether a header is known, and every byte. */
export function came({ seen }: Door): readonly unknown[] {
  return seen.map(({ address, info, text }) => [address, info?.header?.version, text])
}

/** A refusal's message as the table of codes words it. */
export function worded(code: ErrorCode, detail: string): string {
  return `${errorMessages[code]}: ${detail}`
}

/** Holds the counters of createServer() against what they should be; attach() has none. */
export async function assertCounted(
  { server }: Door,
  reasons: Partial<Record<CloseReason, number>>,
): Promise<void> {
  if (server === undefined) return
  await over(
    { server },
    Object.values(reasons).reduce((sum, count) => sum + count, 0),
  )
  assert.deepEqual(counted({ server }), reasons)
}
