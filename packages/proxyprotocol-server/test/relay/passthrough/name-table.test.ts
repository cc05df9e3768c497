import assert from 'node:assert/strict'
import { test } from 'node:test'
import { NameTable } from '../../../src/relay/passthrough/name-table.ts'

function tableOf(...patterns: readonly string[]): NameTable<string> {
  const table = new NameTable<string>()
  for (const pattern of patterns) table.add(pattern, pattern)
  return table
}

test('the most exact of the names that match wins', () => {
  const table = tableOf('*.example', '*.b.example', 'a.b.example', 'mail.example')
  assert.equal(table.find('a.b.example'), 'a.b.example')
  assert.equal(table.find('c.b.example'), '*.b.example')
  assert.equal(table.find('x.y.b.example'), '*.b.example')
  assert.equal(table.find('b.example'), '*.example')
  assert.equal(table.find('mail.example'), 'mail.example')
  assert.equal(table.find('example'), undefined)
  assert.equal(table.find('a.other'), undefined)
  assert.equal(table.find('notexample'), undefined)
})
