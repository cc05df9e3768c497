// All upstreams of a service: those that everybody gets, and those of its routes by server name.

import type { Pool, Service } from '../config/index.ts'
import { NameTable } from './passthrough/index.ts'
import {
  UpstreamPool,
  type PoolContext,
  type PoolSnapshot,
  type UpstreamSnapshot,
  type UpstreamTls,
} from './upstreams/index.ts'

/** The route of connections without a more exact one. A server name is never a lone asterisk, so no route can be called so. */
export const DEFAULT_ROUTE = '*'

/** An upstream of a service, and the route that leads to it. */
export interface RoutedUpstream extends UpstreamSnapshot {
  /** The first server name of the route, which no other route has; `*` for the default route. */
  readonly route: string
}

/** All upstreams of a service at the moment, plain data. */
export interface RoutedUpstreams extends PoolSnapshot {
  readonly upstreams: readonly RoutedUpstream[]
}

interface Routed {
  readonly route: string
  readonly pool: UpstreamPool
}

export class UpstreamPools {
  readonly #default: UpstreamPool
  readonly #all: Routed[]
  readonly #byName = new NameTable<UpstreamPool>()

  constructor({ pool, passthrough }: Pick<Service, 'pool' | 'passthrough'>, context: PoolContext) {
    const poolOf = (settings: Pool): UpstreamPool => new UpstreamPool(settings, context)
    this.#default = poolOf(pool)
    this.#all = [{ route: DEFAULT_ROUTE, pool: this.#default }]
    for (const { names, pool: settings } of passthrough?.routes ?? []) {
      const routed = poolOf(settings)
      this.#all.push({ route: String(names[0]), pool: routed })
      for (const name of names) this.#byName.add(name, routed)
    }
  }

  /** Those for a server name; without one, and for a name without a route, those that everybody gets. */
  for(serverName: string | undefined): UpstreamPool {
    return (serverName === undefined ? undefined : this.#byName.find(serverName)) ?? this.#default
  }

  /** The TLS that they are spoken to with. */
  get tls(): readonly UpstreamTls[] {
    return this.#all.map(({ pool }) => pool.tls)
  }

  start(): void {
    for (const { pool } of this.#all) pool.start()
  }

  close(): void {
    for (const { pool } of this.#all) pool.close()
  }

  /** As one: the routes' upstreams behind the others, and what is counted summed up. */
  snapshot(): RoutedUpstreams {
    const snapshots = this.#all.map(({ route, pool }) => ({ route, ...pool.snapshot() }))
    return {
      balance: this.#default.snapshot().balance,
      upstreams: snapshots.flatMap(({ route, upstreams }) => upstreams.map(each => ({ ...each, route }))),
      names: snapshots.flatMap(({ names }) => names),
      retries: snapshots.reduce((sum, { retries }) => sum + retries, 0),
    }
  }
}
