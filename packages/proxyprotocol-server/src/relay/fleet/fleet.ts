// What can fail comes first. Then each service changes in one turn of the event loop.

import { setImmediate as turn } from 'node:timers/promises'
import { isDeepStrictEqual } from 'node:util'
import type { CloseOptions, CloseResult } from 'proxyprotocol/server'
import { addressKey, type Service } from '../../config/index.ts'
import {
  type LiveConnection,
  type RelayTotals,
  type ServiceFigures,
  sumOfCloses,
} from '../../figures/index.ts'
import { shareOf, withConnectionLimit } from '../connection-limit.ts'
import type { ServiceRelay } from '../datagrams/index.ts'
import { Predecessors } from './predecessors.ts'
import type { Relay } from '../relay.ts'
import { slicer } from '../slicer.ts'
import { succeed } from './succession.ts'

/** Options of a fleet. */
export interface FleetOptions<R extends ServiceRelay = Relay> {
  /** Makes the relay of a service; it must not listen yet. */
  readonly create: (service: Service) => R | Promise<R>
  /** By default at the address of its service. */
  readonly listen?: ((relay: R) => Promise<unknown>) | undefined
}

/** The relays by how a change affected them. */
export interface FleetChange<R extends ServiceRelay = Relay> {
  readonly added: readonly R[]
  /** Those that have taken over a socket. */
  readonly changed: readonly R[]
  /** Those that stopped listening. */
  readonly removed: readonly R[]
  readonly unchanged: readonly R[]
}

/** The state of a fleet. */
export type FleetState = 'starting' | 'running' | 'draining'

interface Running<R> {
  readonly service: Service
  readonly relay: R
}

interface Move<R> extends Running<R> {
  readonly key: string
  readonly current: Running<R> | undefined
  readonly connections: number
}

/**
 * Runs the relays of many services, and changes them without losing a connection.
 *
 * @example
 * ```ts run
 * import { createRelay, Fleet, parseService } from 'proxyprotocol-server'
 *
 * const fleet = new Fleet({ create: service => createRelay(service) })
 * await fleet.apply([parseService('127.0.0.1:0', '192.0.2.1:8080')])
 * await fleet.apply([parseService('127.0.0.1:0', '192.0.2.2:8080')]) // the same socket, another upstream
 * await fleet.close()
 * ```
 */
export class Fleet<R extends ServiceRelay = Relay> {
  readonly #options: FleetOptions<R>
  #running = new Map<string, Running<R>>()
  #byName = new Map<string, R>()
  readonly #former = new Predecessors()
  #ending: Promise<unknown> = Promise.resolve() // relays end one after the other
  readonly #servers = new Set<R['server']>()
  readonly #names = new WeakMap<R['server'], string>()
  #state: FleetState = 'starting'
  #applying: Promise<FleetChange<R>> | undefined

  constructor(options: FleetOptions<R>) {
    this.#options = options
  }

  /** `draining` from the first call of `close()`. */
  get state(): FleetState {
    return this.#state
  }

