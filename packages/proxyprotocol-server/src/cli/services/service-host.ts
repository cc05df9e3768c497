// The services of one process, the program's own or a worker's: relays, log lines and certificates.

import { setImmediate as turn } from 'node:timers/promises'
import { type CloseResult, type Connection, descriptorLimit } from 'proxyprotocol/server'
import type { Configuration, Service } from '../../config/index.ts'
import type { LogFields } from '../../log/index.ts'
import {
  createRelayInSlices,
  DatagramRelay,
  flowLimit,
  localPorts,
  type RelayOptions,
  type RoutedEvent,
  sentTo,
  type ServiceRelay,
  upstreamsOf,
} from '../../relay/index.ts'
import { type Drainable, logFailure, type ProgramIo } from '../program.ts'
import { type Shown, shownOf } from './admin.ts'
import { closeConnections, type ConnectionFilter } from './close-connections.ts'
import { ConnectionLog } from './connection-log.ts'
import { FileWatch } from './file-watch.ts'
import type { InheritedSocket } from './inherited-sockets.ts'
import { type ChangeCounts, RunningConfiguration } from './running-configuration.ts'
import { logUpstream } from './upstream-log.ts'

export interface Serving extends Drainable {
  readonly shown: Shown
  start(): Promise<void>
  readonly isEnding: boolean
  /** All of it, in all workers, or none. */
  change(next: Configuration): Promise<ChangeCounts>
  /** Resets connections, and resolves with their number. */
  closeConnections(filter: ConnectionFilter): Promise<number>
  renew(): void
  /** Never rejects. */
  renewTicketKeys(secret: Uint8Array): Promise<void>
  stop(): Promise<void>
}

export interface HostOptions {
  readonly ticketSecret: Uint8Array
  readonly sockets: ReadonlyMap<string, InheritedSocket>
  readonly tellTo?: ProgramIo | undefined
}

export class ServiceHost implements Serving {
  readonly shown: Shown
  readonly #running: RunningConfiguration
  readonly #files: FileWatch
  readonly #log: ConnectionLog
  #ticketSecret: Uint8Array

  constructor(io: ProgramIo, first: Configuration, { ticketSecret, sockets, tellTo = io }: HostOptions) {
    this.#ticketSecret = ticketSecret
    this.#log = new ConnectionLog(io, () => this.#running.current.log.quiet)
    const { dataPlane } = first
    const given = { connections: this.#log, dataPlane, ticketSecret: () => this.#ticketSecret }
    const create = (service: Service): ServiceRelay | Promise<ServiceRelay> =>
      service.datagrams ? datagramRelayFor(service, this.#log, io) : relayFor(service, given, io)
    this.#running = new RunningConfiguration(tellTo, {
      ...{ first, create, sockets, describe: describeRelay },
      own: io,
    })
    const { fleet } = this.#running
    this.shown = shownOf(io, fleet, {
      needs: first.admin?.readyNeeds,
      refusals: () => this.#log.refusals.list,
    })
    this.#files = new FileWatch(tellTo, () => fleet.relays)
  }

  get connections(): { readonly size: number } {
    return this.#running.connections
  }

  get isEnding(): boolean {
    return this.#running.fleet.state === 'draining'
  }

  async start(): Promise<void> {
    await this.#running.start()
    this.#files.watch()
  }

  change(next: Configuration, isCounted?: (service: Service) => boolean): Promise<ChangeCounts> {
    return this.#running.change(next, isCounted)
  }

  closeConnections(filter: ConnectionFilter): Promise<number> {
    return Promise.resolve(closeConnections(this.#running.fleet, filter))
  }

  renew(): void {
    void this.#files.renew() // it never rejects
  }

  async renewTicketKeys(secret: Uint8Array): Promise<void> {
    this.#ticketSecret = secret
    for (const relay of this.#running.fleet.relays) {
      relay.renewTicketKeys()
      await turn()
    }
  }

  close(): Promise<CloseResult> {
    return this.#running.close()
  }

  async stop(): Promise<void> {
    await this.#running.fleet.abort()
    this.#log.stop()
    this.#files.stop()
  }
}

interface Given extends Pick<RelayOptions, 'dataPlane' | 'ticketSecret'> {
  readonly connections: ConnectionLog
}

async function relayFor(
  service: Service,
  { connections, dataPlane, ticketSecret }: Given,
  io: ProgramIo,
): Promise<ServiceRelay> {
  const relay = await createRelayInSlices(service, {
    dataPlane,
    ticketSecret,
    onClosed: record => {
      connections.closed(service, record)
    },
    ...told(service, io),
  })
  connections.watch(relay)
  return relay
}

function datagramRelayFor(service: Service, flows: ConnectionLog, io: ProgramIo): ServiceRelay {
  return new DatagramRelay(service, {
    onEnded: record => {
      flows.ended(service, record)
    },
    ...told(service, io),
  })
}

interface Told {
  onUpstream(event: RoutedEvent): void
  onError(error: unknown, connection?: Connection): void
}

function told({ name }: Service, io: ProgramIo): Told {
  return {
    onUpstream: event => {
      logUpstream(io, name, event)
    },
    onError: (error, connection) => {
      logFailure(io, error, connection)
    },
  }
}

function describeRelay({ service, plane }: ServiceRelay): LogFields {
  const { accepts, access, rate } = service
  return [
    ['service', service.name],
    ['upstream', upstreamsOf(service)],
    ['sends', sentTo(service)],
    ['expects', accepts?.version],
    ['trust', accepts && [accepts.trust].flat().join(',')],
    ['allow', access?.allow?.join(',')],
    ['deny', access?.deny.join(',')],
    ['rate', rate && `${String(rate.connections)}/${String(rate.per)}ms`],
    ...(service.datagrams ? describeFlows(service) : describeConnections(service)),
    ['plane', plane?.()],
  ]
}

function describeConnections({ accepts, limits, timeouts }: Service): LogFields {
  return [
    ['headerTimeout', accepts && timeouts.header],
    ['connections', limits.connections],
    ['connectTimeout', timeouts.connect],
    ['idleTimeout', timeouts.idle],
    ['halfCloseTimeout', timeouts.halfClose],
  ]
}

/** A flow takes an open file and a local port, and their limits may be lower than that on flows. */
function describeFlows(service: Service): LogFields {
  return [
    ['flows', flowLimit(service)],
    ['openFiles', descriptorLimit()],
    ['localPorts', localPorts()],
    ['flowTimeout', service.datagrams?.flow],
    ['confirmedTimeout', service.datagrams?.confirmed],
  ]
}
