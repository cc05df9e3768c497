// The table of contents of the documentation site is README's section More: each heading is a group of the pages that it links.
// So no page of docs/ can be missing from README without notice.

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
  const [, section = ''] = readFileSync(join(root, 'README.md'), 'utf8').split('\n## More\n')
  const entries = section
    .split(/^### /m)
    .slice(1)
    .flatMap(text => {
      const [group = ''] = text.split('\n')
      const files = [...text.matchAll(/\]\(([^):#]+\.md)/g)].map(([, file = '']) => file)
      return [...new Set(files)].map(file => ({ file, title: titleOf(file), group }))
    })
  const missing = filesMatching(/^docs\/.*\.md$/).filter(file => !entries.some(entry => entry.file === file))
  if (missing.length > 0) throw new Error(`README.md, section More: no link to ${missing.join(', ')}`)
  return entries
}

/** @param {string} file */
function titleOf(file) {
  const [, title] = /^# (.+)$/m.exec(readFileSync(join(root, file), 'utf8')) ?? []
  if (title === undefined) throw new Error(`${file}: it has no heading to be called by`)
  return title
}
