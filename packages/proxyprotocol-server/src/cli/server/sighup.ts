// Runs a job on SIGHUP, one at a time, and once more for all signals during a run.

import type { ProgramIo } from '../program.ts'

export class Sighup {
  readonly #io: ProgramIo
  readonly #job: () => Promise<void>
  #asked = false
  #busy = true

  /** Handles signals from construction on, so that none ends the process. */
  constructor(io: ProgramIo, job: () => Promise<void>) {
    this.#io = io
    this.#job = job
    io.on('SIGHUP', this.ask)
  }

  start(): void {
    void this.#run()
  }

  stop(): void {
    this.#io.off('SIGHUP', this.ask)
  }

  readonly ask = (): void => {
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
