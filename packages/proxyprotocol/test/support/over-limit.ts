// Connections over a limit, and how they end.

import type { Socket } from 'node:net'
import { outcome, until, type Outcome } from 'test-support/sockets'
import type { Served, Harness } from './harness.ts'

export const ways = ['close', 'reset', 'pause'] as const

/** What a client sees that is one too many. */
export function turnedAway(overLimit: (typeof ways)[number]): Outcome {
  return { text: '', end: overLimit === 'reset' ? 'ECONNRESET' : 'FIN' }
}

/** How a client ends that sends these bytes and closes when the server does. */
export function ending(harness: Harness, port: number, bytes: Uint8Array | string = ''): Promise<Outcome> {
  const client = harness.dial(port)
  if (bytes.length > 0) client.write(bytes)
  client.once('end', () => client.end())
  return outcome(client)
}

/** A client that stays, once the server has accepted it. */
export async function arrived(
  harness: Harness,
  served: Served,
  bytes: Uint8Array | string = '',
): Promise<Socket> {
  const { accepted } = served.server.stats()
  const client = harness.dial(served.port)
  if (bytes.length > 0) client.write(bytes)
  await until(() => served.server.stats().accepted > accepted)
  return client
}
