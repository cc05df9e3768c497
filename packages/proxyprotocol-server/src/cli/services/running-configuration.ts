// The configuration in force: a fleet applies it, the log reports it, and a reload replaces it.

import type { AddressInfo } from 'node:net'
import { isDeepStrictEqual } from 'node:util'
import { type CloseResult, ProxyServer } from 'proxyprotocol/server'
import { addressKey, ConfigError, type Configuration, type Service } from '../../config/index.ts'
import { type LogFields, showAddress } from '../../log/index.ts'
import { Fleet, type FleetChange, type ServiceRelay } from '../../relay/index.ts'
import { type Drainable, explain, log, PlainError, type ProgramIo } from '../program.ts'
import type { InheritedSocket } from './inherited-sockets.ts'

export type ChangeCounts = { readonly [Kind in keyof FleetChange]: number }

export interface RunningInit {
  readonly first: Configuration
  readonly create: (service: Service) => ServiceRelay | Promise<ServiceRelay>
  readonly sockets: ReadonlyMap<string, InheritedSocket>
  readonly describe: (relay: ServiceRelay) => LogFields
  /** For lines about services that this process alone serves. */
  readonly own?: ProgramIo | undefined
}

export class RunningConfiguration implements Drainable {
  readonly fleet: Fleet<ServiceRelay>
  readonly #io: ProgramIo
  readonly #init: RunningInit
  #current: Configuration
  readonly #sockets: Map<string, InheritedSocket>

  constructor(io: ProgramIo, init: RunningInit) {
    this.#io = io
    this.#init = init
    this.#current = init.first
    this.#sockets = new Map(init.sockets)
    io.log.format = init.first.log.format
    this.fleet = new Fleet({ create: init.create, listen: relay => this.#listen(relay) })
  }

  get current(): Configuration {
    return this.#current
  }

  get connections(): { readonly size: number } {
    return this.fleet.connections
  }

  async start(): Promise<void> {
    await this.#apply(this.#current)
  }

  async change(
    next: Configuration,
    isCounted: (service: Service) => boolean = () => true,
  ): Promise<ChangeCounts> {
    const change = await this.#apply(next)
    this.#current = next
    const count = (relays: readonly ServiceRelay[]): number =>
      relays.filter(({ service }) => isCounted(service)).length
    return {
      added: count(change.added),
      changed: count(change.changed),
      removed: count(change.removed),
      unchanged: count(change.unchanged),
    }
  }

  close(): Promise<CloseResult> {
    return this.fleet.close(this.#current.shutdown)
  }

  async #apply(next: Configuration): Promise<FleetChange<ServiceRelay>> {
    const { services, shutdown, log: settings } = next
    refuseWithoutRestart(this.#current, next)
    const { drain } = shutdown
    const change = await this.fleet.apply(services, { drain })
    this.#io.log.format = settings.format
    for (const relay of change.added) this.#say('listening', relay)
    for (const relay of change.changed) this.#say('changed', relay)
    for (const { service } of change.removed) {
      const io = this.#ioOf(service)
      log(io, 'removed', [['service', service.name]])
    }
    return change
  }

  /** An inherited socket is used once; a later service at its address binds it. */
  async #listen(relay: ServiceRelay): Promise<void> {
    const { service, server } = relay
    const socket = this.#sockets.get(service.name)
    this.#sockets.delete(service.name)
    try {
      await (socket && server instanceof ProxyServer
        ? server.listen({ fd: socket.fd }, service.backlog)
        : relay.listen())
    } catch (error) {
      throw naming(service, error)
    }
  }

  #say(event: string, relay: ServiceRelay): void {
    const { server, service } = relay
    const address = server.address as AddressInfo | string // it has just begun to listen
    log(this.#ioOf(service), event, [['address', showAddress(address)], ...this.#init.describe(relay)])
  }

  #ioOf({ datagrams }: Service): ProgramIo {
    const { own = this.#io } = this.#init
    return datagrams ? own : this.#io
  }
}

export function naming({ name }: Service, cause: unknown): PlainError {
  return new PlainError(`service ${JSON.stringify(name)}: ${explain(cause)}`, { cause })
}

export function refuseWithoutRestart(now: Configuration, next: Configuration): void {
  const fixed = {
    admin: 'admin listener',
    control: 'control socket',
    workers: 'number of workers',
    dataPlane: 'data plane',
  } as const
  for (const [key, what] of Object.entries(fixed) as [keyof typeof fixed, string][]) {
    if (isDeepStrictEqual(next[key], now[key])) continue
    throw new ConfigError(`the ${what} stays as it is while the program runs: restart it for another one`)
  }
  const before = new Map<string, Service[]>() // with port 0 there may be several at an address
  for (const service of now.services) {
    const key = addressKey(service.listen)
    before.set(key, [...(before.get(key) ?? []), service])
  }
  for (const service of next.services) {
    const current = before.get(addressKey(service.listen))?.shift()
    if (current) refuseOtherSocket(current, service)
  }
}

/** A listening socket stays over a reload, with its backlog and family. */
function refuseOtherSocket(now: Service, next: Service): void {
  for (const key of ['backlog', 'ipv6Only'] as const) {
    if (next[key] === now[key]) continue
    throw new ConfigError(
      `service ${JSON.stringify(next.name)}: ${key} must be ${String(now[key])} as long as its socket is open, ` +
        `got ${String(next[key])}; restart the program`,
    )
  }
}
