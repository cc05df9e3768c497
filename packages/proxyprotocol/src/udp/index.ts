/**
 * Datagrams: headers in front of UDP payloads, in both directions.
 *
 * @module proxyprotocol/udp
 */

export { type DropReason, dropReasons, type FlowEnd, flowEnds } from './flows/index.ts'
