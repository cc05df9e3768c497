// The last sixty seconds of a set of sums, as the differences between readings once a second.

import { noTotals, sumsOf, type LastMinute, type Sums } from '../figures/index.ts'

const SECONDS = 60

const names = ['accepted', 'closed', 'errors', 'bytesUp', 'bytesDown'] as const
const zero = sumsOf(noTotals)

export class Minute {
  #before: Sums
  #seconds: readonly Sums[] = Array.from({ length: SECONDS }, () => zero)

  constructor(before: Sums = zero) {
    this.#before = before
  }

  add(now: Sums): void {
    const since = Object.fromEntries(names.map(name => [name, Math.max(0, now[name] - this.#before[name])]))
    // Sums fall when a service is removed, which is not negative traffic.
    this.#seconds = [...this.#seconds.slice(1), since as unknown as Sums] // it has all names
    this.#before = now
  }

  view(): LastMinute {
    const series = names.map(name => [name, this.#seconds.map(second => second[name])])
    return Object.fromEntries(series) as LastMinute // it has all names
  }
}
