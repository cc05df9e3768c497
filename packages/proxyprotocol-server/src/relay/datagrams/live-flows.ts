import type { LiveConnection } from '../../figures/index.ts'
import type { RelayedFlow } from './relayed-flow.ts'

/** Flows as the lists of connections show them. */
export function* liveFlows(flows: Iterable<RelayedFlow>): Generator<LiveConnection> {
  for (const { id, peer, announced, member, age, counts } of flows) {
    yield {
      ...{ id, state: 'open', peer, age },
      source: announced.source,
      destination: announced.destination,
      upstream: member?.endpoint,
      tls: undefined,
      bytesUp: counts.up.bytes,
      bytesDown: counts.down.bytes,
      reason: undefined,
    }
  }
}
