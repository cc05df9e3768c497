// Writes which tests keep which rule: for each rule of docs/contract.md and docs/udp.md and each number of docs/known-bugs.md the tests that
// name it, below the page's mark.
//
// npm run docs:tests                     writes all
// node scripts/test-index.js --check     only says whether they are as they would be written

import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'
import { filesMatching, root } from './files.js'

const MARK = '<!-- What follows is written by `npm run docs:tests`. -->\n'

/** Pages, with how a test names one of their rules and how the index does. */
const pages = [
  { page: 'docs/contract.md', named: /^contract (\d[\d, and]*):/, title: 'Rule ' },
  { page: 'docs/udp.md', named: /^contract (U\d[\dU, and]*):?/, title: 'U' },
  { page: 'docs/known-bugs.md', named: /known bugs? (\d[\d, and]*)/, title: 'Number ' },
]

/** A test's name as it stands in the source, in one of the three kinds of quotes. */
const NAME = /\b(?:test|it|describe)\(\s*(?:'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)"|`((?:[^`\\]|\\.)*)`)/g

const tests = filesMatching(/^packages\/[^/]+\/test\/.*\.test\.ts$/).flatMap(file => {
  const text = readFileSync(join(root, file), 'utf8')
  return [...text.matchAll(NAME)].map(([, a, b, c]) => ({ file, name: a ?? b ?? c ?? '' }))
})

const outcomes = pages.map(({ page, named, title }) => {
  /** @type {Map<number, string[]>} */
  const rows = new Map()
  for (const { file, name } of tests) {
    const [whole, numbers] = named.exec(name) ?? []
    if (whole === undefined || numbers === undefined) continue
    const said = name.replace(named.source.startsWith('^') ? whole : '', '').trim()
    const shown = said.replaceAll('\\', '').replaceAll('`', "'")
    for (const number of numbers.match(/\d+/g) ?? []) {
      const row = rows.get(Number(number)) ?? []
      rows.set(Number(number), [...row, `- [\`${shown}\`](../${file})`])
    }
  }
  const sections = [...rows]
    .sort(([a], [b]) => a - b)
    .map(([number, lines]) => `### ${title}${number}\n\n${lines.join('\n')}\n`)
  return write(page, `\n## Tests\n\n${sections.join('\n')}`)
})
process.exitCode = outcomes.includes(false) ? 1 : 0

/**
 * @param {string} page
 * @param {string} index
 */
function write(page, index) {
  const path = join(root, page)
  const text = readFileSync(path, 'utf8')
  const wanted = `${text.split(MARK)[0] ?? ''}${MARK}${index}`
  if (text === wanted) return true
  if (process.argv.includes('--check')) {
    console.error(`${page} is not what the tests say; run npm run docs:tests`)
    return false
  }
  writeFileSync(path, wanted)
  console.log(`wrote ${page}`)
  return true
}
