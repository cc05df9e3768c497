// What a handle says of its addresses. TLS that a program starts on a socket has address properties of its own, and asks the
// handle below it. Answers given here reach such TLS sockets as well. Where a runtime has no handle, they show the peer.

import { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { type Handle, handleOf } from './handle.ts'

/** Filled in as Node expects it. */
export interface AddressAnswer {
  readonly address: string
  readonly port: number
  readonly family: string | undefined
}

/** An end that is undefined shows no address. */
export interface AddressAnswers {
  readonly peer: AddressAnswer | undefined
  readonly local: AddressAnswer | undefined
}

/** Makes Node ask again later, because it remembers the first answer without an error. */
const NOT_YET = -1

/** Makes a socket's handle answer with these addresses; undefined answers with none until the next call. */
export function answerAddresses(socket: Duplex, answers: AddressAnswers | undefined): void {
  const handle = handleOf(socket)
  if (handle) new Answering(handle, answers)
}

/** As a base class it makes the fields of a derived one properties of the object itself: `new` gives what it returns. */
function itself(object: object): object {
  return object
}
const Itself = itself as unknown as new (object: object) => object // functions can be constructors

type Question = 'getpeername' | 'getsockname'
/** Fills in an object; anything but 0 is an error. */
type Answer = (out: object) => number | undefined

const answersKey = Symbol('proxyprotocol.answers')

/** All handles share these functions. Fields cost a twentieth of `Object.defineProperty()`. */
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

/** The kernel says whether the connection stands. Node takes an answer with an error, and does not remember it. */
function kernelSays(handle: Answering, question: Question): number | undefined {
  const kernel = Object.getPrototypeOf(handle) as Partial<Record<Question, Answer>> // pipes have neither
  return handle[answersKey] === undefined ? NOT_YET : kernel[question]?.call(handle, {})
}

type AddressName =
  'remoteAddress' | 'remotePort' | 'remoteFamily' | 'localAddress' | 'localPort' | 'localFamily'

/** Node's own getters of a socket's addresses. TypeScript takes them for fields, which a class cannot reach by `super`. */
export const ownAddresses: AddressGetters = {
  remoteAddress: getterOf('remoteAddress'),
  remotePort: getterOf('remotePort'),
  remoteFamily: getterOf('remoteFamily'),
  localAddress: getterOf('localAddress'),
  localPort: getterOf('localPort'),
  localFamily: getterOf('localFamily'),
}

type AddressGetters = { readonly [name in AddressName]: (this: Socket) => Socket[name] }

/** Whether a socket's addresses are getters of its class; on Bun some are fields. */
export function hasAddressGetters(): boolean {
  return Object.values(ownAddresses).every(getter => typeof getter === 'function')
}

function getterOf<N extends AddressName>(name: N): AddressGetters[N] {
  // eslint-disable-next-line no-restricted-syntax, @typescript-eslint/unbound-method -- it is read, and called with a socket
  return Object.getOwnPropertyDescriptor(Socket.prototype, name)?.get as AddressGetters[N] // or undefined
}
