// Lists the repository's own files; Node 20 has no glob of its own.

import { readdirSync } from 'node:fs'
import { join, relative, sep } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The top of the repository, absolute. */
export const root = fileURLToPath(new URL('..', import.meta.url))

/** What tools write and no one edits. */
const generated = new Set(['node_modules', 'dist', 'coverage', '.git'])

/**
 * The files whose path from the repository's top matches `pattern`, sorted, with `/` between the parts.
 *
 * @param {RegExp} pattern
 * @param {string} [folder] absolute; the top of the repository if absent
 * @returns {string[]}
 */
export function filesMatching(pattern, folder = root) {
  return readdirSync(folder, { withFileTypes: true })
    .filter(entry => !generated.has(entry.name))
    .flatMap(entry => {
      const path = join(folder, entry.name)
      if (entry.isDirectory()) return filesMatching(pattern, path)
      const name = relative(root, path).split(sep).join('/')
      return pattern.test(name) ? [name] : []
    })
    .sort()
}
