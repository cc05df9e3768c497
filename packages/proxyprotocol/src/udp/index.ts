/**
 * Headers in front of UDP payloads, both ways.
 *
 * @module proxyprotocol/udp
 */

export { attachDatagrams, datagramStats, reply } from './attach-datagrams.ts'
export type { DatagramStats } from './attachment.ts'
export { datagramInfo, type DatagramInfo, type Message, type SendCallback } from './datagram-info.ts'
export type { Framing } from './datagram-reader.ts'
export { createDatagramSender, type DatagramSender, type DatagramSenderOptions } from './datagram-sender.ts'
export { type DropReason, dropReasons, type FlowEnd, flowEnds, type FlowStats } from './flows/index.ts'
export type { DatagramLimits, DatagramOptions, DatagramTimeouts } from './options.ts'
export type { SendStats } from './send-counter.ts'
export type { Peer, Trust } from '../trust/index.ts'
