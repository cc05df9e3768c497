// What a relay takes over at a reload: its new share of connections if it stays, knowledge of upstreams if it follows
// another.

import { RelayServer } from './relay-server.ts'
import type { Relay } from './relay.ts'

/** @param connections the new limit. */
export function succeed(relay: Relay, before: Relay | undefined, connections: number): void {
  if (relay === before) {
    if (relay.service.limits.connections !== connections) relay.limitConnections(connections)
  } else if (relay.server instanceof RelayServer && before?.server instanceof RelayServer) {
    relay.server.inherit(before.server)
  }
}
