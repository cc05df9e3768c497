// All upstreams of a service: the default ones, and those of its routes by server name.

import { branchesOf, type Pool, type RouteSettings, type Service } from '../config/index.ts'
import type { QueueFigures, RoutedUpstream } from '../figures/index.ts'
import { slicer } from './slicer.ts'
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
export interface RoutedUpstreams extends Omit<PoolSnapshot, 'queued' | 'queueSize'> {
  readonly upstreams: readonly RoutedUpstream[]
  readonly queues: readonly QueueFigures[]
}

export interface PoolsOptions extends PoolContext {
  /** Called when an upstream or member goes down or up. */
  readonly onUpstream?: ((event: RoutedEvent) => void) | undefined
}

type PoolsOfService = RouteSettings & Pick<Service, 'passthrough' | 'tls'>

export class UpstreamPools {
  readonly #all = new Map<Pool, UpstreamPool>()
  readonly #routes = new Map<UpstreamPool, string>()
  readonly #balance: Pool['balance']

  private constructor({ pool }: PoolsOfService) {
    this.#balance = pool.balance
  }

  static of(service: PoolsOfService, options: PoolsOptions): UpstreamPools {
    const pools = new UpstreamPools(service)
    for (const branch of allOf(service)) pools.#add(branch, options)
    return pools
  }

  static async inSlices(service: PoolsOfService, options: PoolsOptions): Promise<UpstreamPools> {
    const [pools, pause] = [new UpstreamPools(service), slicer()]
    for (const branch of allOf(service)) {
      await pause()
      pools.#add(branch, options)
    }
    return pools
  }

  /** The upstreams of the service, or of one of its branches. */
  of(pool: Pool): UpstreamPool {
    return this.#all.get(pool) as UpstreamPool // all of the service have been made
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
    UpstreamPool.inherit([...this.#all.values()], [...other.#all.values()])
  }

  snapshot(): RoutedUpstreams {
    return this.#together([...this.#snapshots()])
  }

  async snapshotInSlices(): Promise<RoutedUpstreams> {
    const [all, pause] = [[] as RoutedSnapshot[], slicer()]
    for (const snapshot of this.#snapshots()) {
      await pause()
      all.push(snapshot)
    }
    return this.#together(all)
  }

  #add({ label: route, pool, timeouts }: Labelled, { resolver, now, onUpstream }: PoolsOptions): void {
    const made = new UpstreamPool(pool, {
      ...{ resolver, now, patience: timeouts.connect },
      onUpstream: event => onUpstream?.({ ...event, route }),
    })
    this.#all.set(pool, made)
    this.#routes.set(made, route)
  }

  *#snapshots(): Generator<RoutedSnapshot> {
    for (const [pool, route] of this.#routes) yield { route, ...pool.snapshot() }
  }

  #together(snapshots: readonly RoutedSnapshot[]): RoutedUpstreams {
    return {
      balance: this.#balance,
      upstreams: snapshots.flatMap(({ route, upstreams }) => upstreams.map(each => ({ ...each, route }))),
      names: snapshots.flatMap(({ names }) => names),
      queues: snapshots.map(({ route, queued, queueSize }) => ({ route, waiting: queued, size: queueSize })),
    }
  }
}

type Labelled = Pick<RouteSettings, 'pool' | 'timeouts'> & { readonly label: string }

interface RoutedSnapshot extends PoolSnapshot {
  readonly route: string
}

function allOf(service: PoolsOfService): readonly Labelled[] {
  return [{ label: DEFAULT_ROUTE, ...service }, ...branchesOf(service)]
}
