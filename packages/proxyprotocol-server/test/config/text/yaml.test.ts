// YAML and JSON as configurations have them: values, faults, and positions.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { parseText } from '../../../src/config/text/yaml.ts'

function valueOf(text: string): unknown {
  return parseText(text, 'a.yaml').value
}

function faultsOf(text: string): string {
  try {
    parseText(text, 'a.yaml')
  } catch (error) {
    assert.ok(error instanceof Error)
    assert.equal(error.name, 'ConfigError')
    return error.message
  }
  return assert.fail(`it was accepted: ${text}`)
}

test('parseText() reads what JSON.stringify() writes, as JSON.parse() does', () => {
  const json = fc.json({ maxDepth: 6, stringUnit: 'binary' })
  fc.assert(
    fc.property(json, fc.constantFrom('', '  ', '\t'), (written, indent) => {
      const text = JSON.stringify(JSON.parse(written), null, indent)
      assert.deepEqual(valueOf(text), JSON.parse(text))
    }),
  )
})

test('parseText() takes JSON as YAML for the same, if something behind it is a comment', () => {
  fc.assert(
    fc.property(fc.json({ maxDepth: 6 }), fc.constantFrom('', '  ', '\t'), (written, indent) => {
      const text = JSON.stringify(JSON.parse(written), null, indent)
      assert.deepEqual(valueOf(`${text} # the same`), JSON.parse(text))
    }),
  )
})

test('parseText() reads comments, anchors, merged keys, and numbers of YAML 1.2', () => {
  const text = `
    # ports
    fast: &fast { connect: 1000 }
    web:
      <<: *fast
      listen: :80 # plain text
      on: no
      list: [0x1F, 010, 1e3, ~]
    same: *fast`
  assert.deepEqual(valueOf(text), {
    fast: { connect: 1000 },
    web: { connect: 1000, listen: ':80', on: 'no', list: [31, 10, 1000, null] },
    same: { connect: 1000 },
  })
})

test('parseText() takes any number of aliases of a value, but not aliases that stand for too much', () => {
  const many = `a: &a { b: 1 }\nl:\n${'- *a\n'.repeat(2_000)}`
  assert.equal((valueOf(many) as { l: unknown[] }).l.length, 2_000)
  const nested = [...'bcdef'].map(
    (each, at) => `${each}: &${each} [${Array(10).fill(`*${'abcde'[at]}`).join(', ')}]`,
  )
  assert.equal(
    faultsOf(`a: &a [1]\n${nested.join('\n')}`),
    'a.yaml:1:1: this is not YAML: its aliases stand for too much',
  )
})

test('parseText() reports each fault with its line and column', () => {
  const cases: [text: string, ...faults: string[]][] = [
    ['{ "a" 1 }', '1:7: missing , or : between flow map items'],
    ['{"a":1} x', '1:9: unexpected scalar at node end'],
    ['{"a":1', '1:7: flow map must end with a }'],
    ['a: 1\na: 2', '2:1: the key a is there twice'],
    ['{ "a b": 1,\n  "a b": 2 }', '2:3: the key "a b" is there twice'],
    ['{ 0xE1: 1, "225": 2 }', '1:12: the key "225" is there twice'],
    [
      'a: *x\nb: *y',
      '1:4: no anchor &x stands before the alias',
      '2:4: no anchor &y stands before the alias',
    ],
    ['a: !env HOME', '1:4: unresolved tag: !env'],
    ['a: 1\n---\nb: 1', '2:1: it must be one document'],
    ['a:\n\t- b', '2:1: tabs are not allowed as indentation'],
  ]
  for (const [text, ...faults] of cases) {
    const lines = faults.map(fault => `a.yaml:${fault.replace(/^\d+:\d+: /, '$&this is not YAML: ')}`)
    assert.equal(faultsOf(text), lines.join('\n'), text)
  }
  for (const text of ['{ "a": 1\n  "b": 2 }', '// a\nb: 1']) {
    assert.match(faultsOf(text), /a key must be on one line; is a comma or a # missing before it\?$/m)
  }
  assert.equal(faultsOf('*a\n'.repeat(100)).split('\n').length, 20)
})

test('parseText() asks for quotes around addresses that start with a bracket', () => {
  for (const text of [
    'services:\n  - listen: [::1]:80',
    '- [::]:80 # all',
    'listen: [2001:db8::1]:80',
    'listen: [fe80::1%eth0]:80',
    '{ listen: [::1]:80 }',
  ]) {
    assert.match(faultsOf(text), /^a\.yaml:\d:\d+: .*; quote addresses that start with \[/m, text)
  }
  assert.doesNotMatch(faultsOf('a: b: c'), /quote/)
})

test('parseText() refuses a text that is nested so deep that it could exhaust the stack', () => {
  for (const text of ['['.repeat(20_000), '- '.repeat(20_000), '{a: '.repeat(20_000)]) {
    assert.match(faultsOf(text), /^a\.yaml:1:\d+: this is not YAML: it is nested more than 64 deep$/)
  }
  assert.doesNotThrow(() => valueOf(`${'['.repeat(64)}${']'.repeat(64)} # as YAML`))
  assert.doesNotThrow(() => valueOf(`${'['.repeat(100_000)}${']'.repeat(100_000)}`))
})

test('parseText() takes a key that every object has for one of the text alone', () => {
  for (const comment of ['', ' # as YAML']) {
    assert.deepEqual(Object.entries(valueOf(`{ "__proto__": 1, "constructor": 2 }${comment}`) as object), [
      ['__proto__', 1],
      ['constructor', 2],
    ])
  }
})

test('parseText() passes over a byte order mark', () => {
  assert.equal(valueOf('\uFEFF1'), 1)
  assert.deepEqual(valueOf('\uFEFFa: 1'), { a: 1 })
})

test('parseText() knows where each key and element stands, and for what is not there where it would', () => {
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
  for (const comment of ['', ' # as YAML']) {
    const text = parseText(`{\n  "a": [ 1,\n    { "b.c": 2 } ]\n}${comment}`, 'a.yaml')
    for (const [path, expected] of positions) assert.equal(text.position(path), expected, path.join('/'))
  }
})

test('parseText() shows a value behind an alias where it is written', () => {
  const text = parseText('a: &a\n  b: 1\nc: *a\n', 'a.yaml')
  assert.equal(text.position(['c']), '3:1')
  assert.equal(text.position(['c', 'd']), '3:1')
  assert.equal(text.position(['c', 'b']), '2:3')
})

test('parseText() takes an empty text for null', () => {
  assert.equal(valueOf(''), null)
  assert.equal(parseText('', 'a.yaml').position(['services']), '1:1')
})
