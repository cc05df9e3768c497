// Facts of a received datagram, found by its rinfo.

import type { RemoteInfo, Socket } from 'node:dgram'
import { type InetEndpoint, type ProxyHeader, readTlvs, type TlvValues } from '../codec/index.ts'

/** Facts of a received datagram, named as in `ConnectionInfo`. */
export interface DatagramInfo {
  /** From the header, or the peer if the header names no client. */
  readonly source: InetEndpoint
  /** From the header, or the socket's own. */
  readonly destination: InetEndpoint | undefined
  /** The socket's own ends. */
  readonly via: {
    /** The load balancer, if any. */
    readonly peer: InetEndpoint
    /** Undefined once the socket is closed. */
    readonly local: InetEndpoint | undefined
  }
  /** Undefined without a header, and for Simple Proxy Protocol. */
  readonly header: ProxyHeader | undefined
  /** The header's TLVs by name. */
  readonly tlvs: TlvValues
}

/** As for `send()`. `bytes` include a reply's Simple Proxy Protocol header. */
export type SendCallback = (error: Error | null, bytes: number) => void
/** What `send()` takes. */
export type Message = string | NodeJS.ArrayBufferView | readonly (string | NodeJS.ArrayBufferView)[]

export interface Delivery {
  readonly socket: Socket
  readonly info: DatagramInfo
  reply(message: Message, callback: SendCallback | undefined): void
}

/** Shared by copies that import and require load. */
const deliveryKey: unique symbol = Symbol.for('proxyprotocol.datagram.1')

interface Delivered {
  [deliveryKey]?: Delivery
}

/** Enumerable, so that copies have it, too. */
export function attachDelivery(rinfo: RemoteInfo, delivery: Delivery): void {
  ;(rinfo as Delivered)[deliveryKey] = delivery // only this file knows the key
}

export function deliveryOf(rinfo: object): Delivery | undefined {
  return (rinfo as Delivered)[deliveryKey] // only this file knows the key
}

/**
 * Gives the facts of a datagram, by the `rinfo` of its `'message'` event.
 *
 * @returns undefined if the socket is not attached.
 * @example
 * ```ts run
 * import dgram from 'node:dgram'
 * import { attachDatagrams, datagramInfo } from 'proxyprotocol/udp'
 *
 * const socket = attachDatagrams(dgram.createSocket('udp4'), { trust: ['10.0.0.0/8'] })
 * socket.on('message', (payload, rinfo) => console.log(rinfo.address, datagramInfo(rinfo)?.via.peer.address))
 * socket.close()
 * ```
 */
export function datagramInfo(rinfo: RemoteInfo): DatagramInfo | undefined {
  return deliveryOf(rinfo)?.info
}

/** Reading TLVs takes longer than decoding, so it waits for the first access. */
export class HeaderInfo implements DatagramInfo {
  readonly source: InetEndpoint
  readonly destination: InetEndpoint | undefined
  readonly via: DatagramInfo['via']
  readonly header: ProxyHeader | undefined
  #tlvs: TlvValues | undefined

  constructor({ source, destination, via, header }: Omit<DatagramInfo, 'tlvs'>) {
    this.source = source
    this.destination = destination
    this.via = via
    this.header = header
  }

  get tlvs(): TlvValues {
    return (this.#tlvs ??= readTlvs(this.header ?? { tlvs: [] }))
  }
}
