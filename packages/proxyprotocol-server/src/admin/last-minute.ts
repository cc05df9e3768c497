// The last sixty seconds, second by second: the differences between sums that were read once a second.

import type { LastMinute, Sums } from '../figures/index.ts'

/** Milliseconds. */
const SECOND = 1_000
const SECONDS = 60

const names = ['accepted', 'closed', 'errors', 'bytesUp', 'bytesDown'] as const

/** Sixty seconds of one set of sums. */
export class Minute {
  #before: Sums
  #seconds: readonly Sums[] = Array.from({ length: SECONDS }, () => zero)

  constructor(before: Sums = zero) {
    this.#before = before
  }

  /** A second is over. */
  add(now: Sums): void {
    const since = Object.fromEntries(names.map(name => [name, Math.max(0, now[name] - this.#before[name])]))
    // A service that was taken away takes its part of the sums along: that is no negative traffic.
    this.#seconds = [...this.#seconds.slice(1), since as unknown as Sums] // by its names
    this.#before = now
  }

  view(): LastMinute {
    const series = names.map(name => [name, this.#seconds.map(second => second[name])])
    return Object.fromEntries(series) as LastMinute // by its names
  }
}

/** Reads the sums once a second until it is stopped; its timer does not keep the process. */
export class MinuteWatch {
  readonly #read: () => Sums
  readonly #timer: NodeJS.Timeout
  readonly #minute: Minute

  constructor(read: () => Sums) {
    this.#read = read
    this.#minute = new Minute(read())
    this.#timer = setInterval(() => this.look(), SECOND).unref()
  }

  /** A second is over. */
  look(): void {
    this.#minute.add(this.#read())
  }

  view(): LastMinute {
    return this.#minute.view()
  }

  stop(): void {
    clearInterval(this.#timer)
  }
}

const zero: Sums = { accepted: 0, closed: 0, errors: 0, bytesUp: 0, bytesDown: 0 }
