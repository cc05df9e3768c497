// Room for so many connections at a time. Later ones are refused, or wait in order.

import { limit } from '../../checks/index.ts'

export class ConnectionSlots {
  #limit: number
  #taken = 0
  readonly #waiting = new Set<() => void>()

  constructor(limit: number) {
    this.#limit = limit
  }

  get limit(): number {
    return this.#limit
  }

  set limit(connections: number) {
    this.#limit = limit(connections, 'connections')
    this.#admit()
  }

  get waiting(): number {
    return this.#waiting.size
  }

  take(): boolean {
    if (this.#taken >= this.#limit) return false
    this.#taken++
    return true
  }

  /** False if the signal aborts first, or no slot is free within `timeout` milliseconds. */
  wait(timeout: number, signal: AbortSignal): Promise<boolean> {
    if (signal.aborted) return Promise.resolve(false)
    return new Promise(resolve => {
      const settle = (taken: boolean): void => {
        clearTimeout(timer)
        signal.removeEventListener('abort', onEnd)
        this.#waiting.delete(onFree)
        resolve(taken)
      }
      function onFree(): void {
        settle(true)
      }
      function onEnd(): void {
        settle(false)
      }
      const timer = setTimeout(onEnd, timeout).unref()
      signal.addEventListener('abort', onEnd)
      this.#waiting.add(onFree)
    })
  }

  free(): void {
    this.#taken--
    this.#admit()
  }

  #admit(): void {
    for (const next of this.#waiting) {
      if (!this.take()) return
      next()
    }
  }
}
