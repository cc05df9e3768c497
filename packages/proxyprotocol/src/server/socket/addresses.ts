// What a socket says of its two ends. The one file that sets address properties.

import type { Duplex } from 'node:stream'
import type { Endpoint, InetEndpoint } from '../../codec/index.ts'
import { type AddressAnswer, answerAddresses } from '../../node-internals/index.ts'

/** The ends that a socket shows; `ConnectionInfo` is one. */
export interface ShownEnds {
  readonly source: Endpoint | undefined
  readonly destination: Endpoint | undefined
}

/** What a socket of our own class shows. */
export const endsKey: unique symbol = Symbol('proxyprotocol.ends')
/** Stands for the socket's own ends. */
export const OWN_ENDS: ShownEnds = { source: undefined, destination: undefined }

/**
 * Makes a socket show these ends, and every TLS socket over it as well; undefined shows none until the next call.
 * UNIX paths are no addresses, so a socket shows none for them.
 */
export function showEnds(socket: Duplex, ends: ShownEnds | undefined): void {
  if (endsKey in socket) (socket as { [endsKey]: ShownEnds | undefined })[endsKey] = ends
  else new Addressed(socket, inetOf(ends?.source), inetOf(ends?.destination))
  answerFor(socket, ends)
}

/** Makes a socket show these ends where its properties cannot be set, because HTTP/2 shows its own by a proxy. */
export function answerFor(socket: Duplex, ends: ShownEnds | undefined): void {
  answerAddresses(socket, ends && { peer: answerOf(ends.source), local: answerOf(ends.destination) })
}

function answerOf(end: Endpoint | undefined): AddressAnswer | undefined {
  const inet = inetOf(end)
  return inet && { address: inet.address, port: inet.port, family: familyOf(inet) }
}

/** As a base class it makes the fields of a derived one properties of the object itself: `new` gives what it returns. */
function itself(object: object): object {
  return object
}
const Itself = itself as unknown as new (object: object) => object // functions can be constructors

/**
 * A socket with addresses of its own. Node reads these properties from the prototype, so that own ones hide them for this
 * socket alone. Fields do the same as `Object.defineProperty()`, at a twentieth of its price.
 */
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
