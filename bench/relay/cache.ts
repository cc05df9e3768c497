// Where whatever is made for this benchmark is kept.

import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const cache: string = fileURLToPath(new URL('../../node_modules/.cache/bench-relay', import.meta.url))

/** @returns the path of the file. */
export function keep(name: string, lines: readonly string[]): string {
  mkdirSync(cache, { recursive: true })
  const file = join(cache, name)
  writeFileSync(file, `${lines.join('\n')}\n`)
  return file
}
