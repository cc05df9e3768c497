// One direction: reads from one handle, writes to the other. Node's own `onread` calls it as if it were a socket. Idle
// connections share one buffer, whose bytes are copied. A large buffer is read into again only after its bytes left.

import { indexKey } from 'proxyprotocol/internal/node'
import { giveBuffer, sharedBuffer, takeBuffer } from '../read-buffers.ts'
import {
  kBuffer,
  kBufferCb,
  kBufferGen,
  kUpdateTimer,
  nodeTcp,
  type Request,
  type TcpHandle,
} from './node-tcp.ts'
import { takeTurns } from './turns.ts'
import { DONE, PENDING, write, type Writer } from './write.ts'

/** So many small reads in a row give the large buffer back. */
const SMALL_READS = 8

/** Node asks for the next buffer right after each read, without saying for whom. */
let next: Buffer = sharedBuffer

function nextBuffer(): Buffer {
  const buffer = next
  next = sharedBuffer
  return buffer
}

/** What both directions belong to. */
export interface FlowOwner {
  readonly isOver: boolean
  onBytes(flow: Flow, length: number): void
  /** It has ended, and perhaps waits for its last write. `wasLost`: the kernel has no peer any more. */
  onEnd(flow: Flow, wasLost: boolean): void
  /** All bytes up to its end were written. */
  onFinished(flow: Flow): void
  onReadError(flow: Flow, error: NodeJS.ErrnoException): void
  onWriteError(flow: Flow, status: number): void
  /** It is older than most connections get. */
  onAged(): void
}

interface SymbolFields {
  [kBuffer]?: Buffer
  [indexKey]?: number | undefined
}

export class Flow implements Writer {
  from: TcpHandle | undefined = undefined
  /** Until there is one, a little is read ahead. */
  to: TcpHandle | undefined = undefined
  /** A write is under way, so its bytes must not change. */
  isPending = false
  hasEnded = false
  isShut = false
  isShutting = false
  readonly owner: FlowOwner
  #isReading = false
  #isDoubtful = false
  #writes = 0
  #smallReads = 0
  #own: Buffer | undefined = undefined
  #ahead: Buffer | undefined = undefined

  static {
    // What Node's own `onread` uses of a socket, beside the public members of this class.
    // eslint-disable-next-line no-restricted-syntax -- it is this class's own
    Object.assign(this.prototype, {
      [kBufferCb]: this.#onBytes,
      [kBufferGen]: nextBuffer,
      [kUpdateTimer]: () => undefined,
      _readableState: { endEmitted: false },
    })
  }

  constructor(owner: FlowOwner) {
    this.owner = owner
    const fields = this as SymbolFields // here, so that all have one shape
    fields[kBuffer] = sharedBuffer
    fields[indexKey] = undefined
  }

  get destroyed(): boolean {
    return this.owner.isOver
  }

  /** `onread` calls it at an end. */
  push(): boolean {
    this.#isReading = false
    if (!this.owner.isOver && !this.#holdsEnd()) this.#end()
    return false
  }

  destroy(error: NodeJS.ErrnoException): void {
    this.#isReading = false
    if (!this.owner.isOver) this.owner.onReadError(this, error)
  }

  read(): this {
    return this
  }

  join(from: TcpHandle): void {
    const { owner, onread } = nodeTcp()
    this.from = from
    ;(from as unknown as Record<symbol, unknown>)[owner] = this // where `onread` looks
    from.onread = onread
    from.useUserBuffer(sharedBuffer)
  }

  resume(): void {
    if (this.#isReading || this.hasEnded || this.isPending || this.owner.isOver) return
    this.#isReading = true
    this.from?.readStart()
  }

  pause(): void {
    if (!this.#isReading) return
    this.#isReading = false
    this.from?.readStop()
  }

  /** What was read before there was a handle to write to. */
  takeAhead(): Buffer | undefined {
    const ahead = this.#ahead
    this.#ahead = undefined
    return ahead
  }

  /** True if the kernel has taken all bytes. Otherwise they must stay as they are, and nothing else may be sent. */
  send(bytes: Uint8Array): boolean {
    const to = this.to as TcpHandle // the caller has looked
    if (++this.#writes === 2) to.setNoDelay(true) // no first write waits for the peer
    const status = write(to, bytes, this)
    if (status === DONE) return true
    if (status === PENDING) this.isPending = true
    else this.owner.onWriteError(this, status)
    return false
  }

  onWritten(status: number): void {
    this.isPending = false
    const { owner } = this
    if (owner.isOver) return
    if (status < 0) owner.onWriteError(this, status)
    else if (this.hasEnded) owner.onFinished(this)
    else this.resume()
  }

  /** Sends FIN. */
  shut(): void {
    if (this.isShut) return
    this.isShut = true
    const request = new (nodeTcp().ShutdownRequest)() as ShutdownRequest // its field is set here
    request.oncomplete = onShut
    request.flow = this
    this.isShutting = this.to?.shutdown(request) === 0
  }

  /** Gives the large buffer back. */
  release(): void {
    if (this.#own) giveBuffer(this.#own, !this.isPending)
    this.#own = undefined
  }

  /** `onread` stops reading if it returns false. */
  static #onBytes(this: Flow, length: number, buffer: Buffer): boolean {
    const goesOn = this.#onRead(length, buffer)
    this.#isReading = goesOn && !this.owner.isOver
    return this.#isReading
  }

  #onRead(length: number, buffer: Buffer): boolean {
    if (this.to === undefined) return this.#keep(length)
    this.owner.onBytes(this, length)
    return buffer === sharedBuffer ? this.#relayShared(length) : this.#relayOwn(length, buffer)
  }

  #keep(length: number): boolean {
    const copy = copyOfShared(length)
    this.#ahead = this.#ahead ? Buffer.concat([this.#ahead, copy]) : copy
    return this.#ahead.length < sharedBuffer.length
  }

  #relayShared(length: number): boolean {
    if (!this.send(copyOfShared(length))) return false
    if (length === sharedBuffer.length) next = (this.#own = takeBuffer()) ?? sharedBuffer
    return true
  }

  #relayOwn(length: number, own: Buffer): boolean {
    next = own
    const isFull = length === own.length
    if (!this.send(isFull ? own : own.subarray(0, length))) return false
    if (isFull) return takeTurns(this)
    this.#smallReads = length < sharedBuffer.length ? this.#smallReads + 1 : 0
    if (this.#smallReads < SMALL_READS) return true
    this.#smallReads = 0
    next = sharedBuffer
    this.release()
    return true
  }

  /** Node before 24 takes a reset that comes with data for an end. Without a peer, the next read ends again, or fails. */
  #holdsEnd(): boolean {
    if (this.#isDoubtful || hasPeer(this.from)) return false
    this.#isDoubtful = true
    this.#isReading = this.from?.readStart() === 0
    return this.#isReading
  }

  #end(): void {
    this.hasEnded = true
    const { owner } = this
    owner.onEnd(this, this.#isDoubtful)
    if (!owner.isOver && !this.isPending) owner.onFinished(this)
  }
}

function hasPeer(handle: TcpHandle | undefined): boolean {
  return handle?.getpeername({}) === 0
}

interface ShutdownRequest extends Request {
  flow: Flow
}

function onShut(this: ShutdownRequest): void {
  this.flow.isShutting = false
}

function copyOfShared(length: number): Buffer {
  const copy = Buffer.allocUnsafe(length)
  sharedBuffer.copy(copy, 0, 0, length)
  return copy
}
