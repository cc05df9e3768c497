// The table of contents of the documentation site is the table of README's section Documentation: each column is a group of pages.
// So no page of docs/ can be missing there without notice.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { filesMatching, root } from '../files.js'

/** @typedef {{ file: string, title: string, group: string }} Entry `file` from the repository's top */

/**
 * The pages in their order.
 *
 * @returns {Entry[]}
 * @throws Error where README's section leaves out a page of docs/.
 */
export function contents() {
  const [, section = ''] = readFileSync(join(root, 'README.md'), 'utf8').split('\n## Documentation\n')
  const [groups = [], , ...rows] = section
    .split('\n')
    .filter(line => line.startsWith('|'))
    .map(line => line.split('|').slice(1, -1))
  const entries = groups.flatMap((group, column) => {
    const links = rows.flatMap(row => [...(row[column] ?? '').matchAll(/\]\(([^):#]+\.md)/g)])
    const files = new Set(links.map(([, file = '']) => file))
    return [...files].map(file => ({ file, title: titleOf(file), group: group.trim() }))
  })
  const missing = filesMatching(/^docs\/[^/]+\.md$/).filter(
    file => !entries.some(entry => entry.file === file),
  )
  if (missing.length > 0)
    throw new Error(`README.md, section Documentation: no link to ${missing.join(', ')}`)
  return entries
}

/** @param {string} file */
function titleOf(file) {
  const [, title] = /^# (.+)$/m.exec(readFileSync(join(root, file), 'utf8')) ?? []
  if (title === undefined) throw new Error(`${file}: it has no heading to be called by`)
  return title
}
