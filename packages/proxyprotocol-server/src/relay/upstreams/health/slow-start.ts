// An upstream that is cold gets a tenth of its share at once, and the rest in nine steps.

const STEPS = 10

export class SlowStart {
  readonly #interval: number
  readonly #onShare: (share: number) => void
  #step = STEPS
  #timer: NodeJS.Timeout | undefined

  /** @param onShare gets each share, up to 1. */
  constructor(duration: number, onShare: (share: number) => void) {
    this.#interval = duration / (STEPS - 1)
    this.#onShare = onShare
  }

  begin(): void {
    if (this.#interval > 0) this.#to(1)
  }

  /** Another one, or itself after a stop. */
  continue(other: SlowStart): void {
    if (this.#interval > 0) this.#to(other.#step)
  }

  stop(): void {
    clearTimeout(this.#timer)
  }

  #to(step: number): void {
    this.stop()
    this.#step = step
    this.#onShare(step / STEPS)
    if (step < STEPS) this.#timer = setTimeout(() => this.#to(step + 1), this.#interval).unref()
  }
}
