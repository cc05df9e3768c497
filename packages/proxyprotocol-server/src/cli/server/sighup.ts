// SIGHUP, which asks a program to look at its files again: one job at a time, and one more for all signals that come during it.

import type { ProgramIo } from '../program.ts'

export class Sighup {
  readonly #io: ProgramIo
  readonly #job: () => Promise<void>
  #asked = false
  #busy = true

  /**
   * Listens from now on, so that no signal ends the process, and runs the job from {@link Sighup.start} on.
   *
   * @param job must not reject.
   */
  constructor(io: ProgramIo, job: () => Promise<void>) {
    this.#io = io
    this.#job = job
    io.on('SIGHUP', this.#onSignal)
  }

  /** Signals that came before count as one. */
  start(): void {
    void this.#run()
  }

  stop(): void {
    this.#io.off('SIGHUP', this.#onSignal)
  }

  readonly #onSignal = (): void => {
    this.#asked = true
    if (!this.#busy) void this.#run()
  }

  async #run(): Promise<void> {
    this.#busy = true
    while (this.#asked) {
      this.#asked = false
      await this.#job()
    }
    this.#busy = false
  }
}
