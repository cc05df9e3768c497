// Connection slots: room for so many connections at a time. Later ones are refused, or wait for a slot in the order of their arrival.

import { limit } from '../../checks/index.ts'

/** Slots that are taken and freed. */
export class ConnectionSlots {
  #limit: number
  #taken = 0
  readonly #waiting = new Set<() => void>()

  /** @param limit `Infinity` for no limit. */
  constructor(limit: number) {
    this.#limit = limit
  }

  get limit(): number {
    return this.#limit
  }

  /** Those that are taken stay, also if they are more than the limit by now; those that wait get what is new. */
  set limit(connections: number) {
    this.#limit = limit(connections, 'connections')
    this.#admit()
  }

  /** How many wait. */
  get waiting(): number {
    return this.#waiting.size
  }

  /** Takes a slot if one is free. */
  take(): boolean {
    if (this.#taken >= this.#limit) return false
    this.#taken++
    return true
  }

  /** Waits for a slot and takes it; false if the signal aborts first, or none is free within `timeout` milliseconds. */
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

  /** Frees a slot. The first that waits takes it, unless more are taken than the limit allows. */
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
