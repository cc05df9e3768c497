// The client side publishes typed messages on node:diagnostics_channel. It never logs.

import { channel, type Channel } from 'node:diagnostics_channel'

/** What any path over IPv4 takes in one piece: 576 bytes less 40 for IP and TCP (spec 2). */
export const LARGE_HEADER_BYTES = 536

/** Where a connection leads, as its options said. */
export interface HeaderTarget {
  readonly host?: string | undefined
  readonly port?: number | string | undefined
  /** A UNIX socket. */
  readonly path?: string | undefined
}

/** Published when a header is sent that some receivers will not take, or not in one piece. */
export interface LargeHeaderMessage extends HeaderTarget {
  /** The whole header; more than 536. */
  readonly byteLength: number
}

/**
 * The channels' names, for `node:diagnostics_channel`. Messages: `largeHeader` a `LargeHeaderMessage`, for each connection
 * whose header takes more than 536 bytes.
 *
 * @see Specification, section 2.
 *
 * @example
 * ```ts run
 * import { subscribe } from 'node:diagnostics_channel'
 * import { diagnosticsChannels, type LargeHeaderMessage } from 'proxyprotocol/client'
 *
 * subscribe(diagnosticsChannels.largeHeader, message => {
 *   const { byteLength, host, port } = message as LargeHeaderMessage
 *   console.warn(`${byteLength} bytes of header to ${String(host)}:${String(port)}`)
 * })
 * ```
 */
export const diagnosticsChannels = {
  largeHeader: 'proxyprotocol.client.large_header',
} as const

const largeHeaderChannel: Channel = channel(diagnosticsChannels.largeHeader)

/** Reports a header above 536 bytes that is about to be sent. */
export function reportLargeHeader({ byteLength }: Uint8Array, { host, port, path }: HeaderTarget): void {
  if (byteLength <= LARGE_HEADER_BYTES || !largeHeaderChannel.hasSubscribers) return
  largeHeaderChannel.publish({ byteLength, host, port, path } satisfies LargeHeaderMessage)
}
