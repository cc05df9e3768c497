import type { Pool, Service } from '../config/index.ts'
import type { QueueFigures, RoutedUpstream } from '../figures/index.ts'
import { NameTable } from './passthrough/index.ts'
import {
  UpstreamPool,
  type PoolContext,
  type PoolSnapshot,
  type UpstreamEvent,
  type UpstreamTls,
} from './upstreams/index.ts'

/** A server name is never a lone asterisk. */
export const DEFAULT_ROUTE = '*'

/** A change of an upstream, with its route. */
export type RoutedEvent = UpstreamEvent & Pick<RoutedUpstream, 'route'>

/** A snapshot of all upstreams of a service, as plain data. */
export interface RoutedUpstreams extends Omit<PoolSnapshot, 'queued'> {
  readonly upstreams: readonly RoutedUpstream[]
  readonly queues: readonly QueueFigures[]
}

export interface PoolsOptions extends PoolContext {
  /** Called when an upstream or member goes down or up. */
  readonly onUpstream?: ((event: RoutedEvent) => void) | undefined
}

export class UpstreamPools {
  readonly #default: UpstreamPool
  readonly #all = new Map<string, UpstreamPool>()
  readonly #byName = new NameTable<UpstreamPool>()

  constructor(service: Pick<Service, 'pool' | 'passthrough' | 'timeouts'>, options: PoolsOptions) {
    const { resolver, now, onUpstream } = options
    const { pool, passthrough, timeouts } = service
    const poolOf = (settings: Pool, route: string): UpstreamPool => {
      const made = new UpstreamPool(settings, {
        ...{ resolver, now, patience: timeouts.connect },
        onUpstream: event => onUpstream?.({ ...event, route }),
      })
      this.#all.set(route, made)
      return made
    }
    this.#default = poolOf(pool, DEFAULT_ROUTE)
    for (const { names, pool: settings } of passthrough?.routes ?? []) {
      const routed = poolOf(settings, String(names[0]))
      for (const name of names) this.#byName.add(name, routed)
    }
  }

  for(serverName: string | undefined): UpstreamPool {
    return (serverName === undefined ? undefined : this.#byName.find(serverName)) ?? this.#default
  }

  get tls(): readonly UpstreamTls[] {
    return [...this.#all.values()].map(pool => pool.tls)
  }

  start(): void {
    for (const pool of this.#all.values()) pool.start()
  }

  close(): void {
    for (const pool of this.#all.values()) pool.close()
  }

  inherit(other: UpstreamPools): void {
    for (const pool of this.#all.values()) pool.inherit([...other.#all.values()])
  }

  snapshot(): RoutedUpstreams {
    const snapshots = [...this.#all].map(([route, pool]) => ({ route, ...pool.snapshot() }))
    return {
      balance: this.#default.snapshot().balance,
      upstreams: snapshots.flatMap(({ route, upstreams }) => upstreams.map(each => ({ ...each, route }))),
      names: snapshots.flatMap(({ names }) => names),
      queues: snapshots.map(({ route, queued }) => ({ route, waiting: queued })),
    }
  }
}
