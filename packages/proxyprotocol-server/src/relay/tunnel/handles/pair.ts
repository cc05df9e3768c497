// The handles of a client and of its upstream, and the two directions between them.
//
//        near                                  far
//   client ─► up:   read ─► write ─────────► upstream     up.to is undefined until begin()
//   client ◄─ down: write ◄─ read ◄───────── upstream

import type { Traffic } from '../direction.ts'
import { Flow, type FlowOwner } from './flow.ts'
import { forgetAge, watchAge } from './keep-alive.ts'
import type { TcpHandle } from './node-tcp.ts'
import { resetBehindEnd, systemError } from './system-error.ts'

export interface PairTimes {
  /** Milliseconds. */
  readonly halfClose: number
  readonly keepAlive: number
}

export abstract class Pair implements FlowOwner {
  isOver = false
  protected readonly near: TcpHandle
  protected far: TcpHandle | undefined = undefined
  protected readonly up: Flow = new Flow(this)
  protected readonly down: Flow = new Flow(this)
  readonly #times: PairTimes
  #timer: NodeJS.Timeout | undefined = undefined

  constructor(near: TcpHandle, times: PairTimes) {
    this.near = near
    this.#times = times
  }

  abstract get traffic(): Traffic
  protected abstract done(): void
  protected abstract fault(side: 'client' | 'upstream', error: NodeJS.ErrnoException): void
  protected abstract silence(detail: string): void

  /** Changes with each byte that moves. */
  protected get moved(): number {
    const { bytesRead, bytesWritten, writeQueueSize } = this.near
    return bytesRead + bytesWritten - writeQueueSize
  }

  /** Reads the client, so that its first bytes leave with the header. */
  protected listen(): void {
    this.down.to = this.near
    this.up.join(this.near)
    this.up.resume()
  }

  /** Joins the client to its upstream, which gets `head` first. */
  protected join(far: TcpHandle, head: Uint8Array | undefined): void {
    const { up, down } = this
    up.to = far
    down.join(far)
    watchAge(up)
    const first = this.#first(head)
    if (first && !up.send(first)) up.pause()
    if (this.isOver) return
    down.resume()
    if (!up.hasEnded) up.resume()
    else if (!up.isPending) this.onFinished(up)
  }

  /** What libuv refuses to reset it closes: a shutdown is under way, so all bytes were written. */
  protected close(resetNear: boolean, resetFar: boolean): void {
    const { up, down, near, far } = this
    this.isOver = true
    clearTimeout(this.#timer)
    forgetAge(up)
    for (const flow of [up, down]) flow.release()
    if (resetNear && !down.isShutting) near.reset()
    else near.close()
    if (resetFar && !up.isShutting) far?.reset()
    else far?.close()
  }

  onBytes(flow: Flow, length: number): void {
    const { traffic } = this
    if (flow === this.up) {
      traffic.bytesUp += length
      return
    }
    traffic.firstByteAt ??= performance.now()
    traffic.bytesDown += length
  }

  onEnd(flow: Flow, wasLost: boolean): void {
    const { up, down } = this
    // A peer that is lost before our own FIN has reset the connection.
    if (wasLost && !this.#other(flow).isShut) return this.onReadError(flow, resetBehindEnd())
    if (flow === up || (up.hasEnded && !up.isPending && !down.isPending)) return
    this.traffic.upstreamEnded = true
    this.#limitSilence(this.moved)
  }

  onFinished(flow: Flow): void {
    if (flow.to === undefined) return // it is connecting
    const other = this.#other(flow)
    if (other.hasEnded && !other.isPending) this.done()
    else flow.shut()
  }

  onReadError(flow: Flow, error: NodeJS.ErrnoException): void {
    this.fault(flow === this.up ? 'client' : 'upstream', error)
  }

  onWriteError(flow: Flow, status: number): void {
    this.fault(flow === this.up ? 'upstream' : 'client', systemError(status, 'write'))
  }

  onAged(): void {
    const seconds = Math.floor(this.#times.keepAlive / 1_000)
    for (const handle of [this.near, this.far]) handle?.setKeepAlive(true, seconds)
  }

  #first(head: Uint8Array | undefined): Uint8Array | undefined {
    const ahead = this.up.takeAhead()
    if (ahead === undefined) return head
    this.traffic.bytesUp += ahead.length
    return head ? Buffer.concat([head, ahead]) : ahead
  }

  #other(flow: Flow): Flow {
    return flow === this.up ? this.down : this.up
  }

  /** A client rarely sends on to an upstream that has ended. */
  #limitSilence(before: number): void {
    this.#timer = setTimeout(() => {
      const { moved } = this
      if (moved !== before) this.#limitSilence(moved)
      else if (this.up.hasEnded && !this.down.isPending) this.silence('the upstream does not read')
      else this.silence('the upstream has ended, and the client does not')
    }, this.#times.halfClose).unref()
  }
}
