// One timer for all pending headers, because most come within milliseconds.

import { LiveSet } from '../../node-internals/index.ts'

export interface Waiting {
  /** By the clock of `performance.now()`. */
  readonly deadline: number
  onDeadline(): void
}

export class Deadlines {
  readonly #waiting = new LiveSet<Waiting>()
  #timer: NodeJS.Timeout | undefined
  #next = Infinity

  add(waiting: Waiting): void {
    this.#waiting.add(waiting)
    if (waiting.deadline < this.#next) this.#wake(waiting.deadline)
  }

  delete(waiting: Waiting): void {
    this.#waiting.delete(waiting)
    if (this.#waiting.size === 0) this.#wake(Infinity)
  }

  #wake(at: number): void {
    clearTimeout(this.#timer)
    this.#next = at
    if (at !== Infinity) this.#timer = setTimeout(this.#look, Math.ceil(at - performance.now())).unref()
  }

  readonly #look = (): void => {
    this.#next = Infinity
    const now = performance.now()
    for (const waiting of this.#waiting) {
      if (waiting.deadline <= now) waiting.onDeadline()
      else if (waiting.deadline < this.#next) this.#next = waiting.deadline
    }
    if (this.#next !== Infinity) this.#wake(this.#next)
  }
}
