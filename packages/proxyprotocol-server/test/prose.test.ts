// scripts/prose.js finds sentences that are hard to read, and leaves code and tables alone.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  blocksOfComments,
  blocksOfMarkdown,
  blocksOfStrings,
  faultsOf,
  wordsIn,
} from '../../../scripts/prose.js'

function words(count: number): string {
  return `${Array.from({ length: count }, () => 'Word').join(' ')}.`
}

function problemsOf(text: string): readonly string[] {
  return faultsOf({ line: 1, text }).map(({ problem }) => problem)
}

test('a sentence may have 25 words, and a code span counts as one', () => {
  assert.deepEqual(problemsOf(`${words(25)} ${words(25)}`), [])
  assert.deepEqual(problemsOf(words(26)), ['26 words, at most 25'])
  assert.deepEqual(problemsOf(`\`a b c d e\` ${words(24)}`), [])
})

test('words that hide who does what are faults, but "is no longer" says it plainly', () => {
  assert.deepEqual(problemsOf('Nobody reads it.'), ['"Nobody" hides who does what'])
  assert.deepEqual(problemsOf('There is no limit.'), ['"is no" hides who does what'])
  assert.deepEqual(problemsOf('It is no longer open. `whoever` is a name.'), [])
})

test('a page is its paragraphs and list items, each with its first line', () => {
  const page =
    '# Title\n\nOne\ntwo.\n\n- item\n  goes on\n- next\n\n| a | b |\n\n```ts\ncode\n```\n<b>html</b>\n'
  assert.deepEqual(blocksOfMarkdown(page), [
    { line: 3, text: 'One two.' },
    { line: 6, text: 'item goes on' },
    { line: 8, text: 'next' },
  ])
  assert.deepEqual(blocksOfMarkdown('A.\n\n<!-- What follows is written by `npm run x`. -->\n\nB.\n'), [
    { line: 1, text: 'A.' },
  ])
})

test('comments are read without their frames, tags and examples', () => {
  const source = `// One
// two.
const a = 1 // behind
const b = 2 // code

/**
 * Adds.
 *
 * @param {number} left the first
 * @example
 * \`\`\`ts
 * add(1)
 * \`\`\`
 */
// eslint-disable-next-line rule -- the reason
add(a)
`
  assert.deepEqual(
    blocksOfComments(source).map(({ line, text }) => `${line} ${text}`),
    ['1 One two.', '3 behind', '4 code', '7 Adds.', '9 left the first', '10 ', '15 the reason'],
  )
})

test('strings of a few words are labels, longer ones are read', () => {
  const source = "f('a label')\ng(`got ${one('a b c d')} instead of it`)\n"
  assert.deepEqual(blocksOfStrings(source), [
    { line: 2, text: 'got x instead of it' },
    { line: 2, text: 'a b c d' },
  ])
})

test('a word holds a letter or a digit', () => {
  assert.equal(wordsIn('one - two, 3 …'), 3)
})
