import { compileNetworks } from 'proxyprotocol/server'
import type { LiveConnection } from '../../figures/index.ts'
import { showEndpoint } from '../../log/index.ts'
import type { Fleet, ServiceRelay } from '../../relay/index.ts'

/** Connections that have all that is given. */
export interface ConnectionFilter {
  readonly id?: string | undefined
  /** An address or a network. */
  readonly source?: string | undefined
  readonly upstream?: string | undefined
}

type Closable = Pick<Fleet<ServiceRelay>, 'totals' | 'connectionsOf' | 'servers'>

/** Resets them, also those of changed and removed services. */
export function closeConnections(fleet: Closable, filter: ConnectionFilter): number {
  const matches = matcher(filter)
  const ids = new Set<string>()
  for (const service of fleet.totals().keys()) {
    for (const live of fleet.connectionsOf(service)) if (matches(live)) ids.add(live.id)
  }
  for (const { connections } of fleet.servers) {
    for (const connection of connections) if (ids.has(connection.id)) connection.abort()
  }
  return ids.size
}

function matcher({ id, source, upstream }: ConnectionFilter): (live: LiveConnection) => boolean {
  const isSource = source === undefined ? undefined : compileNetworks([source], 'source')
  return live => {
    const address = live.source && 'address' in live.source ? live.source.address : undefined
    return (
      (id === undefined || live.id === id) &&
      (isSource === undefined || isSource({ address, transport: address === undefined ? 'unix' : 'tcp' })) &&
      (upstream === undefined || showEndpoint(live.upstream) === upstream)
    )
  }
}
