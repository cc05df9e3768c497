// A relay for a service of datagrams: each client's flow goes to one upstream, and each datagram behind a header.

import type { AddressInfo } from 'node:net'
import type { Endpoint } from 'proxyprotocol'
import type { FlowEnd } from 'proxyprotocol/udp'
import type { DatagramSettings, Service, UdpAddress } from '../../config/index.ts'
import {
  type DatagramFigures,
  type DirectionCounts,
  type LiveConnection,
  noTotals,
} from '../../figures/index.ts'
import type { AccessCounts } from '../access/index.ts'
import { withConnectionLimit } from '../connection-limit.ts'
import type { ServiceRelay } from './service-relay.ts'
import { type PoolsOptions, UpstreamPools } from '../upstream-pools.ts'
import type { UpstreamPool } from '../upstreams/index.ts'
import { Admission } from './admission.ts'
import { ClientPort } from './client-port.ts'
import { DatagramServer, type DatagramServerOptions } from './datagram-server.ts'
import type { RelayedFlow } from './relayed-flow.ts'
import { flowLimit } from './flow-limit.ts'
import { datagramReader, headerBytes } from './headers/index.ts'
import { KernelDrops } from './kernel-drops.ts'
import { liveFlows } from './live-flows.ts'
import { isLoop, refuseLoops } from './loops.ts'
import { Tally } from './tally.ts'
import { ownWay, SharedWays } from './ways.ts'

/** A flow at its end. */
export interface FlowRecord {
  readonly peer: Endpoint
  readonly source: Endpoint
  readonly destination: Endpoint | undefined
  /** Undefined if it reached none. */
  readonly upstream: string | undefined
  readonly upstreamAddress: Endpoint | undefined
  readonly up: DirectionCounts
  readonly down: DirectionCounts
  readonly reason: FlowEnd
  /** Milliseconds since its first datagram. */
  readonly age: number
}

export interface DatagramRelayOptions extends PoolsOptions {
  /** Called at the end of each flow. */
  readonly onEnded?: ((record: FlowRecord) => void) | undefined
  /** Called with a fault of the listening socket. */
  readonly onError?: ((error: unknown) => void) | undefined
}

/** @throws ConfigError naming a file that cannot be used. */
export class DatagramRelay implements ServiceRelay {
  readonly server: DatagramServer
  readonly listings = undefined
  readonly #options: DatagramRelayOptions
  readonly #pools: UpstreamPools
  readonly #admission: Admission
  readonly #tally = new Tally()
  readonly #shared = new SharedWays(this.#tally)
  readonly #now: () => number
  readonly #kernelDrops = new KernelDrops()
  #service: Service

  constructor(service: Service, options: DatagramRelayOptions = {}) {
    const { now = () => performance.now() } = options
    this.#service = withConnectionLimit(service)
    this.#options = options
    this.#now = now
    this.#pools = UpstreamPools.of(service, options)
    this.#admission = new Admission(service, now)
    this.server = new DatagramServer(this.#serving())
  }

  get service(): Service {
    return this.#service
  }

  inherit(other: DatagramRelay): void {
    this.#pools.inherit(other.#pools)
  }

  async listen(): Promise<AddressInfo> {
    refuseLoops(this.#service)
    return this.server.listen()
  }

  limitConnections(connections: number): void {
    const { limits } = this.#service
    this.#service = { ...this.#service, limits: { ...limits, connections } }
    this.server.limitFlows(flowLimit(this.#service))
  }

  readonly totals = (): typeof noTotals => noTotals
  readonly connections = (): Iterable<LiveConnection> => liveFlows(this.server.connections)
  readonly gate = (): ReturnType<Admission['figures']> => this.#admission.figures()
  readonly certificates = (): readonly never[] => []
  readonly upstreams = (): ReturnType<UpstreamPools['snapshot']> => this.#pools.snapshot()

  readonly datagrams = (): DatagramFigures => {
    const { address, figures } = this.server
    return { ...figures, kernelDrops: address ? this.#kernelDrops.view(address, this.#now()) : undefined }
  }

  reloadCertificates(): boolean {
    return false // datagrams carry no TLS that ends here
  }

  renewTicketKeys(): void {
    // as above
  }

  reloadNetworks(): AccessCounts | undefined {
    return this.#admission.reload()
  }

  #serving(): DatagramServerOptions {
    const { accepts, limits, listen, ipv6Only, datagrams } = this.#service
    const { flow, confirmed, replies, replyFactor } = datagrams as DatagramSettings // a service of UDP has them
    const limit = flowLimit(this.#service)
    const now = this.#now
    const { onEnded, onError = () => undefined } = this.#options
    const reading = { accepts, maxHeaderBytes: limits.headerBytes, limit, timeout: confirmed }
    return {
      ...{ replies, replyFactor, now, admission: this.#admission, tally: this.#tally, onError },
      reader: datagramReader(reading),
      flows: {
        ...{ flows: limit, perSource: limits.perSource, evicts: true },
        ...{ newTimeout: flow, confirmedTimeout: confirmed },
      },
      bind: () => ClientPort.bind({ listen: listen as UdpAddress, ipv6Only, onError }), // as above
      start: (started, local) => void this.#start(started, local), // never rejects
      onEnd: (ended, reason) => {
        if (reason === 'connect_refused' && ended.member) this.#pool.doubt(ended.member)
        onEnded?.(this.#recordOf(ended, reason))
      },
      onListening: () => {
        this.#pools.start()
      },
      onHandedOver: () => {
        this.#pools.close()
      },
      onClosed: () => {
        this.#pools.close()
        this.#shared.close()
      },
    }
  }

  get #pool(): UpstreamPool {
    return this.#pools.of(this.#service.pool)
  }

  async #start(flow: RelayedFlow, local: AddressInfo): Promise<void> {
    const { source } = flow.announced
    const member = await this.#pool.member(source)
    if (member === undefined || flow.hasEnded() || isLoop(member, local)) return flow.end('aborted')
    member.beginFlow()
    try {
      const { header } = member.settings
      const head = headerBytes(header, flow.announced, { local, pass: this.#service.pass })
      const way = await (header === 'spp'
        ? this.#shared.open(flow, member, head)
        : ownWay(this.#tally, flow, member, head))
      return flow.opened(way)
    } catch (error) {
      member.missed(error)
      this.#pool.doubt(member)
      member.endFlow()
      flow.end('aborted')
    }
  }

  #recordOf({ peer, announced, member, counts, age }: RelayedFlow, reason: FlowEnd): FlowRecord {
    const { source, destination } = announced
    return {
      peer,
      source,
      destination,
      upstream: member?.settings.name,
      upstreamAddress: member?.endpoint,
      ...counts,
      reason,
      age,
    }
  }
}
