// Each threat of docs/security.md names tests that exist, as they are written in their files.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'

const page = new URL('../../../docs/security.md', import.meta.url)
const threats = readFileSync(page, 'utf8').split(/^### /m).slice(1)
const named = threats.map(threat => [
  ...threat.matchAll(/^- \[[^\]]+\]\((?<file>[^)]+)\): `(?<name>[^`]+)`$/gm),
])

test('every threat of docs/security.md names a test', () => {
  assert.ok(threats.length > 10)
  for (const [at, tests] of named.entries()) assert.notEqual(tests.length, 0, threats[at])
})

test('every test that docs/security.md names exists', () => {
  for (const { groups: { file = '', name = '' } = {} } of named.flat()) {
    const source = readFileSync(new URL(file, page), 'utf8')
    const written = [`'${name}'`, `"${name}"`, `\`${name}\``].filter(text => source.includes(text))
    assert.equal(written.length, 1, `${file} has no test "${name}"`)
  }
})
