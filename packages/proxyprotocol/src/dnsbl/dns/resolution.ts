// Asks several servers in turn until one answers.

import { CANCELLED, CONNREFUSED, NODATA, NOTFOUND } from 'node:dns'
import { Exchange } from './exchange.ts'
import type { Outcome } from './exchange.ts'
import type { NameServer } from './name-server.ts'
import type { AddressRecord } from './reply.ts'

export interface ResolutionOptions {
  readonly servers: readonly NameServer[]
  /** Milliseconds until the next server is asked; the first follows the last. */
  readonly interval: number
}

export class Resolution {
  /** Rejects with `ENOTFOUND` or `ENODATA` for no address, otherwise the last server's failure. */
  readonly records: Promise<readonly AddressRecord[]>
  readonly #name: string
  readonly #waiting: NameServer[]
  /** In the order of asking. */
  readonly #asked = new Set<Exchange>()
  readonly #timer: NodeJS.Timeout
  /** Undefined after the end. */
  #settle: { resolve(records: readonly AddressRecord[]): void; reject(error: Error): void } | undefined
  #failure: string = CONNREFUSED

  constructor(name: string, { servers, interval }: ResolutionOptions) {
    this.#name = name
    this.#waiting = [...servers]
    this.records = new Promise((resolve, reject) => {
      this.#settle = { resolve, reject }
    })
    // The sockets keep the process alive.
    this.#timer = setInterval(() => this.#askNext(), interval).unref()
    this.#askNext()
  }

  /** Rejects with `ECANCELLED`. */
  cancel(): void {
    this.#fail(CANCELLED)
  }

  #askNext(): void {
    const server = this.#waiting.shift()
    if (server !== undefined) {
      const exchange = new Exchange(server, this.#name, outcome => this.#onOutcome(exchange, outcome))
      this.#asked.add(exchange)
      return
    }
    const [first] = this.#asked
    if (first === undefined) return this.#fail(this.#failure)
    this.#asked.delete(first)
    this.#asked.add(first)
    first.repeat()
  }

  #onOutcome(exchange: Exchange, outcome: Outcome): void {
    if (!this.#asked.delete(exchange)) return
    exchange.close()
    if (outcome.status === 'records') {
      this.#settle?.resolve(outcome.records)
      this.#end()
    } else if (outcome.code === NOTFOUND || outcome.code === NODATA) {
      this.#fail(outcome.code)
    } else {
      this.#failure = outcome.code
      this.#askNext()
    }
  }

  #fail(code: string): void {
    if (this.#settle === undefined) return
    const error = new Error(`queryA ${code} ${this.#name}`)
    this.#settle.reject(Object.assign(error, { code, syscall: 'queryA', hostname: this.#name }))
    this.#end()
  }

  #end(): void {
    this.#settle = undefined
    clearInterval(this.#timer)
    for (const exchange of this.#asked) exchange.close()
    this.#asked.clear()
  }
}
