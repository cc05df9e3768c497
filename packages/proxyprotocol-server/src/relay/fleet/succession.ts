// What a relay takes over at a reload: its share of connections, or what another knew of the upstreams.

import { DatagramRelay, type ServiceRelay } from '../datagrams/index.ts'
import { RelayServer } from '../relay-server.ts'

export function succeed(relay: ServiceRelay, before: ServiceRelay | undefined, connections: number): void {
  if (relay === before) {
    if (relay.service.limits.connections !== connections) relay.limitConnections(connections)
  } else if (relay.server instanceof RelayServer && before?.server instanceof RelayServer) {
    relay.server.inherit(before.server)
  } else if (relay instanceof DatagramRelay && before instanceof DatagramRelay) {
    relay.inherit(before)
  }
}
