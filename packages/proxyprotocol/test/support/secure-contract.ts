// A server with TLS, and clients whose header came before the handshake.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { ProxyProtocolError } from '../../src/codec/index.ts'
import type { Connection } from '../../src/server/index.ts'
import { dialSecure, type SecureClient } from './secure.ts'
import { opened, type Served, type Harness } from './harness.ts'

export const MIB = 1024 * 1024

export async function aborted({ signal }: Connection): Promise<ProxyProtocolError> {
  if (!signal.aborted) await once(signal, 'abort')
  return signal.reason as ProxyProtocolError
}

/** A client whose connection is open on both sides. */
export async function dialOpen(
  harness: Harness,
  served: Served,
): Promise<SecureClient & { connection: Connection }> {
  const client = dialSecure(harness, served.port)
  const [[connection = assert.fail()]] = await Promise.all([
    opened(served),
    once(client.secure, 'secureConnect'),
  ])
  return { ...client, connection }
}

/** A client that has made its handshake. */
export async function dialOver(harness: Harness, { port }: Served): Promise<SecureClient> {
  const client = dialSecure(harness, port)
  await once(client.secure, 'secureConnect')
  return client
}
