// Holds documentation, comments and messages to short sentences and plain words.
//
// node scripts/check-prose.js            every fault as FILE:LINE, exit code 1 if there is one
// node scripts/check-prose.js docs/ src  only files whose path holds one of the words
// node scripts/check-prose.js --count    words by folder: of pages without code, tables, headings and what scripts write;
//                                        of sources those in comments, examples left out

import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { filesMatching, root } from './files.js'
import { blocksOfComments, blocksOfMarkdown, blocksOfStrings, faultsOf, wordsIn } from './prose.js'

const FILES =
  /^(?:packages\/[^/]+\/(?:src|web)\/.*\.ts|docs\/.*\.md|(?:interop|packages\/[^/]+)\/[^/]+\.md|(?:README|CONTRIBUTING|SECURITY)\.md)$/

const args = process.argv.slice(2)
const words = args.filter(word => !word.startsWith('--'))
const files = filesMatching(FILES)
  .filter(file => words.length === 0 || words.some(word => file.includes(word)))
  .map(file => ({ file, text: readFileSync(join(root, file), 'utf8') }))

if (args.includes('--count')) count()
else check()

function check() {
  const faults = files.flatMap(({ file, text }) => {
    const blocks = file.endsWith('.md')
      ? blocksOfMarkdown(text)
      : [...blocksOfComments(text), ...blocksOfStrings(text)]
    return blocks.flatMap(faultsOf).map(fault => ({ file, ...fault }))
  })
  for (const { file, line, problem, sentence } of faults)
    console.error(`${file}:${line}: ${problem}: ${sentence}`)
  console.log(`prose: ${files.length} files, ${faults.length} faults`)
  process.exitCode = faults.length > 0 ? 1 : 0
}

function count() {
  /** @type {Map<string, number>} */
  const sums = new Map()
  for (const { file, text } of files) {
    const page = file.endsWith('.md')
    const blocks = page ? blocksOfMarkdown(text) : blocksOfComments(text)
    const number = blocks.reduce((sum, block) => sum + wordsIn(block.text), 0)
    for (const key of [page ? file : dirname(file), page ? 'all pages' : 'all comments'])
      sums.set(key, (sums.get(key) ?? 0) + number)
  }
  for (const [key, sum] of sums) console.log(String(sum).padStart(7), key)
}
