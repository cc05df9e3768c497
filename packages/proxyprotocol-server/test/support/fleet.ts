// A fleet of services that ends with the test.

import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { parseService, type Service } from '../../src/config/index.ts'
import { createRelay, Fleet, type FleetChange, type FleetOptions, type Relay } from '../../src/relay/index.ts'
import { assertBalanced } from './relay.ts'
import { warnings } from './connections.ts'
import { atEnd } from './teardown.ts'

/** Milliseconds that no test waits for. */
export const LONG = 60_000

/** A fleet that leaves nothing behind at the test's end. */
export function makeFleet(t: TestContext, options: Partial<FleetOptions> = {}): Fleet {
  const made: Relay[] = []
  const fleet = new Fleet({
    ...options,
    create: async service => {
      const relay = (await options.create?.(service)) ?? createRelay(service, { onRejected: () => undefined })
      made.push(relay)
      return relay
    },
  })
  warnings(t)
  atEnd(t, async () => {
    await fleet.abort()
    assert.equal(fleet.connections.size, 0)
    for (const stats of fleet.totals().values()) assertBalanced(stats)
    for (const { server } of made) assert.equal(server.state, 'closed')
  })
  return fleet
}

export function names({ added, changed, removed, unchanged }: FleetChange): Record<string, string[]> {
  const all = { added, changed, removed, unchanged }
  const named = Object.entries(all).map(([what, relays]) => [what, relays.map(({ service }) => service.name)])
  return Object.fromEntries(named) as Record<string, string[]>
}

/** A service at a port of the system's choice. */
export function serviceTo(port: number, name: string, idle = LONG): Service {
  return parseService('127.0.0.1:0', `127.0.0.1:${port}?pp=noop`, { name, timeouts: { idle } })
}
