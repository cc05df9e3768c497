// All upstreams of a service: those that everybody gets, and those of its routes by server name.

import type { Pool, Service } from '../config/index.ts'
import type { RoutedUpstream } from '../figures/index.ts'
import { NameTable } from './passthrough/index.ts'
import {
  UpstreamPool,
  type PoolContext,
  type PoolSnapshot,
  type UpstreamEvent,
  type UpstreamTls,
} from './upstreams/index.ts'

/** The route of connections without a more exact one. A server name is never a lone asterisk, so no route can be called so. */
export const DEFAULT_ROUTE = '*'

/** What has become of an upstream, with the route that leads to it. */
export type RoutedEvent = UpstreamEvent & Pick<RoutedUpstream, 'route'>

/** All upstreams of a service at the moment, plain data. */
export interface RoutedUpstreams extends PoolSnapshot {
  readonly upstreams: readonly RoutedUpstream[]
}

/** What pools are told besides their services. */
export interface PoolsOptions extends PoolContext {
  /** Called when an upstream, or a member of one, goes down or up: once for each change. */
  readonly onUpstream?: ((event: RoutedEvent) => void) | undefined
}

export class UpstreamPools {
  readonly #default: UpstreamPool
  /** By route, the default route first. */
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

  /** Those for a server name; without one, and for a name without a route, those that everybody gets. */
  for(serverName: string | undefined): UpstreamPool {
    return (serverName === undefined ? undefined : this.#byName.find(serverName)) ?? this.#default
  }

  /** The TLS that they are spoken to with. */
  get tls(): readonly UpstreamTls[] {
    return [...this.#all.values()].map(pool => pool.tls)
  }

  start(): void {
    for (const pool of this.#all.values()) pool.start()
  }

  close(): void {
    for (const pool of this.#all.values()) pool.close()
  }

  /** Begins with what the pools of another relay know. */
  inherit(other: UpstreamPools): void {
    for (const pool of this.#all.values()) pool.inherit([...other.#all.values()])
  }

  /** As one: the routes' upstreams behind the others, and what is counted summed up. */
  snapshot(): RoutedUpstreams {
    const snapshots = [...this.#all].map(([route, pool]) => ({ route, ...pool.snapshot() }))
    return {
      balance: this.#default.snapshot().balance,
      upstreams: snapshots.flatMap(({ route, upstreams }) => upstreams.map(each => ({ ...each, route }))),
      names: snapshots.flatMap(({ names }) => names),
      retries: snapshots.reduce((sum, { retries }) => sum + retries, 0),
    }
  }
}
