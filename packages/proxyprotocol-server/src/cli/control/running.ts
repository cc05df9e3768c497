// What runs is the file's configuration with the weights that an operator has set.

import type { Configuration } from '../../config/index.ts'
import { explain, log, PlainError, type ProgramIo } from '../program.ts'
import type { ChangeCounts, Serving } from '../services/index.ts'
import { adjusted, keptWeights, type SetWeight, type UpstreamTarget, withWeight } from './weights.ts'

export class Running {
  readonly serving: Serving
  readonly #io: ProgramIo
  readonly #reread: () => Promise<Configuration>
  #file: Configuration
  #weights: readonly SetWeight[] = []
  /** Changes happen one after the other. */
  #turn: Promise<unknown> = Promise.resolve()

  constructor(
    io: ProgramIo,
    serving: Serving,
    { first, reread }: { first: Configuration; reread: () => Promise<Configuration> },
  ) {
    this.#io = io
    this.serving = serving
    this.#file = first
    this.#reread = reread
  }

  get file(): Configuration {
    return this.#file
  }

  /** Reads the file again; a fault is logged as well. */
  reload(): Promise<ChangeCounts> {
    return this.#inTurn(async () => {
      try {
        const next = await this.#reread()
        const counts = await this.#change(next, keptWeights(this.#weights, next))
        log(this.#io, 'reloaded', Object.entries(counts))
        return counts
      } catch (error) {
        if (!this.serving.isEnding) log(this.#io, 'reload-failed', [['error', explain(error)]])
        throw error
      }
    })
  }

  /** Undefined is the weight of the file. */
  setWeight(target: UpstreamTarget, weight: number | undefined): Promise<void> {
    return this.#inTurn(async () => {
      await this.#change(this.#file, withWeight(this.#weights, this.#file, { target, weight }))
      const { service, upstream } = target
      log(this.#io, 'weight', [
        ['service', service],
        ['upstream', upstream],
        ['weight', weight ?? 'file'],
      ])
    })
  }

  async #change(file: Configuration, weights: readonly SetWeight[]): Promise<ChangeCounts> {
    const counts = await this.serving.change(adjusted(file, weights))
    this.#file = file
    this.#weights = weights
    return counts
  }

  #inTurn<T>(job: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(() => {
      if (this.serving.isEnding) throw new PlainError('the program is ending')
      return job()
    })
    this.#turn = done.catch(() => undefined) // the caller gets the error
    return done
  }
}
