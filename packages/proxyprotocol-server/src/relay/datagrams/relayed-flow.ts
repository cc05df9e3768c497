// One client's datagrams to one upstream, and the replies back over the path that they came.

import { randomUUID } from 'node:crypto'
import type { InetEndpoint } from 'proxyprotocol'
import { Flow, type FlowEnd } from 'proxyprotocol/internal/udp'
import type { DirectionCounts } from '../../figures/index.ts'
import type { Member } from '../upstreams/index.ts'
import type { ClientPort } from './client-port.ts'
import type { Announced } from './headers/index.ts'
import type { Direction, Tally } from './tally.ts'

/** Those that wait while the upstream's name is resolved and its socket opens. */
const MAX_WAITING = 8

/** Node's type of the error has no code. */
export type OnSent = (error: NodeJS.ErrnoException | null) => void

/** How a flow reaches its upstream. */
export interface Way {
  readonly member: Member
  send(payload: Uint8Array, onSent: OnSent): void
  readonly close: () => void
}

export interface FlowContext {
  readonly port: ClientPort
  readonly tally: Tally
  readonly replies: number | undefined
  readonly replyFactor: number | undefined
  readonly now: () => number
  readonly onAnswer: (flow: RelayedFlow) => void
  readonly end: (flow: RelayedFlow, reason: FlowEnd) => void
}

export interface FlowInit {
  readonly key: string
  readonly peer: InetEndpoint
  readonly announced: Announced
}

export class RelayedFlow extends Flow {
  readonly peer: InetEndpoint
  readonly announced: Announced
  readonly openedAt: number
  #id: string | undefined
  readonly #context: FlowContext
  readonly #counts = { up: { datagrams: 0, bytes: 0 }, down: { datagrams: 0, bytes: 0 } }
  #waiting: Uint8Array[] = []
  #way: Way | undefined

  constructor({ key, peer, announced }: FlowInit, context: FlowContext) {
    super(key, announced.source.address)
    this.peer = peer
    this.announced = announced
    this.openedAt = context.now()
    this.#context = context
  }

  get id(): string {
    return (this.#id ??= randomUUID())
  }

  get age(): number {
    return this.#context.now() - this.openedAt
  }

  hasEnded(): boolean {
    return this.state === 'ended'
  }

  get member(): Member | undefined {
    return this.#way?.member
  }

  get counts(): Readonly<Record<Direction, DirectionCounts>> {
    return this.#counts
  }

  /** A datagram of the client, without its header. */
  send(payload: Uint8Array): void {
    const { tally } = this.#context
    if (this.#way === undefined && this.#waiting.length >= MAX_WAITING) return tally.dropped('pending_full')
    tally.accepted()
    if (this.#way) this.#forward(this.#way, payload)
    else this.#waiting.push(payload)
  }

  opened(way: Way): void {
    if (this.hasEnded()) return leave(way)
    this.#way = way
    const waiting = this.#waiting
    this.#waiting = []
    for (const payload of waiting) this.#forward(way, payload)
  }

  /** A datagram of the upstream, without its header. */
  answer(payload: Uint8Array): void {
    const { port, tally, replyFactor = Infinity, replies = Infinity, onAnswer } = this.#context
    const { up, down } = this.#counts
    if (this.state === 'new' && down.bytes + payload.length > up.bytes * replyFactor)
      return tally.dropped('reply_factor')
    onAnswer(this)
    tally.accepted()
    const { back } = this.announced
    port.send(back ? [back, payload] : payload, this.peer, this.#counted('down', payload.length))
    if (down.datagrams >= replies && down.datagrams >= up.datagrams) this.end('done')
  }

  end(reason: FlowEnd): void {
    this.#context.end(this, reason)
  }

  abort(): void {
    this.end('aborted')
  }

  /** It has ended. */
  release(): void {
    for (let left = this.#waiting.length; left > 0; left--) this.#context.tally.lost('no_upstream')
    this.#waiting = []
    if (this.#way) leave(this.#way)
  }

  #forward(way: Way, payload: Uint8Array): void {
    way.send(payload, this.#counted('up', payload.length))
  }

  /** Counts as sent, and takes it back if it was not. */
  #counted(direction: Direction, bytes: number): OnSent {
    const { tally } = this.#context
    const counts = this.#counts[direction]
    tally.sent(direction, bytes)
    counts.datagrams++
    counts.bytes += bytes
    return error => {
      if (!error) return
      counts.datagrams--
      counts.bytes -= bytes
      tally.unsent(direction, bytes, error.code === 'EMSGSIZE' ? 'oversize' : 'send_error')
    }
  }
}

function leave({ member, close }: Way): void {
  close()
  member.endFlow()
}
