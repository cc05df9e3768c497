// What a relay takes over at a reload: its share of connections, or what another knew of the upstreams.

import { RelayServer } from './relay-server.ts'
import type { Relay } from './relay.ts'

export function succeed(relay: Relay, before: Relay | undefined, connections: number): void {
  if (relay === before) {
    if (relay.service.limits.connections !== connections) relay.limitConnections(connections)
  } else if (relay.server instanceof RelayServer && before?.server instanceof RelayServer) {
    relay.server.inherit(before.server)
  }
}
