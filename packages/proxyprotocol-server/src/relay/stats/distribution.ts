// How a measure is spread: a count for each range, which is all that quantiles over many processes need.

/** A snapshot; bounds and sum in milliseconds. */
export interface DistributionView {
  /** Upper bounds, ascending; a last range above them has none. */
  readonly bounds: readonly number[]
  /** One for each bound and one for the last range; each range for itself. */
  readonly counts: readonly number[]
  readonly sum: number
}

/** Counts durations by ranges. */
export class Distribution {
  readonly #bounds: readonly number[]
  readonly #counts: number[]
  #sum = 0

  /** @param bounds upper bounds in milliseconds, ascending. */
  constructor(bounds: readonly number[]) {
    this.#bounds = bounds
    this.#counts = new Array<number>(bounds.length + 1).fill(0)
  }

  /** Counts one duration in milliseconds. */
  add(milliseconds: number): void {
    const at = this.#bounds.findIndex(bound => milliseconds <= bound)
    const range = at === -1 ? this.#bounds.length : at
    this.#counts[range] = (this.#counts[range] as number) + 1 // there is one for each range
    this.#sum += milliseconds
  }

  /** What was counted so far. */
  view(): DistributionView {
    return { bounds: this.#bounds, counts: [...this.#counts], sum: this.#sum }
  }
}
