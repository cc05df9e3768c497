// Relays on handles, and a look into their connections.

import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import type { ServiceOptions, UpstreamText } from '../../src/config/index.ts'
import type { RelayOptions } from '../../src/relay/index.ts'
import type { Traffic } from '../../src/relay/index.ts'
import type { Flow } from '../../src/relay/tunnel/handles/flow.ts'
import { HandleConnection } from '../../src/relay/tunnel/handles/index.ts'
import { startRelay, type TestRelay } from './relay.ts'

export interface SeenConnection {
  readonly up: Flow
  readonly down: Flow
}

/** Whatever plane the tests run on. */
export function startOnHandles(
  t: TestContext,
  upstream: string | readonly UpstreamText[],
  options: RelayOptions & ServiceOptions = {},
): Promise<TestRelay> {
  return startRelay(t, upstream, { ...options, dataPlane: 'auto' })
}

/** The only connection of a relay. */
export function connectionOf(relay: TestRelay): HandleConnection<Traffic> {
  const [connection, ...others] = relay.server.connections
  assert.ok(connection instanceof HandleConnection)
  assert.deepEqual(others, [])
  return connection as HandleConnection<Traffic>
}

/** Both directions of the only connection. */
export function flowsOf(relay: TestRelay): SeenConnection {
  return connectionOf(relay) as unknown as SeenConnection // they are its protected members
}
