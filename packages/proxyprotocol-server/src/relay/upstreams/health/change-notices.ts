// A flapping member has one report a second, so that it cannot flood the log.

import type { Failure, JudgeChange } from './judge.ts'

const QUIET = 1_000

export type Notice =
  { readonly kind: 'down'; readonly failure: Failure } | { readonly kind: 'up'; readonly downFor: number }

export class ChangeNotices {
  readonly #tell: (notice: Notice) => void
  #latest: JudgeChange | undefined
  #downSince: number | undefined
  #quiet: NodeJS.Timeout | undefined
  #stopped = false

  constructor(tell: (notice: Notice) => void) {
    this.#tell = tell
  }

  begin(downSince: number | undefined): void {
    this.#stopped = false
    this.#downSince = downSince
  }

  changed(change: JudgeChange): void {
    if (this.#stopped) return
    this.#latest = change
    if (this.#quiet === undefined) this.#next(change)
  }

  stop(): void {
    if (this.#quiet && this.#latest) this.#next(this.#latest)
    clearTimeout(this.#quiet)
    this.#quiet = undefined
    this.#stopped = true
  }

  #next(change: JudgeChange): void {
    const since = this.#downSince
    if (change.isUp) {
      if (since === undefined) return
      this.#downSince = undefined
      this.#say({ kind: 'up', downFor: change.at - since })
    } else if (since === undefined) {
      this.#downSince = change.at
      this.#say({ kind: 'down', failure: change.failure })
    }
  }

  #say(notice: Notice): void {
    clearTimeout(this.#quiet)
    this.#quiet = setTimeout(() => {
      this.#quiet = undefined
      if (this.#latest) this.#next(this.#latest)
    }, QUIET).unref()
    this.#tell(notice)
  }
}
