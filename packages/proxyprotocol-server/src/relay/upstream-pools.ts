// All upstreams of a service: those that everybody gets, and those of its routes by server name.

import type { Pool, Service } from '../config/index.ts'
import { NameTable } from './passthrough/index.ts'
import { UpstreamPool, type PoolContext, type PoolSnapshot, type UpstreamTls } from './upstreams/index.ts'

export class UpstreamPools {
  readonly #default: UpstreamPool
  readonly #all: UpstreamPool[]
  readonly #byName = new NameTable<UpstreamPool>()

  constructor({ pool, passthrough }: Pick<Service, 'pool' | 'passthrough'>, context: PoolContext) {
    const poolOf = (settings: Pool): UpstreamPool => new UpstreamPool(settings, context)
    this.#default = poolOf(pool)
    this.#all = [this.#default]
    for (const route of passthrough?.routes ?? []) {
      const routed = poolOf(route.pool)
      this.#all.push(routed)
      for (const name of route.names) this.#byName.add(name, routed)
    }
  }

  /** Those for a server name; without one, and for a name without a route, those that everybody gets. */
  for(serverName: string | undefined): UpstreamPool {
    return (serverName === undefined ? undefined : this.#byName.find(serverName)) ?? this.#default
  }

  /** The TLS that they are spoken to with. */
  get tls(): readonly UpstreamTls[] {
    return this.#all.map(({ tls }) => tls)
  }

  start(): void {
    for (const pool of this.#all) pool.start()
  }

  close(): void {
    for (const pool of this.#all) pool.close()
  }

  /** As one: the routes' upstreams behind the others, and what is counted summed up. */
  snapshot(): PoolSnapshot {
    const snapshots = this.#all.map(pool => pool.snapshot())
    return {
      balance: this.#default.snapshot().balance,
      upstreams: snapshots.flatMap(({ upstreams }) => upstreams),
      names: snapshots.flatMap(({ names }) => names),
      retries: snapshots.reduce((sum, { retries }) => sum + retries, 0),
    }
  }
}
