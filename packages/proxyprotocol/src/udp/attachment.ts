// Reads the headers of datagrams, and sends replies back over their clients' paths.

import type { RemoteInfo, Socket } from 'node:dgram'
import { type InetEndpoint, unmapAddress } from '../codec/index.ts'
import { ClientFlow, clientKey, type Path, type SourcedDatagram } from './client-flow.ts'
import { attachDelivery, type Message, type SendCallback } from './datagram-info.ts'
import { DatagramReader, type Framing, type ReadDatagram, withoutHeader } from './datagram-reader.ts'
import { type DropReason, dropReasons, type FlowStats, FlowTable, zeros } from './flows/index.ts'
import type { DatagramSettings } from './options.ts'
import { ReceivedDatagram } from './received-datagram.ts'
import { callbackAt, messageOf, portIndex, withHead } from './send-arguments.ts'
import { SendCounter, type SendStats } from './send-counter.ts'

/** Counts of a socket. `received` is `accepted` and the sum of `dropped`. */
export interface DatagramStats extends SendStats {
  readonly received: number
  readonly accepted: number
  readonly dropped: Readonly<Record<DropReason, number>>
  /** Sent as asked, because the address is not that of a client behind a proxy. */
  readonly direct: number
  /** `opened` is `active` and the sum of `ended`. */
  readonly flows: FlowStats
}

type Emit = (...args: unknown[]) => boolean
type Send = (...args: unknown[]) => void

export class DatagramAttachment {
  readonly socket: Socket
  readonly #emit: Emit
  readonly #send: Send
  readonly #framing: Framing
  readonly #reader: DatagramReader
  readonly #flows: FlowTable<ClientFlow>
  readonly #newest = new Map<string, ClientFlow>()
  readonly #dropped = zeros(dropReasons)
  readonly #sent = new SendCounter()
  #received = 0
  #accepted = 0
  #direct = 0
  #isBound: boolean
  #local: InetEndpoint | undefined

