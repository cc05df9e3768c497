// How many files the process may have open, where the system tells.

import { readFileSync } from 'node:fs'

/**
 * The soft limit on open files (RLIMIT_NOFILE), which Node raises to the hard one at start. It is undefined except on
 * Linux, and on Deno, which would ask the user.
 */
export function descriptorLimit(path = '/proc/self/limits'): number | undefined {
  if (process.platform !== 'linux' || 'deno' in process.versions) return undefined
  try {
    const [, soft] = /^Max open files\s+(\d+)/m.exec(readFileSync(path, 'utf8')) ?? []
    return soft === undefined ? undefined : Number(soft)
  } catch {
    return undefined
  }
}