  /** Those that listen, in the order of their services. */
  get relays(): readonly R[] {
    return [...this.#running.values()].map(({ relay }) => relay)
  }

  /** The servers of all relays that listen or have connections left. */
  get servers(): ReadonlySet<R['server']> {
    return this.#servers
  }

  /** Those of changed and removed services too. */
  get connections(): { readonly size: number } {
    return { size: [...this.#servers].reduce((sum, { connections }) => sum + connections.size, 0) }
  }

  /** Counters by service, over all its relays. They never go back, and removed services keep theirs. */
  totals(): ReadonlyMap<string, RelayTotals> {
    const all = [...this.#former.past(), ...this.figures()] // the latter include the former
    return new Map(all.map(({ name, totals }) => [name, totals]))
  }

  /** Each is read on demand, so that a reader of many services may pause. */
  *figures(): Generator<ServiceFigures> {
    for (const key of [...this.#running.keys()]) {
      const running = this.#running.get(key)
      if (running) yield this.#former.figures(running.relay)
    }
  }

  /** The open connections of a service, over all its relays. */
  *connectionsOf(service: string): Generator<LiveConnection> {
    yield* this.#former.connections(service)
    yield* this.#byName.get(service)?.connections() ?? []
  }

  /** The name of a server's service. */
  nameOf(server: R['server']): string | undefined {
    return this.#names.get(server)
  }

  /**
   * Replaces the services, completely or not at all. Unchanged relays stay. A changed one hands its socket to its
   * successor, and its connections continue. A removed one closes its connections by `options`.
   *
   * @throws what `create` or `listen` threw, or an Error during a drain or another change.
   */
  async apply(services: readonly Service[], options: CloseOptions = {}): Promise<FleetChange<R>> {
    if (this.#state === 'draining') throw new Error('apply() needs a fleet that is not draining')
    if (this.#applying) throw new Error('apply() needs the change before it to be over')
    this.#applying = this.#change(services, options).finally(() => {
      this.#applying = undefined
    })
    return this.#applying
  }

  /** Closes all servers; never rejects because of a client. */
  async close(options: CloseOptions = {}): Promise<CloseResult> {
    this.#state = 'draining'
    await this.#applying?.catch(() => undefined) // the caller of apply() gets the error
    return sumOfCloses(await Promise.all([...this.#servers].map(server => server.close(options))))
  }

  /** Ends all connections at once. */
  async abort(): Promise<void> {
    this.#state = 'draining'
    await this.#applying?.catch(() => undefined) // as above
    await Promise.all([...this.#servers].map(server => server.abort()))
  }

  async #change(services: readonly Service[], options: CloseOptions): Promise<FleetChange<R>> {
    const moves: Move<R>[] = []
    const share = shareOf(services)
    const { create, listen = (relay: R) => relay.listen() } = this.#options
    try {
      const pause = slicer()
      for (const { key, service, current } of this.#placed(services)) {
        await pause()
        const same = isDeepStrictEqual(current?.service, service)
        const relay = current && same ? current.relay : await create(withConnectionLimit(service, share))
        moves.push({ key, service, current, relay, connections: service.limits.connections ?? share })
      }
      for (const { relay, current } of moves) if (!current) await listen(relay)
      if (this.#state === 'draining') throw new Error('the fleet was closed before it could change')
      const lost = moves.find(({ current }) => current && !listens(current))
      if (lost) throw new Error(`the service ${lost.service.name} has stopped listening in the meantime`)
    } catch (error) {
      await Promise.all(moves.filter(isNew).map(({ relay }) => relay.server.abort()))
      throw error
    }
    const change = await this.#swap(moves, options)
    // Their addresses are free afterwards, also for the next change.
    if (!options.readyDelay) while (change.removed.some(hasAddress)) await turn()
    return change
  }

  /** Those with port 0 are paired in order. */
  #placed(services: readonly Service[]): readonly Omit<Move<R>, 'relay' | 'connections'>[] {
    const seen = new Map<string, number>()
    return services.map(service => {
      const address = addressKey(service.listen)
      const count = (seen.get(address) ?? 0) + 1
      seen.set(address, count)
      const key = `${address}#${String(count)}`
      const current = this.#running.get(key)
      return { key, service, current: current && listens(current) ? current : undefined }
    })
  }

  /** Nothing in here fails. */
  async #swap(moves: readonly Move<R>[], options: CloseOptions): Promise<FleetChange<R>> {
    const kept = new Set(moves.map(({ current }) => current?.relay))
    const removed = this.relays.filter(relay => !kept.has(relay))
    const pause = slicer()
    this.#running = new Map(this.#running)
    for (const move of moves) {
      await pause()
      this.#move(move)
    }
    if (this.#state === 'starting') this.#state = 'running'
    for (const relay of removed) this.#retire(relay, relay.server.close(options))
    this.#running = new Map(moves.map(({ key, service, relay }) => [key, { service, relay }]))
    this.#byName = new Map(moves.map(({ service, relay }) => [service.name, relay]))
    return {
      added: moves.filter(({ current }) => !current).map(({ relay }) => relay),
      changed: moves.filter(move => move.current && isNew(move)).map(({ relay }) => relay),
      removed,
      unchanged: moves.filter(move => !isNew(move)).map(({ relay }) => relay),
    }
  }

  #move({ key, service, relay, current, connections }: Move<R>): void {
    succeed(relay, current?.relay ?? this.#byName.get(service.name), connections)
    this.#running.set(key, { service, relay })
    this.#byName.set(service.name, relay)
    this.#servers.add(relay.server)
    this.#names.set(relay.server, service.name)
    if (current === undefined || current.relay === relay) return
    const { server } = current.relay
    // What has stopped listening since the check is made anew by the next change.
    this.#retire(current.relay, listens(current) ? server.handOver(relay.server) : server.close())
  }

  #retire(relay: R, ended: Promise<CloseResult>): void {
    this.#former.add(relay)
    void ended.then(() => {
      if (relay.server.connections.size > 0) return // its stuck handlers stay visible
      this.#ending = this.#ending.then(async () => {
        await turn()
        await this.#former.end(relay)
        this.#servers.delete(relay.server)
      })
    })
  }
}

function listens({ relay }: Running<ServiceRelay>): boolean {
  return relay.server.state === 'listening' && hasAddress(relay)
}

function hasAddress({ server }: Pick<ServiceRelay, 'server'>): boolean {
  return server.address !== null
}

function isNew({ relay, current }: Move<ServiceRelay>): boolean {
  return relay !== current?.relay
}
