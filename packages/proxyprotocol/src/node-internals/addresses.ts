// TLS on a socket asks the handle for its addresses, so answers go there. Without a handle, it shows the
// peer.

import { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { type Handle, handleOf } from './handle.ts'
import { Itself } from './itself.ts'

export interface AddressAnswer {
  readonly address: string
  readonly port: number
  readonly family: string | undefined
}

/** An undefined end shows no address. */
export interface AddressAnswers {
  readonly peer: AddressAnswer | undefined
  readonly local: AddressAnswer | undefined
}

/** Node remembers an answer without an error. */
const NOT_YET = -1

/** Undefined shows no address until the next call. */
export function answerAddresses(socket: Duplex, answers: AddressAnswers | undefined): void {
  const handle = handleOf(socket)
  if (handle) new Answering(handle, answers)
}

type Question = 'getpeername' | 'getsockname'
/** Anything but 0 is an error. */
type Answer = (out: object) => number | undefined

const answersKey = Symbol('proxyprotocol.answers')

/** Fields cost a twentieth of `Object.defineProperty()`. */
class Answering extends Itself {
  readonly [answersKey]: AddressAnswers | undefined
  readonly getpeername: Answer = answerPeer
  readonly getsockname: Answer = answerLocal

  constructor(handle: Handle, answers: AddressAnswers | undefined) {
    super(handle)
    this[answersKey] = answers
  }
}

function answerPeer(this: Answering, out: object): number | undefined {
  Object.assign(out, this[answersKey]?.peer)
  return kernelSays(this, 'getpeername')
}

function answerLocal(this: Answering, out: object): number | undefined {
  Object.assign(out, this[answersKey]?.local)
  return kernelSays(this, 'getsockname')
}

/** Node does not remember an answer with an error. */
function kernelSays(handle: Answering, question: Question): number | undefined {
  const kernel = Object.getPrototypeOf(handle) as Partial<Record<Question, Answer>> // pipes have neither
  return handle[answersKey] === undefined ? NOT_YET : kernel[question]?.call(handle, {})
}

type AddressName =
  'remoteAddress' | 'remotePort' | 'remoteFamily' | 'localAddress' | 'localPort' | 'localFamily'

/** TypeScript takes the getters for fields: no `super`. */
export const ownAddresses: AddressGetters = {
  remoteAddress: getterOf('remoteAddress'),
  remotePort: getterOf('remotePort'),
  remoteFamily: getterOf('remoteFamily'),
  localAddress: getterOf('localAddress'),
  localPort: getterOf('localPort'),
  localFamily: getterOf('localFamily'),
}

type AddressGetters = { readonly [name in AddressName]: (this: Socket) => Socket[name] }

/** False on Bun. */
export function hasAddressGetters(): boolean {
  return Object.values(ownAddresses).every(getter => typeof getter === 'function')
}

function getterOf<N extends AddressName>(name: N): AddressGetters[N] {
  // eslint-disable-next-line no-restricted-syntax, @typescript-eslint/unbound-method -- it is read, and called with a socket
  return Object.getOwnPropertyDescriptor(Socket.prototype, name)?.get as AddressGetters[N] // or undefined
}
