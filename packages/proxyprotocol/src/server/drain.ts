// How a server goes away: not ready, then no longer listening, then waiting for its handlers, at last without patience.

import { ProxyProtocolError } from '../codec/index.ts'
import type { Connection } from './connection.ts'
import { checkNames, milliseconds } from './option-checks.ts'

/** How patiently a server closes. */
export interface CloseOptions {
  /** Milliseconds that handlers have to finish before they are aborted. Default 30000. */
  readonly drain?: number | undefined
  /** Milliseconds to go on accepting first, for a load balancer to notice that this server is going away. Default 0. */
  readonly readyDelay?: number | undefined
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
}

const DEFAULT_DRAIN = 30_000

export class Drain {
  /** Never rejects. */
  readonly result: Promise<CloseResult>
  readonly #server: Drainable
  #aborted: { readonly cause: unknown } | undefined
  #wake: ((event: 'empty' | 'abort') => void) | undefined

  /** @throws RangeError naming the option that is wrong. */
  constructor(server: Drainable, options: CloseOptions) {
    this.#server = server
    checkNames(options, ['drain', 'readyDelay'])
    const drain = milliseconds(options.drain ?? DEFAULT_DRAIN, 'drain')
    const readyDelay = milliseconds(options.readyDelay ?? 0, 'readyDelay')
    // Not at once: the server must know its drain before signals abort, and abort() wants to say why they do.
    this.result = Promise.resolve().then(() => this.#run(drain, readyDelay))
  }

  /** The last connection is gone. */
  emptied(): void {
    this.#wake?.('empty')
  }

  /** Ends the patience: whatever is left is aborted now. */
  abort(cause: unknown): void {
    this.#aborted ??= { cause }
    this.#wake?.('abort')
  }

  async #run(drain: number, readyDelay: number): Promise<CloseResult> {
    const { held, abortTimeout } = this.#server
    if (readyDelay > 0 && !this.#aborted) await this.#sleep(readyDelay, ['abort'])
    this.#server.stopListening()
    const open = held.size
    const forced = new Set([...held].filter(({ state }) => state === 'accepted' || state === 'header'))
    for (const connection of forced) connection.abort()
    if (held.size > 0 && drain > 0 && !this.#aborted) await this.#sleep(drain, ['empty', 'abort'])
    const code = this.#aborted ? 'aborted' : 'drain_deadline'
    for (const connection of held) {
      forced.add(connection)
      connection.abort(new ProxyProtocolError(code, this.#aborted))
    }
    if (held.size > 0) await this.#sleep(abortTimeout, ['empty'])
    const stuck = [...held].map(({ id, age }) => ({ id, age }))
    return { drained: open - forced.size, forced: forced.size - stuck.length, stuck }
  }

  /** Waits, at most so many milliseconds, for one of the events. The timer keeps the process for whoever awaits close(). */
  async #sleep(ms: number, events: readonly ('empty' | 'abort')[]): Promise<void> {
    await new Promise<void>(resolve => {
      const timer = setTimeout(resolve, ms)
      this.#wake = event => {
        if (!events.includes(event)) return
        clearTimeout(timer)
        resolve()
      }
    })
    this.#wake = undefined
  }
}
