// The clients' messages on node:diagnostics_channel.

import { channel, type Channel } from 'node:diagnostics_channel'

/** What every IPv4 path takes: 576 bytes less 40 for IP and TCP (spec 2). */
export const LARGE_HEADER_BYTES = 536

/** Where a connection leads. */
export interface HeaderTarget {
  readonly host?: string | undefined
  readonly port?: number | string | undefined
  /** A UNIX socket. */
  readonly path?: string | undefined
}

/** Some receivers refuse such a header, or get it in several segments. */
export interface LargeHeaderMessage extends HeaderTarget {
  /** More than 536. */
  readonly byteLength: number
}

/**
 * Channels of `node:diagnostics_channel`. `largeHeader` has a `LargeHeaderMessage` for each connection with a
 * header above 536 bytes.
 *
 * @see Specification, section 2.
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

export function reportLargeHeader({ byteLength }: Uint8Array, { host, port, path }: HeaderTarget): void {
  if (byteLength <= LARGE_HEADER_BYTES || !largeHeaderChannel.hasSubscribers) return
  largeHeaderChannel.publish({ byteLength, host, port, path } satisfies LargeHeaderMessage)
}
