// How a server closes: not ready, no longer listening, waiting for its handlers, aborting them. A server that handed
// its socket over first waits for all of its connections.

import { ProxyProtocolError } from '../../codec/index.ts'
import { checkNames, milliseconds } from '../../checks/index.ts'
import type { Connection } from './connection.ts'
import type { Listener } from './listener.ts'

/** How long a server waits when it closes. */
export interface CloseOptions {
  /** Milliseconds until handlers that still run are aborted. Default 30000. */
  readonly drain?: number | undefined
  /** Milliseconds to go on accepting, for load balancers to notice the end. Default 0. */
  readonly readyDelay?: number | undefined
}

/** How long a server waits for its connections after it has handed its socket over. */
export interface HandOverOptions {
  /**
   * Milliseconds until the rest is aborted. Default `Infinity`: connections last as long as their own timeouts allow.
   */
  readonly drain?: number | undefined
}

/** How a server's last connections ended. */
export interface CloseResult {
  /** Connections that ended by themselves while the server was closing. */
  readonly drained: number
  /** Connections that the server ended: without a complete header, or past the deadline. */
  readonly forced: number
  /** Connections whose handlers ignore the abort, with their age in milliseconds. */
  readonly stuck: readonly { readonly id: string; readonly age: number }[]
}

export interface Drainable {
  readonly held: ReadonlySet<Connection>
  readonly abortTimeout: number
  readonly listener: Pick<Listener, 'emptiesQueues' | 'emptyQueues' | 'close'>
  onOver(): void
}

interface DrainPlan {
  readonly readyDelay: number
  readonly drain: number
  /** Another server has the socket: only time, or a close(), ends the connections. */
  readonly handedOver: boolean
}

const DEFAULT_DRAIN = 30_000

type DrainEvent = 'empty' | 'abort' | 'close'

export class Drain {
  /** Never rejects. */
  readonly result: Promise<CloseResult>
  readonly #server: Drainable
  readonly #plan: DrainPlan
  #closing: DrainPlan | undefined
  #over = false
  #aborted: { readonly cause: unknown } | undefined
  #wake: ((event: DrainEvent) => void) | undefined

  private constructor(server: Drainable, plan: DrainPlan) {
    this.#server = server
    this.#plan = plan
    if (!plan.handedOver) this.#closing = plan
    // One tick later: the server must know its drain before signals abort.
    this.result = Promise.resolve().then(() => this.#run())
  }

  static closing(server: Drainable, options: CloseOptions): Drain {
    return new Drain(server, closePlan(options))
  }

  static handedOver(server: Drainable, options: HandOverOptions): Drain {
    return new Drain(server, handOverPlan(options))
  }

  get over(): boolean {
    return this.#over
  }

  emptied(): void {
    this.#wake?.('empty')
  }

  close(options: CloseOptions): void {
    const plan = closePlan(options) // also of a later call, so that a wrong option is always named
    if (this.#closing) return
    this.#closing = plan
    this.#wake?.('close')
  }

  /** Aborts all that is left of a server that is closing. */
  abort(cause: unknown): void {
    this.#aborted ??= { cause }
    this.#wake?.('abort')
  }

  async #run(): Promise<CloseResult> {
    const { held, abortTimeout, listener } = this.#server
    const { readyDelay, drain } = this.#plan
    if (readyDelay > 0 && !this.#aborted) await this.#sleep(readyDelay, ['abort'])
    const deadline = performance.now() + drain
    if (!this.#plan.handedOver) {
      if (listener.emptiesQueues) await this.#emptyQueues(drain / 2) // the clients need time, too
      listener.close()
    }
    const open = held.size
    if (!this.#closing) await this.#wait(drain, ['empty', 'close'])
    const forced = new Set(this.#closing ? [...held].filter(isUnopened) : [])
    for (const connection of forced) connection.abort()
    if (this.#closing) {
      await this.#wait(Math.min(this.#closing.drain, deadline - performance.now()), ['empty', 'abort'])
    }
    const code = this.#aborted ? 'aborted' : 'drain_deadline'
    for (const connection of held) {
      forced.add(connection)
      connection.abort(new ProxyProtocolError(code, this.#aborted))
    }
    if (held.size > 0) await this.#sleep(abortTimeout, ['empty'])
    this.#over = true
    this.#server.onOver()
    const stuck = [...held].map(({ id, age }) => ({ id, age }))
    return { drained: open - forced.size, forced: forced.size - stuck.length, stuck }
  }

  #emptyQueues(patience: number): Promise<void> {
    const end = performance.now() + patience
    return this.#server.listener.emptyQueues(() => !this.#aborted && performance.now() < end)
  }

  /** Does not sleep without connections. */
  async #wait(ms: number, events: readonly DrainEvent[]): Promise<void> {
    if (this.#server.held.size > 0 && ms > 0 && !this.#aborted) await this.#sleep(ms, events)
  }

  /** The timer keeps the process alive for the caller of close(). */
  async #sleep(ms: number, events: readonly DrainEvent[]): Promise<void> {
    await new Promise<void>(resolve => {
      const timer = ms === Infinity ? undefined : setTimeout(resolve, ms)
      this.#wake = event => {
        if (!events.includes(event)) return
        clearTimeout(timer)
        resolve()
      }
    })
    this.#wake = undefined
  }
}

function isUnopened({ state }: Connection): boolean {
  return state === 'accepted' || state === 'header'
}

function closePlan(options: CloseOptions): DrainPlan {
  checkNames(options, ['drain', 'readyDelay'])
  const drain = milliseconds(options.drain ?? DEFAULT_DRAIN, 'drain')
  const readyDelay = milliseconds(options.readyDelay ?? 0, 'readyDelay')
  return { readyDelay, drain, handedOver: false }
}

function handOverPlan(options: HandOverOptions): DrainPlan {
  checkNames(options, ['drain'])
  const { drain = Infinity } = options
  return { readyDelay: 0, drain: drain === Infinity ? drain : milliseconds(drain, 'drain'), handedOver: true }
}
