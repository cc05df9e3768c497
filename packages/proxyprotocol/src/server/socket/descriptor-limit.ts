// How many files the process may have open, if the system tells.

import { readFileSync } from 'node:fs'

/** RLIMIT_NOFILE (soft), on Linux only. Deno would ask the user for permission. */
export function descriptorLimit(path = '/proc/self/limits'): number | undefined {
  if (process.platform !== 'linux' || 'deno' in process.versions) return undefined
  try {
    const [, soft] = /^Max open files\s+(\d+)/m.exec(readFileSync(path, 'utf8')) ?? []
    return soft === undefined ? undefined : Number(soft)
  } catch {
    return undefined
  }
}
