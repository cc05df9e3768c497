// How a server goes away: not ready, then no longer listening, then waiting for its handlers, at last without patience. One
// that has handed its socket over waits for all of its connections first.

import { ProxyProtocolError } from '../../codec/index.ts'
import { checkNames, milliseconds } from '../../checks/index.ts'
import type { Connection } from './connection.ts'

/** How patiently a server closes. */
export interface CloseOptions {
  /** Milliseconds that handlers have to finish before they are aborted. Default 30000. */
  readonly drain?: number | undefined
  /** Milliseconds to go on accepting first, for a load balancer to notice that this server is going away. Default 0. */
  readonly readyDelay?: number | undefined
}

/** How patiently a server waits for its connections once it has handed its socket over. */
export interface HandOverOptions {
  /**
   * Milliseconds until those that are left are aborted; `Infinity` for as long as they last, under their own timeouts.
   * Default `Infinity`.
   */
  readonly drain?: number | undefined
}

/** How a server's last connections went. */
export interface CloseResult {
  /** Connections that ended by themselves while the server was closing. */
  readonly drained: number
  /** Connections that the server had to end: those without a complete header yet, and those past the deadline. */
  readonly forced: number
  /** Connections whose handlers ignored the abort and still run, with their age in milliseconds. */
  readonly stuck: readonly { readonly id: string; readonly age: number }[]
}

/** What a drain needs of its server. */
export interface Drainable {
  readonly held: ReadonlySet<Connection>
  readonly abortTimeout: number
  stopListening(): void
  /** Called at the end of the drain. */
  onOver(): void
}

/** What a drain goes by; milliseconds. */
interface DrainPlan {
  readonly readyDelay: number
  readonly drain: number
  /** Another server has the socket: only time, or a close(), ends what is under way. */
  readonly handedOver: boolean
}

const DEFAULT_DRAIN = 30_000

type DrainEvent = 'empty' | 'abort' | 'close'

export class Drain {
  /** Never rejects. */
  readonly result: Promise<CloseResult>
  readonly #server: Drainable
  readonly #plan: DrainPlan
  /** How the server closes, once it does. */
  #closing: DrainPlan | undefined
  #over = false
  #aborted: { readonly cause: unknown } | undefined
  #wake: ((event: DrainEvent) => void) | undefined

  private constructor(server: Drainable, plan: DrainPlan) {
    this.#server = server
    this.#plan = plan
    if (!plan.handedOver) this.#closing = plan
    // Not at once: the server must know its drain before signals abort, and abort() wants to say why they do.
    this.result = Promise.resolve().then(() => this.#run())
  }

  /** @throws RangeError naming the option that is wrong. */
  static closing(server: Drainable, options: CloseOptions): Drain {
    return new Drain(server, closePlan(options))
  }

  /** @throws RangeError naming the option that is wrong. */
  static handedOver(server: Drainable, options: HandOverOptions): Drain {
    return new Drain(server, handOverPlan(options))
  }

  get over(): boolean {
    return this.#over
  }

  /** The last connection is gone. */
  emptied(): void {
    this.#wake?.('empty')
  }

  /**
   * Closes a server that has handed its socket over; one that is closing already goes on as it does.
   *
   * @throws RangeError naming the option that is wrong.
   */
  close(options: CloseOptions): void {
    if (this.#closing) return
    this.#closing = closePlan(options)
    this.#wake?.('close')
  }

  /** Ends the patience of a server that is closing: whatever is left is aborted now. */
  abort(cause: unknown): void {
    this.#aborted ??= { cause }
    this.#wake?.('abort')
  }

  async #run(): Promise<CloseResult> {
    const { held, abortTimeout } = this.#server
    const { readyDelay, drain } = this.#plan
    if (readyDelay > 0 && !this.#aborted) await this.#sleep(readyDelay, ['abort'])
    if (!this.#plan.handedOver) this.#server.stopListening()
    const open = held.size
    const deadline = performance.now() + drain
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

  /** Sleeps, where there is anybody to wait for. */
  async #wait(ms: number, events: readonly DrainEvent[]): Promise<void> {
    if (this.#server.held.size > 0 && ms > 0 && !this.#aborted) await this.#sleep(ms, events)
  }

  /**
   * Waits, at most so many milliseconds, for one of the events. The timer keeps the process alive for the caller of
   * close().
   */
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

/** @throws RangeError naming the option that is wrong. */
function closePlan(options: CloseOptions): DrainPlan {
  checkNames(options, ['drain', 'readyDelay'])
  const drain = milliseconds(options.drain ?? DEFAULT_DRAIN, 'drain')
  const readyDelay = milliseconds(options.readyDelay ?? 0, 'readyDelay')
  return { readyDelay, drain, handedOver: false }
}

/** @throws RangeError naming the option that is wrong. */
function handOverPlan(options: HandOverOptions): DrainPlan {
  checkNames(options, ['drain'])
  const { drain = Infinity } = options
  return { readyDelay: 0, drain: drain === Infinity ? drain : milliseconds(drain, 'drain'), handedOver: true }
}
