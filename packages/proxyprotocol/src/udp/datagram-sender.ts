// Sends datagrams with a header, without copying the payload.

import type { Socket } from 'node:dgram'
import { checkNames, oneOf } from '../checks/index.ts'
import { encodeHeader, encodeSpp, type InetInit, type LocalInit, type SppHeader } from '../codec/index.ts'
import { attachmentOf } from './attach-datagrams.ts'
import type { Message, SendCallback } from './datagram-info.ts'
import { withHead } from './send-arguments.ts'
import { SendCounter, type SendStats } from './send-counter.ts'

/** How a sender frames headers. */
export interface DatagramSenderOptions<F extends 'v2' | 'spp' = 'v2' | 'spp'> {
  /** `'v2'` (default) or `'spp'`, Simple Proxy Protocol. */
  readonly framing?: F | undefined
}

/** Sends datagrams that start with a header. */
export interface DatagramSender<H> {
  /**
   * Sends one datagram; keep it below the path's MTU. Default transport: `DGRAM`.
   *
   * @throws TypeError or RangeError naming what is wrong with the header.
   */
  send(...args: [payload: Message, header: H, port: number, address: string, callback?: SendCallback]): void
  /** Counts so far. */
  stats(): SendStats
}

const NO_PAYLOAD = new Uint8Array()

/**
 * Makes a sender that puts a header in front of each datagram. Replies arrive at `'message'`: plain after
 * version 2, behind the sent header in Simple Proxy Protocol (`decodeSpp`). Refused datagrams are counted,
 * and reported to the callback.
 *
 * @example
 * ```ts run
 * import dgram from 'node:dgram'
 * import { createDatagramSender } from 'proxyprotocol/udp'
 *
 * const socket = dgram.createSocket('udp4')
 * const header = { source: { address: '192.0.2.1', port: 5353 }, destination: { address: '198.51.100.7', port: 53 } }
 * createDatagramSender(socket).send('query', header, 5300, '127.0.0.1', () => socket.close())
 * ```
 */
export function createDatagramSender(
  socket: Socket,
  options?: DatagramSenderOptions<'v2'>,
): DatagramSender<InetInit | LocalInit>
export function createDatagramSender(
  socket: Socket,
  options: DatagramSenderOptions<'spp'>,
): DatagramSender<SppHeader>
export function createDatagramSender(
  socket: Socket,
  options: DatagramSenderOptions = {},
): DatagramSender<InetInit | LocalInit> | DatagramSender<SppHeader> {
  checkNames(options, ['framing'])
  const framing = oneOf(options.framing ?? 'v2', ['v2', 'spp'], 'framing')
  return framing === 'spp'
    ? senderOf(socket, (header: SppHeader) => encodeSpp(header, NO_PAYLOAD))
    : senderOf(socket, encodeVersion2)
}

function encodeVersion2(header: InetInit | LocalInit): Uint8Array {
  if (header.version === 1) throw new TypeError('version must be 2 for UDP, got 1')
  if (header.command === 'LOCAL') return encodeHeader(header)
  return encodeHeader({ ...header, transport: header.transport ?? 'DGRAM' })
}

function senderOf<H>(socket: Socket, encode: (header: H) => Uint8Array): DatagramSender<H> {
  const counter = new SendCounter()
  return {
    send: (...[payload, header, port, address, callback]) => {
      const whole = withHead(encode(header), payload)
      const args = [whole, port, address, counter.counting(callback)] as const
      const attachment = attachmentOf(socket)
      // An upstream is never a client of the same socket.
      if (attachment) attachment.sendPlainly(...args)
      else socket.send(...args)
    },
    stats: () => counter.stats(),
  }
}
