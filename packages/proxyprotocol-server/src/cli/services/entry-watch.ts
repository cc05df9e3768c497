// Watches directories, because an editor replaces a file, Kubernetes a link beside it, and certbot a link elsewhere.

import { watch, type FSWatcher } from 'node:fs'
import { basename } from 'node:path'
import { log, type ProgramIo } from '../program.ts'
import { ANY, type PathEntry } from './path-entries.ts'

/** Several files are written one after the other. */
const SETTLING_TIME = 500

export class EntryWatch {
  readonly #io: ProgramIo
  readonly #onChange: () => void
  #watchers: readonly FSWatcher[] = []
  #timer: NodeJS.Timeout | undefined

  constructor(io: ProgramIo, onChange: () => void) {
    this.#io = io
    this.#onChange = onChange
  }

  /** Takes the place of an earlier call. */
  watch(entries: readonly PathEntry[]): void {
    this.stop()
    this.#watchers = [...byDirectory(entries)].flatMap(([directory, names]) =>
      watchDirectory(this.#io, directory, name => {
        if (name !== null && !names.has(name) && !names.has(ANY)) return
        this.#timer ??= setTimeout(this.#onChange, SETTLING_TIME).unref()
      }),
    )
  }

  stop(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    for (const watcher of this.#watchers) watcher.close()
  }
}

function watchDirectory(
  io: ProgramIo,
  directory: string,
  onChange: (name: string | null) => void,
): readonly FSWatcher[] {
  function onError(error: unknown): void {
    log(io, 'not-watched', [
      ['directory', directory],
      ['error', String(error)],
    ])
  }
  try {
    const watcher = watch(directory, { persistent: false }, (_, name) => {
      onChange(name)
    })
    return [watcher.on('error', onError)]
  } catch (error) {
    onError(error)
    return []
  }
}

/** A directory that is moved or removed reports its own name. */
function byDirectory(entries: readonly PathEntry[]): ReadonlyMap<string, ReadonlySet<string>> {
  const names = new Map<string, Set<string>>()
  for (const { directory, name } of entries) {
    const others = names.get(directory) ?? new Set([basename(directory)])
    names.set(directory, others.add(name))
  }
  return names
}
