// What a socket says of its two ends. The one file that sets address properties, and that answers for a socket's handle: TLS
// that a program starts on a socket has properties of its own, and asks the handle below it.

import type { Duplex } from 'node:stream'
import type { Endpoint, InetEndpoint } from '../../codec/index.ts'

/** The ends that a socket shows; `ConnectionInfo` is one. */
export interface ShownEnds {
  readonly source: Endpoint | undefined
  readonly destination: Endpoint | undefined
}

/** Makes Node ask again later: it remembers the first answer that is no error. */
const NOT_YET = -1

/**
 * Makes a socket show these ends, and every TLS socket over it as well; undefined shows none until the next call.
 * UNIX paths are no addresses, so a socket shows none for them.
 */
export function showEnds(socket: Duplex, ends: ShownEnds | undefined): void {
  new Addressed(socket, inetOf(ends?.source), inetOf(ends?.destination))
  answerFor(socket, ends)
}

/** Makes a socket show these ends where nobody can set its properties: HTTP/2 shows its own by a proxy. */
export function answerFor(socket: Duplex, ends: ShownEnds | undefined): void {
  const { _handle: handle } = socket as { readonly _handle?: object | null } // undocumented, and in every line of Node
  if (handle) new Answering(handle, ends)
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

type Question = 'getpeername' | 'getsockname'
/** Fills in an object with `address`, `port` and `family`; anything but 0 is an error. */
type Answer = (out: object) => number | undefined

const endsKey = Symbol('proxyprotocol.shownEnds')

/** A handle that tells the ends that its socket shows, by functions that all such handles share. */
class Answering extends Itself {
  readonly [endsKey]: ShownEnds | undefined
  readonly getpeername: Answer = answerPeer
  readonly getsockname: Answer = answerLocal

  constructor(handle: object, ends: ShownEnds | undefined) {
    super(handle)
    this[endsKey] = ends
  }
}

function answerPeer(this: Answering, out: object): number | undefined {
  return answer(this, 'getpeername', { out, end: this[endsKey]?.source })
}

function answerLocal(this: Answering, out: object): number | undefined {
  return answer(this, 'getsockname', { out, end: this[endsKey]?.destination })
}

/** Says what the kernel says of whether the connection stands: Node takes an answer with an error, and does not remember it. */
function answer(
  handle: Answering,
  question: Question,
  { out, end }: { readonly out: object; readonly end: Endpoint | undefined },
): number | undefined {
  const inet = inetOf(end)
  if (inet) Object.assign(out, inet, { family: familyOf(inet) })
  const kernel = Object.getPrototypeOf(handle) as Partial<Record<Question, Answer>> // pipes have neither
  return handle[endsKey] === undefined ? NOT_YET : kernel[question]?.call(handle, {})
}

function inetOf(endpoint: Endpoint | undefined): InetEndpoint | undefined {
  return endpoint && 'address' in endpoint ? endpoint : undefined
}

function familyOf(endpoint: InetEndpoint | undefined): string | undefined {
  return endpoint && (endpoint.address.includes(':') ? 'IPv6' : 'IPv4')
}
