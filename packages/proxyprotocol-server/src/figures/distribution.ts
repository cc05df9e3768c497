// How a duration is distributed: a count for each range.

/** A snapshot; bounds and sum in milliseconds. */
export interface DistributionView {
  /** Upper bounds, ascending; the last range has none. */
  readonly bounds: readonly number[]
  /** No range includes another. */
  readonly counts: readonly number[]
  readonly sum: number
}

export class Distribution {
  readonly #bounds: readonly number[]
  readonly #counts: number[]
  #sum = 0

  constructor(bounds: readonly number[]) {
    this.#bounds = bounds
    this.#counts = new Array<number>(bounds.length + 1).fill(0)
  }

  add(milliseconds: number): void {
    const at = this.#bounds.findIndex(bound => milliseconds <= bound)
    const range = at === -1 ? this.#bounds.length : at
    this.#counts[range] = (this.#counts[range] as number) + 1 // each range has a count
    this.#sum += milliseconds
  }

  view(): DistributionView {
    return { bounds: this.#bounds, counts: [...this.#counts], sum: this.#sum }
  }
}

export function sumOfDistributions(one: DistributionView, other: DistributionView): DistributionView {
  return {
    bounds: one.bounds,
    counts: one.counts.map((count, at) => count + (other.counts[at] as number)), // the bounds are the same
    sum: one.sum + other.sum,
  }
}
