// Flows by key, bounded. As in conntrack, a client that speaks after a reply confirms its flow. One coarse
// tick saves a timer per datagram.

import { sourceKey } from '../../trust/index.ts'
import type { Flow } from './flow.ts'
import { FlowQueue } from './flow-queue.ts'
import { flowEnds, type FlowEnd, zeros } from './reasons.ts'

const TICK = 1_000
/** Bounds one tick: so many flows, or this part of a large table. */
const MOST_SWEPT = 1_000
const PART_SWEPT = 1 / 8

export interface FlowSettings {
  readonly flows: number
  /** Most of one address, or /64 for IPv6. */
  readonly perSource: number
  /** Milliseconds without a datagram, rounded up to seconds. */
  readonly newTimeout: number
  readonly confirmedTimeout: number
  /** False refuses flows when the table is full. */
  readonly evicts: boolean
}

/** `opened` is `active` and the sum of `ended`. */
export interface FlowStats {
  readonly opened: number
  readonly active: number
  readonly confirmed: number
  readonly ended: Readonly<Record<FlowEnd, number>>
}

export class FlowTable<F extends Flow> {
  settings: FlowSettings
  readonly #onEnd: (flow: F, reason: FlowEnd) => void
  readonly #flows = new Map<string, F>()
  readonly #new = new FlowQueue()
  readonly #confirmed = new FlowQueue()
  readonly #bySource = new Map<string, number>()
  readonly #ended = zeros(flowEnds)
  readonly #timer: NodeJS.Timeout
  #opened = 0
  #confirmedCount = 0
  #tick = 0

  constructor(settings: FlowSettings, onEnd: (flow: F, reason: FlowEnd) => void) {
    this.settings = settings
    this.#onEnd = onEnd
    this.#timer = setInterval(() => this.sweep(), TICK).unref()
  }

  get size(): number {
    return this.#flows.size
  }

  values(): IterableIterator<F> {
    return this.#flows.values()
  }

  find(key: string): F | undefined {
    const flow = this.#flows.get(key)
    if (flow === undefined) return undefined
    if (flow.isAnswered && flow.state === 'new') this.#confirm(flow)
    else this.#use(flow)
    return flow
  }

  /** Returns the limit that forbids it. */
  add(flow: F): 'limit_flows' | 'limit_source' | undefined {
    const { flows, perSource, evicts } = this.settings
    const source = perSource === Infinity ? undefined : sourceKey(flow.source)
    const ofSource = source === undefined ? 0 : (this.#bySource.get(source) ?? 0)
    if (ofSource >= perSource) return 'limit_source'
    if (this.#flows.size >= flows) {
      const oldest = this.#new.first
      if (!evicts || oldest === undefined) return 'limit_flows'
      this.end(oldest as F, 'evicted') // the queues hold what add() was given
    }
    flow.countedAs = source
    // An eviction may just have ended a flow of this source.
    if (source !== undefined) this.#bySource.set(source, (this.#bySource.get(source) ?? 0) + 1)
    flow.lastTick = this.#tick
    this.#flows.set(flow.key, flow)
    this.#new.push(flow)
    this.#opened++
    return undefined
  }

  answered(flow: F): void {
    if (flow.state === 'ended') return
    flow.isAnswered = true
    this.#use(flow)
  }

  end(flow: F, reason: FlowEnd): void {
    if (flow.state === 'ended') return
    this.#queueOf(flow).remove(flow)
    if (flow.state === 'confirmed') this.#confirmedCount--
    flow.state = 'ended'
    this.#flows.delete(flow.key)
    if (flow.countedAs !== undefined) this.#uncount(flow.countedAs)
    this.#ended[reason]++
    this.#onEnd(flow, reason)
  }

  close(reason: FlowEnd): void {
    clearInterval(this.#timer)
    for (const flow of this.#flows.values()) this.end(flow, reason)
  }

  sweep(): void {
    this.#tick++
    const { newTimeout, confirmedTimeout } = this.settings
    const most = Math.max(MOST_SWEPT, this.#flows.size * PART_SWEPT)
    const left = this.#sweepQueue(this.#new, newTimeout, most)
    this.#sweepQueue(this.#confirmed, confirmedTimeout, left)
  }

  stats(): FlowStats {
    return {
      opened: this.#opened,
      active: this.#flows.size,
      confirmed: this.#confirmedCount,
      ended: { ...this.#ended },
    }
  }

  #sweepQueue(queue: FlowQueue, timeout: number, most: number): number {
    const oldest = this.#tick - Math.ceil(timeout / TICK)
    let left = most
    for (let flow = queue.first; flow && flow.lastTick < oldest && left > 0; flow = queue.first, left--) {
      this.end(flow as F, 'idle_timeout') // the queues hold what add() was given
    }
    return left
  }

  #queueOf({ state }: F): FlowQueue {
    return state === 'confirmed' ? this.#confirmed : this.#new
  }

  #use(flow: F): void {
    flow.lastTick = this.#tick
    this.#queueOf(flow).moveToEnd(flow)
  }

  #confirm(flow: F): void {
    this.#new.remove(flow)
    flow.state = 'confirmed'
    flow.lastTick = this.#tick
    this.#confirmed.push(flow)
    this.#confirmedCount++
  }

  #uncount(source: string): void {
    const left = (this.#bySource.get(source) as number) - 1 // it counts this flow
    if (left > 0) this.#bySource.set(source, left)
    else this.#bySource.delete(source)
  }
}
