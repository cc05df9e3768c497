// What is known of a received datagram, found again by the rinfo of its 'message' event.

import type { RemoteInfo, Socket } from 'node:dgram'
import { type InetEndpoint, type ProxyHeader, readTlvs, type TlvValues } from '../codec/index.ts'

/** What is known of a received datagram; the same names as in `ConnectionInfo`. */
export interface DatagramInfo {
  /** The client: from the header, or the peer if the header names no client. */
  readonly source: InetEndpoint
  /** The address that the client sent to: from the header, or the socket's own. */
  readonly destination: InetEndpoint | undefined
  /** The socket's own ends, whatever the header says. */
  readonly via: {
    /** The load balancer, if there is one. */
    readonly peer: InetEndpoint
    /** The address that the socket is bound to; undefined once it is closed. */
    readonly local: InetEndpoint | undefined
  }
  /** Undefined without a header, and for Simple Proxy Protocol. */
  readonly header: ProxyHeader | undefined
  /** The header's TLVs by name. */
  readonly tlvs: TlvValues
}

/** Node's own of `send()`. `bytes` include the header of a reply in Simple Proxy Protocol. */
export type SendCallback = (error: Error | null, bytes: number) => void
/** What `send()` takes: text, bytes, or a list of them. */
export type Message = string | NodeJS.ArrayBufferView | readonly (string | NodeJS.ArrayBufferView)[]

/** A datagram that was accepted, and the way back to its client. */
export interface Delivery {
  readonly socket: Socket
  readonly info: DatagramInfo
  reply(message: Message, callback: SendCallback | undefined): void
}

/** For all copies of this library in the process, loaded by import or by require. */
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
 * Gives what is known of a datagram, by the `rinfo` of its `'message'` event.
 *
 * @returns undefined for the datagram of a socket that is not attached.
 *
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

/** Reading TLVs takes longer than decoding the header, so it waits until the program asks for them. */
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
