// What the relay of a service takes over at a change of configuration: its new share of the connections where it stays, and
// what is known of its upstreams where it follows another one.

import { RelayServer } from './relay-server.ts'
import type { Relay } from './relay.ts'

/** @param connections that the relay may have. */
export function succeed(relay: Relay, before: Relay | undefined, connections: number): void {
  if (relay === before) {
    if (relay.service.limits.connections !== connections) relay.limitConnections(connections)
  } else if (relay.server instanceof RelayServer && before?.server instanceof RelayServer) {
    relay.server.inherit(before.server)
  }
}
