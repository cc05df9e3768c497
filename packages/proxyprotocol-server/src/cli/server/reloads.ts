// What makes a program read its configuration again: SIGHUP, its files with `--watch`, and lists of upstreams.

import type { Configuration } from '../../config/index.ts'
import { type Reading, type Reread, Running } from '../control/index.ts'
import type { ProgramIo } from '../program.ts'
import { entriesBelow, EntryWatch, type Serving } from '../services/index.ts'
import { Sighup } from './sighup.ts'

export interface ReloadOptions {
  readonly first: Reading
  readonly reread: Reread
  readonly watched: readonly string[]
}

export class Reloads {
  readonly running: Running
  readonly #options: ReloadOptions
  readonly #files: EntryWatch
  readonly #lists: EntryWatch
  readonly #sighup: Sighup

  /** Handles signals from construction on. */
  constructor(io: ProgramIo, served: Serving, options: ReloadOptions) {
    this.#options = options
    this.running = new Running(io, served, { first: options.first, reread: kept => this.#reread(kept) })
    this.#sighup = new Sighup(io, async () => {
      if (served.isEnding) return
      await this.running.reload().catch(() => undefined) // it is logged
      served.renew()
    })
    this.#files = new EntryWatch(io, () => {
      this.#sighup.ask()
    })
    this.#lists = new EntryWatch(io, () => {
      this.running.follow().catch(() => undefined) // it is logged
    })
  }

  start(): void {
    this.#watch()
    this.#sighup.start()
  }

  stop(): void {
    this.#files.stop()
    this.#lists.stop()
    this.#sighup.stop()
  }

  /** Watched before it is read, so that no change is missed. */
  async #reread(kept: Parameters<Reread>[0]): Promise<Reading> {
    this.#watch()
    const next = await this.#options.reread(kept)
    const [now, then] = [listsOf(this.running.file), listsOf(next.configuration)]
    if (then.some(file => !now.includes(file))) this.#watchLists([...now, ...then])
    return next
  }

  #watch(): void {
    this.#files.watch(this.#options.watched.flatMap(entriesBelow))
    this.#watchLists(listsOf(this.running.file))
  }

  #watchLists(files: readonly string[]): void {
    this.#lists.watch(files.flatMap(entriesBelow))
  }
}

function listsOf({ services }: Configuration): readonly string[] {
  return [...new Set(services.flatMap(({ upstreamsFrom }) => upstreamsFrom ?? []))]
}
