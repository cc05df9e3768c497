// Sets the address properties of sockets; no other file does.

import type { Duplex } from 'node:stream'
import type { Endpoint, InetEndpoint } from '../../codec/index.ts'
import { type AddressAnswer, answerAddresses, Itself } from '../../node-internals/index.ts'

export interface ShownEnds {
  readonly source: Endpoint | undefined
  readonly destination: Endpoint | undefined
}

export const endsKey: unique symbol = Symbol('proxyprotocol.ends')
export const OWN_ENDS: ShownEnds = { source: undefined, destination: undefined }

/** Makes a socket, and TLS over it, show these ends; undefined and UNIX paths show no address. */
export function showEnds(socket: Duplex, ends: ShownEnds | undefined): void {
  if (endsKey in socket) (socket as { [endsKey]: ShownEnds | undefined })[endsKey] = ends
  else new Addressed(socket, inetOf(ends?.source), inetOf(ends?.destination))
  answerFor(socket, ends)
}

/** HTTP/2's proxy of a socket shows the handle's addresses. */
export function answerFor(socket: Duplex, ends: ShownEnds | undefined): void {
  answerAddresses(socket, ends && { peer: answerOf(ends.source), local: answerOf(ends.destination) })
}

function answerOf(end: Endpoint | undefined): AddressAnswer | undefined {
  const inet = inetOf(end)
  return inet && { address: inet.address, port: inet.port, family: familyOf(inet) }
}

/** Own properties hide Node's getters for this socket alone. Fields cost a twentieth of `Object.defineProperty()`. */
class Addressed extends Itself {
  remoteAddress: string | undefined
  remotePort: number | undefined
  remoteFamily: string | undefined
  localAddress: string | undefined
  localPort: number | undefined
  localFamily: string | undefined

  constructor(socket: Duplex, remote: InetEndpoint | undefined, local: InetEndpoint | undefined) {
    super(socket)
    this.remoteAddress = remote?.address
    this.remotePort = remote?.port
    this.remoteFamily = familyOf(remote)
    this.localAddress = local?.address
    this.localPort = local?.port
    this.localFamily = familyOf(local)
  }
}

export function inetOf(endpoint: Endpoint | undefined): InetEndpoint | undefined {
  return endpoint && 'address' in endpoint ? endpoint : undefined
}

export function familyOf(endpoint: InetEndpoint | undefined): string | undefined {
  return endpoint && (endpoint.address.includes(':') ? 'IPv6' : 'IPv4')
}
