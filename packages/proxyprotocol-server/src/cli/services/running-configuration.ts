// The configuration that a program runs by: made real by a fleet, said in the log, and read again on request. What is wrong
// with a new one leaves the old one running.

import type { AddressInfo } from 'node:net'
import { isDeepStrictEqual } from 'node:util'
import type { CloseResult } from 'proxyprotocol/server'
import { addressKey, ConfigError, type Configuration, type Service } from '../../config/index.ts'
import { type LogFields, showAddress } from '../../log/index.ts'
import { Fleet, type FleetChange, type Relay } from '../../relay/index.ts'
import { type Drainable, explain, log, PlainError, type ProgramIo } from '../program.ts'
import type { InheritedSocket } from './inherited-sockets.ts'

/** Services by what became of them at a change. */
export type ChangeCounts = { readonly [Kind in keyof FleetChange]: number }

/** What a running configuration is told by its program. */
export interface RunningInit {
  readonly first: Configuration
  /** Makes the relay of a service. */
  readonly create: (service: Service) => Relay
  /** Sockets that listen already, by the names of the first services. */
  readonly sockets: ReadonlyMap<string, InheritedSocket>
  /** What the log says of a service. */
  readonly describe: (service: Service) => LogFields
}

export class RunningConfiguration implements Drainable {
  readonly fleet: Fleet
  readonly #io: ProgramIo
  readonly #init: RunningInit
  #current: Configuration
  /** Those that nobody listens at yet, by the names of their services. */
  readonly #sockets: Map<string, InheritedSocket>

  constructor(io: ProgramIo, init: RunningInit) {
    this.#io = io
    this.#init = init
    this.#current = init.first
    this.#sockets = new Map(init.sockets)
    io.log.format = init.first.log.format
    this.fleet = new Fleet({ create: init.create, listen: relay => this.#listen(relay) })
  }

  /** The one that holds. */
  get current(): Configuration {
    return this.#current
  }

  get connections(): { readonly size: number } {
    return this.fleet.connections
  }

  /** Makes the first configuration real. */
  async start(): Promise<void> {
    await this.#apply(this.#current)
  }

  /**
   * Makes what the configuration is by now real, or says in the log why it cannot. Never rejects.
   *
   * @param reread reads the configuration again; throws where it is wrong.
   */
  async reload(reread: () => Configuration): Promise<void> {
    if (this.fleet.state === 'draining') return
    try {
      logReload(this.#io, await this.change(reread()))
    } catch (error) {
      log(this.#io, 'reload-failed', [['error', explain(error)]])
    }
  }

  /** Puts another configuration in the place of this one; rejects where that cannot be, and nothing has changed then. */
  async change(next: Configuration): Promise<ChangeCounts> {
    const { added, changed, removed, unchanged } = await this.#apply(next)
    this.#current = next
    return {
      added: added.length,
      changed: changed.length,
      removed: removed.length,
      unchanged: unchanged.length,
    }
  }

  /** Ends it as it says itself. */
  close(): Promise<CloseResult> {
    return this.fleet.close(this.#current.shutdown)
  }

  async #apply(next: Configuration): Promise<FleetChange> {
    const { services, shutdown, log: settings } = next
    refuseWithoutRestart(this.#current, next)
    const { drain } = shutdown
    const change = await this.fleet.apply(services, { drain })
    this.#io.log.format = settings.format
    for (const relay of change.added) this.#say('listening', relay)
    for (const relay of change.changed) this.#say('changed', relay)
    for (const { service } of change.removed) log(this.#io, 'removed', [['service', service.name]])
    return change
  }

  /** A socket that was inherited is listened at once; what comes to its address later is bound as usual. */
  async #listen(relay: Relay): Promise<void> {
    const { service, server } = relay
    const socket = this.#sockets.get(service.name)
    this.#sockets.delete(service.name)
    try {
      await (socket ? server.listen({ fd: socket.fd }, service.backlog) : relay.listen())
    } catch (error) {
      throw naming(service, error)
    }
  }

  #say(event: string, { server, service }: Relay): void {
    const address = server.address as AddressInfo | string // it has just begun to listen
    log(this.#io, event, [['address', showAddress(address)], ...this.#init.describe(service)])
  }
}

/** Says that the program runs by another configuration now. */
export function logReload(io: ProgramIo, counts: ChangeCounts): void {
  log(io, 'reloaded', Object.entries(counts))
}

/** What keeps a service from listening, with its name. */
export function naming({ name }: Service, cause: unknown): PlainError {
  return new PlainError(`service ${JSON.stringify(name)}: ${explain(cause)}`, { cause })
}

/** Refuses what is settled when the program starts. */
export function refuseWithoutRestart(now: Configuration, next: Configuration): void {
  if (!isDeepStrictEqual(next.admin, now.admin)) {
    throw new ConfigError(
      'the admin listener stays as it is while the program runs: restart it for another one',
    )
  }
  if (next.workers !== now.workers) {
    throw new ConfigError(
      'the number of workers stays as it is while the program runs: restart it for another one',
    )
  }
  for (const [index, service] of next.services.entries()) {
    const isThere = (each: Service): boolean => addressKey(each.listen) === addressKey(service.listen)
    const nth = next.services.slice(0, index).filter(isThere).length // at ports of the system's choice there may be several
    const before = now.services.filter(isThere)[nth]
    if (before) refuseOtherSocket(before, service)
  }
}

/** A listening socket stays over a reload, and the system gives it neither another backlog nor another family. */
function refuseOtherSocket(now: Service, next: Service): void {
  for (const key of ['backlog', 'ipv6Only'] as const) {
    if (next[key] === now[key]) continue
    throw new ConfigError(
      `service ${JSON.stringify(next.name)}: ${key} must be ${String(now[key])} as long as its socket is open, ` +
        `got ${String(next[key])}; restart the program`,
    )
  }
}
