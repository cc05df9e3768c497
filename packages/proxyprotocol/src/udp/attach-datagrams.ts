// A socket that receives headers.

import type { RemoteInfo, Socket } from 'node:dgram'
import { quote } from '../checks/index.ts'
import { DatagramAttachment, type DatagramStats } from './attachment.ts'
import { deliveryOf, type Message, type SendCallback } from './datagram-info.ts'
import { type DatagramOptions, datagramSettings } from './options.ts'

/** Shared by copies that import and require load. */
const attachmentKey = Symbol.for('proxyprotocol.datagrams.1')

interface Attached {
  [attachmentKey]?: DatagramAttachment
}

/**
 * Makes a UDP socket read each datagram's header. The `rinfo` of `'message'` is then the client's, and
 * `send()` to a client takes its newest path.
 *
 * @returns the same socket.
 * @throws TypeError or RangeError naming what is wrong; Error if attached already.
 * @example
 * ```ts run
 * import dgram from 'node:dgram'
 * import { attachDatagrams } from 'proxyprotocol/udp'
 *
 * const socket = attachDatagrams(dgram.createSocket('udp4'), { trust: ['127.0.0.1', '10.0.0.0/8'] })
 * socket.on('message', (payload, { address, port }) => socket.send(`you are ${address}\n`, port, address))
 * socket.bind(0, () => socket.close())
 * ```
 */
export function attachDatagrams<S extends Socket>(socket: S, options: DatagramOptions): S {
  const { emit, send, address } = Object(socket) as Partial<Record<string, unknown>>
  if ([emit, send, address].some(method => typeof method !== 'function')) {
    throw new TypeError(`socket must be a dgram.Socket, got ${quote(socket)}`)
  }
  if (attachmentOf(socket)) throw new Error('attachDatagrams() was called on this socket before')
  const attachment = new DatagramAttachment(socket, datagramSettings(options))
  Object.defineProperty(socket, attachmentKey, { value: attachment })
  attachment.install()
  return socket
}

export function attachmentOf(socket: object): DatagramAttachment | undefined {
  return (socket as Attached)[attachmentKey] // only this file knows the key
}

/**
 * Counts of an attached socket.
 *
 * @returns undefined for any other socket.
 * @example
 * ```ts run
 * import dgram from 'node:dgram'
 * import { attachDatagrams, datagramStats } from 'proxyprotocol/udp'
 *
 * const socket = attachDatagrams(dgram.createSocket('udp4'), { trust: 'anyone' })
 * console.log(datagramStats(socket)?.dropped.header_missing) // 0
 * socket.close()
 * ```
 */
export function datagramStats(socket: Socket): DatagramStats | undefined {
  return attachmentOf(socket)?.stats()
}

/**
 * Answers a datagram over its own path, even if the client has a newer one.
 *
 * @param rinfo of the `'message'` event.
 * @param callback as for `send()`; without one, errors are only counted.
 * @throws TypeError for any other rinfo.
 * @example
 * ```ts run
 * import dgram from 'node:dgram'
 * import { attachDatagrams, reply } from 'proxyprotocol/udp'
 *
 * const socket = attachDatagrams(dgram.createSocket('udp4'), { trust: ['10.0.0.0/8'] })
 * socket.on('message', (payload, rinfo) => reply(socket, rinfo, payload))
 * socket.close()
 * ```
 */
export function reply(
  ...[socket, rinfo, message, callback]: [
    socket: Socket,
    rinfo: RemoteInfo,
    message: Message,
    callback?: SendCallback,
  ]
): void {
  const delivery = deliveryOf(Object(rinfo) as object)
  if (delivery?.socket === socket) return delivery.reply(message, callback)
  throw new TypeError(`rinfo must be that of a datagram of this attached socket, got ${quote(rinfo)}`)
}
