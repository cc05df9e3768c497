// Open connections whose handlers end when they are aborted.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { Socket } from 'node:net'
import { outcome, turns, until } from 'test-support/sockets'
import type { Connection } from '../../src/server/index.ts'
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

/** A client that has got the FIN of its server, and keeps its own side open. */
export async function dialEnded(harness: Harness, { port }: Served): Promise<Socket> {
  const client = harness.dial(port)
  client.write(V2)
  await once(client.resume(), 'end')
  return client
}

/** Sends bytes to a connection whose handler has returned, until the server has discarded them. */
export async function discards({ server }: Served, client: Socket, bytes: number): Promise<Connection> {
  client.write(Buffer.alloc(bytes))
  await until(() => client.writableLength === 0)
  await turns()
  const [connection] = server.connections
  assert.equal(connection?.state, 'closing')
  return connection
}

/** A handler that runs until it is aborted. */
export async function untilAborted({ signal }: Connection): Promise<void> {
  if (!signal.aborted) await once(signal, 'abort')
}
