// How a server of flows ends: it takes no new ones, and waits for the others until a deadline.

import type { CloseOptions, CloseResult } from 'proxyprotocol/server'
import type { FlowEnd } from 'proxyprotocol/udp'

const DEFAULT_DRAIN = 30_000

export interface Ended {
  readonly size: () => number
  /** Ends all flows at once. */
  endAll(reason: FlowEnd): void
  /** Called once. */
  onOver(): void
}

export class Ending {
  readonly result: Promise<CloseResult>
  readonly #flows: Ended
  #resolve: (result: CloseResult) => void = () => undefined
  #acceptsFlows = true
  #isOver = false
  #drained = 0
  #forced: number | undefined
  #isClosing = false
  #ready: NodeJS.Timeout | undefined
  #deadline: NodeJS.Timeout | undefined

  constructor(flows: Ended) {
    this.#flows = flows
    this.result = new Promise(resolve => (this.#resolve = resolve))
  }

  get acceptsFlows(): boolean {
    return this.#acceptsFlows
  }

  get isOver(): boolean {
    return this.#isOver
  }

  /** Its successor takes new flows from now on. */
  handedOver(): void {
    this.#refuse()
  }

  /** The first call counts. */
  close({ drain = DEFAULT_DRAIN, readyDelay = 0 }: CloseOptions): void {
    if (this.#isClosing || this.#isOver) return
    this.#isClosing = true
    if (drain < Infinity) this.#deadline = setTimeout(() => this.#force('drain_deadline'), readyDelay + drain)
    if (readyDelay === 0 || !this.#acceptsFlows) this.#refuse()
    else this.#ready = setTimeout(() => this.#refuse(), readyDelay)
  }

  abort(): void {
    this.#force('aborted')
  }

  /** A flow has ended. */
  ended(): void {
    if (this.#forced !== undefined) return
    this.#drained++
    this.#look()
  }

  #refuse(): void {
    this.#acceptsFlows = false
    this.#look()
  }

  #force(reason: FlowEnd): void {
    if (this.#isOver) return
    this.#forced = this.#flows.size()
    this.#flows.endAll(reason)
    this.#refuse()
  }

  #look(): void {
    if (this.#isOver || this.#acceptsFlows || this.#flows.size() > 0) return
    this.#isOver = true
    clearTimeout(this.#ready)
    clearTimeout(this.#deadline)
    this.#flows.onOver()
    this.#resolve({ drained: this.#drained, forced: this.#forced ?? 0, stuck: [] })
  }
}
