// Patching a socket changes its hidden class, and Node's own code then runs slower for it. So accepted sockets have a
// class of their own.

/* eslint-disable @typescript-eslint/no-unsafe-class-instance-assignment -- Base is Socket under another type */

import { Socket } from 'node:net'
import {
  type AcceptedSettings,
  nextBuffer,
  ownAddresses as own,
  indexKey,
  readBelowMark,
  readNextInto,
} from '../../node-internals/index.ts'
import { endsKey, familyOf, inetOf, OWN_ENDS, type ShownEnds } from './addresses.ts'
import type { ConnectionInfo } from './connection-info.ts'
import { connectionsKey as infoKey } from './registry.ts'
import { destroyKey, destroyTelling, type Distinguishing, doubtKey, holdsEnd, rawKey } from './reset.ts'

export interface StartTaker {
  /** The first bytes of the buffer are new; false stops reading until the next `read(0)` or `resume()`. */
  onBytes(length: number, buffer: Uint8Array): boolean
  onEnd(): void
  onDestroy(error: Error | null): void
}

const takerKey = Symbol('proxyprotocol.taker')

export function acceptedSocket(settings: AcceptedSettings, firstRoom: Uint8Array | undefined): Socket {
  return new AcceptedSocket(settings, firstRoom)
}

export function isAccepted(socket: Socket): boolean {
  return socket instanceof AcceptedSocket
}

export function setTaker(socket: Socket, taker: StartTaker | undefined): void {
  ;(socket as AcceptedSocket)[takerKey] = taker // isAccepted() was asked
}

/** TypeScript lets accessors replace the members of an interface, but not the fields of a class. */
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
  declare [doubtKey]: boolean;
  declare [indexKey]: number | undefined

  constructor(settings: AcceptedSettings, firstRoom: Uint8Array | undefined) {
    settings.onread = onread
    if (firstRoom) readNextInto(firstRoom)
    super(settings)
    this[takerKey] = undefined
    this[infoKey] = undefined
    this[endsKey] = OWN_ENDS
    this[rawKey] = undefined
    this[doubtKey] = false
    this[indexKey] = undefined
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

  // Node's types make these three optional, which no accessor can be.
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

  override read(size?: number): unknown {
    return readBelowMark.call(this, size)
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
