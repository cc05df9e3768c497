// Each example of docs/tasks does what its page says.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { databases } from './tasks/databases.ts'
import { datagrams } from './tasks/datagrams.ts'
import { examples, unlinkedPages } from './tasks/example.ts'
import { operations } from './tasks/operations.ts'
import { protocols } from './tasks/protocols.ts'
import { web } from './tasks/web.ts'

const checks = { ...databases, ...datagrams, ...operations, ...protocols, ...web }

test('the index of docs/tasks links each page', () => {
  assert.deepEqual(unlinkedPages(), [])
})

test('each example has a check, and each check its example', () => {
  assert.deepEqual(
    examples().map(({ name }) => name),
    Object.keys(checks).sort(),
  )
})

for (const example of examples()) {
  test(`docs/tasks/${example.name} does what its page says`, async t => {
    await checks[example.name]?.(t, example)
  })
}