  constructor(socket: Socket, { reader, flows }: DatagramSettings) {
    this.socket = socket
    this.#isBound = isBound(socket)
    this.#framing = reader.framing
    this.#reader = new DatagramReader(reader)
    this.#emit = Reflect.get(socket, 'emit') as Emit
    this.#send = Reflect.get(socket, 'send') as Send
    this.#flows = new FlowTable(flows, flow => {
      if (flow.isNewest) this.#newest.delete(flow.client)
    })
  }

  install(): void {
    this.socket.emit = (event: string | symbol, ...args: unknown[]): boolean => this.#intercept(event, args)
    this.socket.send = (...args: unknown[]): void => this.#sendAsAsked(args)
  }

  stats(): DatagramStats {
    return {
      received: this.#received,
      accepted: this.#accepted,
      dropped: { ...this.#dropped },
      ...this.#sent.stats(),
      direct: this.#direct,
      flows: this.#flows.stats(),
    }
  }

  /** For a sender on the same socket: clients are ignored. */
  sendPlainly(...args: unknown[]): void {
    this.#send.apply(this.socket, args)
  }

  get local(): InetEndpoint | undefined {
    if (this.#local === undefined && this.#isBound) {
      const { address, port } = this.socket.address()
      this.#local = { address: unmapAddress(address), port }
    }
    return this.#local
  }

  reply(path: Path, message: Message, callback: SendCallback | undefined): void {
    const whole = path.head ? withHead(path.head, message) : message
    this.#send.call(this.socket, whole, path.port, path.address, this.#sent.counting(callback))
    if (path.flow) this.#flows.answered(path.flow)
  }

  #intercept(event: string | symbol, args: unknown[]): boolean {
    if (event === 'message') return this.#receive(args[0] as Buffer, args[1] as RemoteInfo)
    if (event === 'listening') this.#isBound = true
    if (event === 'close') this.#close()
    // A failed bind stays an error; later errors must not end the process.
    if (event === 'error' && this.#isBound && this.socket.listenerCount('error') === 0) return true
    return this.#pass(event, ...args)
  }

  #close(): void {
    this.#isBound = false
    this.#flows.close('aborted')
  }

  #pass(...args: unknown[]): boolean {
    return this.#emit.apply(this.socket, args)
  }

  #receive(bytes: Buffer, rinfo: RemoteInfo): boolean {
    this.#received++
    const verdict = this.#reader.judge(rinfo)
    if (verdict === 'direct') return this.#accept(withoutHeader(bytes), rinfo, undefined)
    if (verdict !== 'read') return this.#drop(verdict)
    const known = this.#framing === 'unsafe-first' ? this.#flows.find(peerKey(rinfo)) : undefined
    if (known) return this.#accept({ ...known.first, payload: bytes }, rinfo, known)
    const read = this.#reader.read(bytes)
    if (typeof read === 'string') return this.#drop(read)
    const named = this.#named(read, rinfo)
    if (!hasSource(named)) return this.#accept(named, rinfo, undefined)
    const flow = this.#flowOf(named, rinfo)
    return typeof flow === 'string' ? this.#drop(flow) : this.#accept(named, rinfo, flow)
  }

  /** In unsafe-first the port's next datagram is payload, also after LOCAL. */
  #named(read: ReadDatagram, { address, port }: RemoteInfo): ReadDatagram {
    if (this.#framing !== 'unsafe-first' || !read.header || read.source) return read
    return { ...read, source: { address: unmapAddress(address), port } }
  }

  #flowOf(read: SourcedDatagram, rinfo: RemoteInfo): ClientFlow | DropReason {
    const peer = peerKey(rinfo)
    const { source } = read
    const key = this.#framing === 'unsafe-first' ? peer : `${peer} ${source.address} ${source.port}`
    const known = this.#flows.find(key)
    if (known === undefined) {
      const flow = new ClientFlow(key, rinfo, read)
      return this.#flows.add(flow) ?? flow
    }
    known.replyWith(read.replyHead)
    return known
  }

  #drop(reason: DropReason): boolean {
    this.#dropped[reason]++
    return true
  }

  #accept(read: ReadDatagram, rinfo: RemoteInfo, flow: ClientFlow | undefined): boolean {
    const { address, port } = rinfo
    const path = flow?.path ?? { address, port, head: undefined, flow: undefined }
    const peer = { address: unmapAddress(address), port }
    if (flow) this.#prefer(flow)
    else this.#forget(clientKey(peer))
    if (read.source) {
      rinfo.address = read.source.address
      rinfo.port = read.source.port
      rinfo.family = read.source.address.includes(':') ? 'IPv6' : 'IPv4'
    }
    rinfo.size = read.payload.length
    attachDelivery(rinfo, new ReceivedDatagram(this, { path, peer, read }))
    this.#accepted++
    return this.#pass('message', read.payload, rinfo)
  }

  #prefer(flow: ClientFlow): void {
    if (flow.isNewest) return
    this.#forget(flow.client)
    flow.isNewest = true
    this.#newest.set(flow.client, flow)
  }

  #forget(client: string): void {
    const before = this.#newest.get(client)
    if (before === undefined) return
    before.isNewest = false
    this.#newest.delete(client)
  }

  #sendAsAsked(args: unknown[]): void {
    const at = portIndex(args)
    const [port, address] = [Number(args[at]), args[at + 1]]
    const flow = typeof address === 'string' ? this.#newest.get(clientKey({ address, port })) : undefined
    if (flow === undefined) {
      if (this.#isBound) this.#direct++ // until then Node calls send() again after the bind
      return this.sendPlainly(...args)
    }
    const { path } = flow
    const callback = callbackAt(args, at + 2)
    if (path.head) return this.reply(path, messageOf(args, at), callback)
    args[at] = path.port
    args[at + 1] = path.address
    args[at + 2] = this.#sent.counting(callback)
    this.sendPlainly(...args)
    this.#flows.answered(flow)
  }
}

function isBound(socket: Socket): boolean {
  try {
    socket.address()
    return true
  } catch {
    return false
  }
}

function hasSource(read: ReadDatagram): read is SourcedDatagram {
  return read.source !== undefined
}

function peerKey({ address, port }: RemoteInfo): string {
  return `${address} ${port}`
}
