// Open connections whose handlers end when they are aborted.

import { outcome } from 'test-support/sockets'
import { V2 } from './headers.ts'
import type { Served, Harness } from './harness.ts'

export const HOST = '127.0.0.1'
export const NOTHING = { drained: 0, forced: 0, stuck: [] }

/** Milliseconds that a drain may take which the test expects to end early; to wait for it would be a failure. */
export const LONG = 60_000

/** An open client of a server. */
export function dialOpen(
  harness: Harness,
  { port }: Served,
): { ended: ReturnType<typeof outcome>; end: () => void } {
  const client = harness.dial(port)
  client.write(V2)
  return { ended: outcome(client), end: () => client.end() }
}
