// What runs is the file's configuration with the weights that an operator has set.

import type { Configuration, Source } from '../../config/index.ts'
import { explain, log, PlainError, type ProgramIo } from '../program.ts'
import type { ChangeCounts, Serving } from '../services/index.ts'
import { adjusted, keptWeights, type SetWeight, type UpstreamTarget, withWeight } from './weights.ts'

export interface Reading {
  readonly configuration: Configuration
  /** The files that it was read from, without those that they name. */
  readonly sources: readonly Source[]
}

/** Reads these sources again, or the files anew. */
export type Reread = (sources?: readonly Source[]) => Promise<Reading>

export class Running {
  readonly serving: Serving
  readonly #io: ProgramIo
  readonly #reread: Reread
  #reading: Reading
  #weights: readonly SetWeight[] = []
  /** Changes happen one after the other. */
  #turn: Promise<unknown> = Promise.resolve()

  constructor(
    io: ProgramIo,
    serving: Serving,
    { first, reread }: { readonly first: Reading; readonly reread: Reread },
  ) {
    this.#io = io
    this.serving = serving
    this.#reading = first
    this.#reread = reread
  }

  get file(): Configuration {
    return this.#reading.configuration
  }

  /** Reads the file again; a fault is logged as well. */
  reload(): Promise<ChangeCounts> {
    return this.#again(() => this.#reread())
  }

  /** Reads the lists of upstreams again, and nothing else. */
  follow(): Promise<ChangeCounts> {
    return this.#again(() => this.#reread(this.#reading.sources))
  }

  #again(read: () => Promise<Reading>): Promise<ChangeCounts> {
    return this.#inTurn(async () => {
      try {
        const next = await read()
        const counts = await this.#change(next, keptWeights(this.#weights, next.configuration))
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
      await this.#change(this.#reading, withWeight(this.#weights, this.file, { target, weight }))
      const { service, upstream } = target
      log(this.#io, 'weight', [
        ['service', service],
        ['upstream', upstream],
        ['weight', weight ?? 'file'],
      ])
    })
  }

  async #change(next: Reading, weights: readonly SetWeight[]): Promise<ChangeCounts> {
    const counts = await this.serving.change(adjusted(next.configuration, weights))
    this.#reading = next
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
