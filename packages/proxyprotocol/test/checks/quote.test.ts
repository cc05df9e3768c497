// Wrong values in error messages.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { quote } from '../../src/checks/quote.ts'

const quoted: readonly (readonly [unknown, string])[] = [
  ['443', '"443"'],
  ['line\n', '"line\\n"'],
  ['x'.repeat(1_000_000), `"${'x'.repeat(80)}"`],
  [443, '443'],
  [Number.NaN, 'NaN'],
  [5n, '5n'],
  [true, 'true'],
  [null, 'null'],
  [undefined, 'undefined'],
  [() => 'x'.repeat(80), 'a function'],
  [Symbol('s'), 'Symbol(s)'],
  [[1, '2', [null]], '[1, "2", [null]]'],
  [{ address: '192.0.2.1', port: 1 }, '{ address, port }'],
  [Object.create(null), '{  }'],
  [new Uint8Array(3), '3 bytes'],
]

for (const [value, text] of quoted) {
  test(`a wrong value is shown as ${text.slice(0, 30)}`, () => {
    assert.equal(quote(value), text)
  })
}
