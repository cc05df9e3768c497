// The sockets of accepted connections, where Node lets us make them. Each has all of its fields from the start and its behaviour on the
// prototype. Patched sockets change their hidden class several times, and Node's own code then runs slower for every socket.
//
// Such a socket reads into shared buffers (`onread`). What was read is copied, unless it is the header.

/* eslint-disable @typescript-eslint/no-unsafe-class-instance-assignment -- Base is Socket under another type */

import { Socket } from 'node:net'
import { Duplex } from 'node:stream'
import {
  type AcceptedSettings,
  nextBuffer,
  ownAddresses as own,
  readNextInto,
} from '../../node-internals/index.ts'
import { endsKey, familyOf, inetOf, OWN_ENDS, type ShownEnds } from './addresses.ts'
import type { ConnectionInfo } from './connection-info.ts'
import { connectionsKey as infoKey } from './registry.ts'
import { destroyKey, destroyTelling, type Distinguishing, doubtKey, holdsEnd, rawKey } from './reset.ts'

/** Takes what a socket receives before anything else does. */
export interface StartTaker {
  /** The first bytes of the buffer are new; false stops reading until the next `read(0)` or `resume()`. */
  onBytes(length: number, buffer: Uint8Array): boolean
  onEnd(): void
  /** The socket is being destroyed. It will emit no 'error' for it. */
  onDestroy(error: Error | null): void
}

const takerKey = Symbol('proxyprotocol.taker')

/** @param firstRoom for its first bytes; by default they take Node's usual size. */
export function acceptedSocket(settings: AcceptedSettings, firstRoom: Uint8Array | undefined): Socket {
  return new AcceptedSocket(settings, firstRoom)
}

export function isAccepted(socket: Socket): boolean {
  return socket instanceof AcceptedSocket
}

/** Gives what an accepted socket receives to a taker; undefined gives it to the stream. */
export function setTaker(socket: Socket, taker: StartTaker | undefined): void {
  ;(socket as AcceptedSocket)[takerKey] = taker // isAccepted() has said so
}

/** An interface, because TypeScript takes the fields of a class for what no accessor may replace. */
interface ShownAddresses {
  readonly remoteAddress: string | undefined
  readonly remotePort: number | undefined
  readonly remoteFamily: string | undefined
  readonly localAddress: string
  readonly localPort: number
  readonly localFamily: string
}
const Base = Socket as new (settings: AcceptedSettings) => Socket & ShownAddresses

class AcceptedSocket extends Base {
  declare [takerKey]: StartTaker | undefined;
  declare [infoKey]: ConnectionInfo | undefined;
  declare [endsKey]: ShownEnds | undefined;
  declare [rawKey]: Socket | undefined;
  declare [doubtKey]: boolean

  constructor(settings: AcceptedSettings, firstRoom: Uint8Array | undefined) {
    settings.onread = onread
    if (firstRoom) readNextInto(firstRoom)
    super(settings)
    this[takerKey] = undefined
    this[infoKey] = undefined
    this[endsKey] = OWN_ENDS
    this[rawKey] = undefined
    this[doubtKey] = false
  }

  override get remoteAddress(): string | undefined {
    const ends = this[endsKey]
    return ends === OWN_ENDS ? own.remoteAddress.call(this) : inetOf(ends?.source)?.address
  }

  override get remotePort(): number | undefined {
    const ends = this[endsKey]
    return ends === OWN_ENDS ? own.remotePort.call(this) : inetOf(ends?.source)?.port
  }

  override get remoteFamily(): string | undefined {
    const ends = this[endsKey]
    return ends === OWN_ENDS ? own.remoteFamily.call(this) : familyOf(inetOf(ends?.source))
  }

  // Node's types make these three optional, which no accessor can be; they may be undefined.
  override get localAddress(): string {
    const ends = this[endsKey]
    return (ends === OWN_ENDS ? own.localAddress.call(this) : inetOf(ends?.destination)?.address) as string
  }

  override get localPort(): number {
    const ends = this[endsKey]
    return (ends === OWN_ENDS ? own.localPort.call(this) : inetOf(ends?.destination)?.port) as number
  }

  override get localFamily(): string {
    const ends = this[endsKey]
    return (ends === OWN_ENDS ? own.localFamily.call(this) : familyOf(inetOf(ends?.destination))) as string
  }

  override push(chunk: unknown, encoding?: BufferEncoding): boolean {
    if (chunk !== null) {
      this[doubtKey] = false
      return super.push(chunk, encoding)
    }
    if (this[rawKey] !== undefined && holdsEnd(this)) return false
    this[takerKey]?.onEnd()
    return super.push(null)
  }

  /** Node starts to read from the kernel at each read() of a socket with a buffer, even if the stream holds enough. */
  override read(size?: number): unknown {
    const { readableLength, readableHighWaterMark } = this
    if (readableLength === 0 || readableLength < readableHighWaterMark) return super.read(size)
    return Duplex.prototype.read.call(this, size) // eslint-disable-line no-restricted-syntax -- to call it
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    const taker = this[takerKey]
    if (taker !== undefined) {
      taker.onDestroy(error)
      super._destroy(null, callback)
    } else if (this[rawKey] !== undefined) destroyTelling.call(this as Distinguishing, error, callback)
    else super._destroy(error, callback)
  }

  [destroyKey](error: Error | null, callback: (error?: Error | null) => void): void {
    super._destroy(error, callback)
  }
}

const onread = { buffer: nextBuffer, callback: onRead }

function onRead(this: AcceptedSocket, length: number, buffer: Uint8Array): boolean {
  const taker = this[takerKey]
  return taker === undefined
    ? this.push(Buffer.from(buffer.subarray(0, length)))
    : taker.onBytes(length, buffer)
}
