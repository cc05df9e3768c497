// docs/errors.md and the table of codes say the same.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { errorMessages } from '../../src/codec/index.ts'

const text = readFileSync(new URL('../../../../docs/errors.md', import.meta.url), 'utf8')
const rows = [...text.matchAll(/^\| `(?<code>\w+)` +\| (?<message>.+?) +\| (?<advice>.+?) +\|$/gm)].map(
  match => {
    const { code = '', message = '', advice = '' } = match.groups ?? {}
    return { code, message, advice }
  },
)

test('every code stands in docs/errors.md with its exact message, in the order of the table, and no other', () => {
  assert.deepEqual(
    rows.map(({ code, message }) => [code, message]),
    Object.entries(errorMessages),
  )
})

test('every code has a word on what to do', () => {
  for (const { code, advice } of rows) assert.match(advice, /^[A-Z`].{15,}\.$/, code)
})
