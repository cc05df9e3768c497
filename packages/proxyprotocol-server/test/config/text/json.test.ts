// JSON as RFC 8259 has it, what is wrong with a text that is none, and where things stood.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { parseJson } from '../../../src/config/text/json.ts'

test('parseJson() reads what JSON.stringify() writes, as JSON.parse() does', () => {
  fc.assert(
    fc.property(fc.json({ maxDepth: 6 }), fc.constantFrom('', '  ', '\t'), (json, indent) => {
      const text = JSON.stringify(JSON.parse(json), null, indent)
      assert.deepEqual(parseJson(text, 'a.json').value, JSON.parse(text))
    }),
  )
})

test('parseJson() takes nothing for JSON that JSON.parse() does not', () => {
  const mutated = fc.tuple(fc.json(), fc.nat(), fc.constantFrom(...' ,:[]{}"\\01-.eEtx\n\u0000/\''.split('')))
  fc.assert(
    fc.property(mutated, ([json, at, char]) => {
      const cut = at % (json.length + 1)
      const text = json.slice(0, cut) + char + json.slice(cut + 1)
      let value: unknown
      try {
        value = parseJson(text, 'a.json').value
      } catch {
        return // it may be stricter: two equal keys
      }
      assert.deepEqual(value, JSON.parse(text))
    }),
    { numRuns: 2_000 },
  )
})

test('parseJson() says line and column, what is wrong, and what stands there', () => {
  const cases: [text: string, message: string][] = [
    ['', '1:1: this is not JSON: a value belongs here (the text ends here)'],
    ['{\n  "a": 1,\n}', '2:9: this is not JSON: no comma belongs behind the last one (here is ",")'],
    ['[1,\n 2,]', '2:3: this is not JSON: no comma belongs behind the last one (here is ",")'],
    ['{\n  "a": 1\n  "b": 2\n}', '3:3: this is not JSON: a comma or "}" belongs here (here is "\\"")'],
    ['[1 2]', '1:4: this is not JSON: a comma or "]" belongs here (here is "2")'],
    ['[1', '1:3: this is not JSON: a comma or "]" belongs here (the text ends here)'],
    [
      '{ // ports\n}',
      '1:3: this is not JSON: a key in double quotes belongs here (here is "/"; JSON has no comments)',
    ],
    [
      '{ # ports\n}',
      '1:3: this is not JSON: a key in double quotes belongs here (here is "#"; JSON has no comments)',
    ],
    [
      "{ 'a': 1 }",
      `1:3: this is not JSON: a key in double quotes belongs here (here is "'"; JSON has double quotes)`,
    ],
    ['{ a: 1 }', '1:3: this is not JSON: a key in double quotes belongs here (here is "a")'],
    ['{ "a" 1 }', '1:7: this is not JSON: a colon belongs here, between the key and its value (here is "1")'],
    ['{ "a": }', '1:8: this is not JSON: a value belongs here (here is "}")'],
    [
      '{ "a": 5s }',
      '1:8: this is not JSON: "5s" is not a number: write plain decimal digits, without a unit (here is "5")',
    ],
    [
      '[ 0x1F ]',
      '1:3: this is not JSON: "0x1F" is not a number: write plain decimal digits, without a unit (here is "0")',
    ],
    [
      '[ yes ]',
      '1:3: this is not JSON: "yes" means nothing here: text stands in double quotes (here is "y")',
    ],
    ['{}\r\n{}', '2:1: this is not JSON: nothing may follow the end (here is "{")'],
    [
      '["a\nb"]',
      '1:2: this is not JSON: the text that begins here does not end in its line, or has a wrong escape with "\\" in it ' +
        '(here is "\\"")',
    ],
    ['{ "a": 1,\n  "a": 2 }', '2:3: this is not JSON: the key "a" is there twice (here is "\\"")'],
  ]
  for (const [text, message] of cases) {
    assert.throws(
      () => parseJson(text, 'a.json'),
      { name: 'ConfigError', message: `a.json:${message}` },
      text,
    )
  }
})

test('parseJson() refuses a text that is nested so deep that it could exhaust the stack', () => {
  assert.throws(() => parseJson('['.repeat(100_000), 'a.json'), /nested more than 64 deep/)
  assert.deepEqual(parseJson(`${'['.repeat(64)}${']'.repeat(64)}`, 'a.json').position([]), '1:1')
})

test('parseJson() takes a key that every object has for one of the text alone', () => {
  const { value } = parseJson('{ "__proto__": 1, "constructor": 2 }', 'a.json')
  assert.deepEqual(Object.entries(value as object), [
    ['__proto__', 1],
    ['constructor', 2],
  ])
})

test('parseJson() passes over a byte order mark', () => {
  assert.equal(parseJson('\uFEFF1', 'a.json').value, 1)
})

test('parseJson() knows where each key and element stood, and for what is not there where it would', () => {
  const json = parseJson('{\n  "a": [ 1,\n    { "b.c": 2 } ]\n}', 'a.json')
  const positions: [path: PropertyKey[], position: string][] = [
    [[], '1:1'],
    [['a'], '2:3'],
    [['a', 0], '2:10'],
    [['a', 1], '3:5'],
    [['a', 1, 'b.c'], '3:7'],
    [['a', 1, 'b', 'c'], '3:5'],
    [['a', 2], '2:3'],
    [['b'], '1:1'],
  ]
  for (const [path, expected] of positions) assert.equal(json.position(path), expected, path.join('/'))
})
