// The flows of one service, behind the socket that clients send to.

import type { RemoteInfo } from 'node:dgram'
import type { AddressInfo } from 'node:net'
import type { CloseOptions, CloseResult, ServerState } from 'proxyprotocol/server'
import { type DropReason, type FlowEnd, type FlowSettings, FlowTable } from 'proxyprotocol/internal/udp'
import type { DatagramFigures } from '../../figures/index.ts'
import type { ServiceServer } from './service-relay.ts'
import type { Admission } from './admission.ts'
import type { ClientPort } from './client-port.ts'
import { Ending } from './ending.ts'
import { RelayedFlow, type FlowContext } from './relayed-flow.ts'
import type { Announced, ClientDatagram, Reader } from './headers/index.ts'
import type { Tally } from './tally.ts'

export interface DatagramServerOptions extends Pick<FlowContext, 'replies' | 'replyFactor'> {
  readonly reader: Reader
  readonly admission: Admission
  readonly tally: Tally
  readonly flows: FlowSettings
  readonly now: () => number
  readonly bind: () => Promise<ClientPort>
  /** Finds an upstream, and gives the flow its way. */
  readonly start: (flow: RelayedFlow, local: AddressInfo) => void
  readonly onEnd: (flow: RelayedFlow, reason: FlowEnd) => void
  readonly onListening: () => void
  readonly onHandedOver: () => void
  readonly onClosed: () => void
}

export class DatagramServer implements ServiceServer {
  readonly #options: DatagramServerOptions
  readonly #table: FlowTable<RelayedFlow>
  readonly #ending: Ending
  readonly #formers = new Set<DatagramServer>()
  #port: ClientPort | undefined
  #isEnding = false
  #limits: FlowSettings

  constructor(options: DatagramServerOptions) {
    this.#options = options
    this.#limits = options.flows
    this.#table = new FlowTable(options.flows, this.#onEnd)
    this.#ending = new Ending({
      size: () => this.#table.size,
      endAll: reason => {
        this.#table.close(reason)
      },
      onOver: () => {
        this.#over()
      },
    })
  }

  /** The flows. */
  get connections(): Iterable<RelayedFlow> & { readonly size: number } {
    const table = this.#table
    return { size: table.size, [Symbol.iterator]: () => table.values() }
  }

  get state(): ServerState {
    if (this.#isEnding) return this.#ending.isOver ? 'closed' : 'draining'
    return this.#port ? 'listening' : 'idle'
  }

  get address(): AddressInfo | null {
    return this.#port && this.#ending.acceptsFlows ? this.#port.address : null
  }

  get figures(): Omit<DatagramFigures, 'kernelDrops'> {
    return this.#options.tally.figures(this.#table.stats())
  }

  limitFlows(flows: number): void {
    this.#limits = { ...this.#limits, flows }
  }

  async listen(): Promise<AddressInfo> {
    const port = await this.#options.bind()
    if (this.#isEnding) {
      port.release()
      throw new Error('the server was closed before it could listen')
    }
    this.#serveAt(port)
    return port.address
  }

  close(options: CloseOptions = {}): Promise<CloseResult> {
    this.#isEnding = true
    this.#ending.close(options)
    return this.#ending.result
  }

  abort(): Promise<CloseResult> {
    this.#isEnding = true
    this.#ending.abort()
    return this.#ending.result
  }

  handOver(successor: DatagramServer): Promise<CloseResult> {
    const port = this.#port as ClientPort // a fleet hands over only what listens
    port.retain()
    this.#isEnding = true
    for (const former of [this, ...this.#formers]) successor.#formers.add(former)
    const { firsts } = this.#options.reader
    if (firsts) successor.#options.reader.firsts?.inherit(firsts)
    this.#options.onHandedOver()
    successor.#serveAt(port)
    this.#ending.handedOver()
    return this.#ending.result
  }

  #serveAt(port: ClientPort): void {
    this.#port = port
    port.receive = this.#receive
    this.#options.onListening()
  }

  readonly #receive = (bytes: Buffer, peer: RemoteInfo): void => {
    for (const former of this.#formers) {
      if (former.#ending.isOver) this.#formers.delete(former)
      else if (former.#continues(bytes, peer)) return
    }
    const { tally, reader } = this.#options
    tally.received()
    const datagram = reader.read(bytes, peer)
    const dropped = typeof datagram === 'string' ? datagram : this.#take(datagram, peer)
    if (dropped) tally.dropped(dropped)
  }

  /** True if the datagram is of a flow that began before a reload. */
  #continues(bytes: Buffer, peer: RemoteInfo): boolean {
    const { tally, reader } = this.#options
    const datagram = reader.readKnown(bytes, peer)
    const flow = typeof datagram === 'object' && this.#table.find(keyOf(peer, datagram.announced))
    if (!flow) return false
    tally.received()
    flow.send(datagram.payload)
    return true
  }

  #take({ announced, payload, isHeaderOnly }: ClientDatagram, peer: RemoteInfo): DropReason | undefined {
    if (isHeaderOnly) {
      this.#options.tally.accepted()
      return undefined
    }
    const key = keyOf(peer, announced)
    const known = this.#table.find(key)
    if (known) {
      known.send(payload)
      return undefined
    }
    const { admission } = this.#options
    if (!this.#ending.acceptsFlows) return 'draining'
    const fault = admission.fault(peer, announced)
    if (fault) return fault
    const flow = this.#flowOf(key, announced, peer)
    const perSource = admission.isExempt(announced) ? Infinity : this.#limits.perSource
    this.#table.settings = { ...this.#limits, perSource }
    const limit = this.#table.add(flow)
    if (limit) return limit
    this.#options.start(flow, this.#portInUse.address)
    flow.send(payload)
    return undefined
  }

  #flowOf(key: string, announced: Announced, { address, port }: RemoteInfo): RelayedFlow {
    const { tally, replies, replyFactor, now, reader } = this.#options
    const onAnswer = (flow: RelayedFlow): void => {
      this.#table.answered(flow)
      reader.firsts?.answered(flow.peer)
    }
    const end = (flow: RelayedFlow, reason: FlowEnd): void => {
      this.#table.end(flow, reason)
    }
    const context = { port: this.#portInUse, tally, replies, replyFactor, now, onAnswer, end }
    return new RelayedFlow({ key, peer: { address, port }, announced }, context)
  }

  get #portInUse(): ClientPort {
    return this.#port as ClientPort // the datagram came through it
  }

  readonly #onEnd = (flow: RelayedFlow, reason: FlowEnd): void => {
    this.#options.onEnd(flow, reason)
    flow.release()
    if (this.#isEnding) this.#ending.ended()
  }

  #over(): void {
    this.#table.close('aborted')
    this.#options.reader.firsts?.close()
    this.#port?.release()
    this.#options.onClosed()
  }
}

/** The peer belongs to it, because a proxy may send for many clients, and two proxies for one. */
function keyOf({ address, port }: RemoteInfo, { source }: Announced): string {
  return `${address} ${port} ${source.address} ${source.port}`
}
