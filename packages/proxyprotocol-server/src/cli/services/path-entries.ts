// The directory entries that decide what a path resolves to.

import { readdirSync, readlinkSync, realpathSync } from 'node:fs'
import { isAbsolute, join, parse, resolve, sep } from 'node:path'

/** The limit of Linux for one path; more links are a loop. */
const MAX_LINKS = 40

/** Stands for every name in a directory; names have no slash. */
export const ANY = '/'

export interface PathEntry {
  readonly directory: string
  readonly name: string
}

/** Links on the way to a file, and the file. Ends at a missing entry. */
export function pathEntries(path: string): readonly PathEntry[] {
  const whole = resolve(path)
  const entries: PathEntry[] = []
  const left = namesIn(whole)
  let directory = parse(whole).root
  for (let name = left.shift(); name !== undefined && entries.length <= MAX_LINKS; name = left.shift()) {
    const target = linkAt(join(directory, name))
    if (target !== 'no link' || left.length === 0) entries.push({ directory, name })
    if (target === 'nothing') break
    if (target === 'no link') directory = join(directory, name)
    else {
      left.unshift(...namesIn(target.to))
      if (isAbsolute(target.to)) directory = parse(target.to).root
    }
  }
  return entries
}

function namesIn(path: string): string[] {
  return path.slice(parse(path).root.length).split(sep).filter(Boolean)
}

function linkAt(path: string): { readonly to: string } | 'no link' | 'nothing' {
  try {
    return { to: readlinkSync(path) }
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EINVAL' ? 'no link' : 'nothing' // fs throws Error objects only
  }
}

/** A file, or a directory with the targets of links in it, as /etc/ssl/certs. */
export function entriesBelow(path: string): readonly PathEntry[] {
  const way = pathEntries(path)
  try {
    const directory = realpathSync(path)
    const files = readdirSync(directory).flatMap(name => pathEntries(join(directory, name)))
    return [...way, { directory, name: ANY }, ...files]
  } catch {
    return way // missing now; the way ends there
  }
}
