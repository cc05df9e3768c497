// Lines of JSON: every one parses, stays within a line of ASCII, and holds no more than a pipe takes in one piece.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatJson } from '../../src/log/json.ts'
import type { LogFields, LogValue } from '../../src/log/text.ts'

function parsed(fields: LogFields): Record<string, unknown> {
  return JSON.parse(formatJson('info', 'event', fields)) as Record<string, unknown>
}

function valueOf(value: LogValue): unknown {
  return parsed([['key', value]])['key']
}

test('a line is level, time, fields in order, event; undefined leaves a field out', () => {
  const line = formatJson('warn', 'rejected', [
    ['peer', '[2001:db8::1]:443'],
    ['bytes', 17],
    ['yes', true],
    ['absent', undefined],
  ])
  assert.match(
    line,
    /^\{"level":"warn","time":"\d{4}-\d\d-\d\dT[\d:.]+Z","peer":"\[2001:db8::1\]:443","bytes":17,"yes":true,"event":"rejected"\}$/,
  )
})

test('a key that comes again makes a list', () => {
  const fields: LogFields = [
    ['tlv', 'a'],
    ['tlv', Uint8Array.of(1)],
    ['tlv', 3],
  ]
  assert.deepEqual(parsed(fields)['tlv'], ['a', '0x01', 3])
})

test('bytes are shown in hexadecimal, the first 64 of them; big integers as text', () => {
  assert.equal(valueOf(Uint8Array.of(0, 10, 255)), '0x000aff')
  assert.equal(valueOf(new Uint8Array(65)), `0x${'00'.repeat(64)}...(65 bytes)`)
  assert.equal(valueOf(2n ** 64n), '18446744073709551616')
})

test('every single character stays within one line of printable ASCII, and can be read back', () => {
  for (let code = 0; code <= 0xffff; code += code < 0x3000 ? 1 : 251) {
    const value = `x${String.fromCharCode(code)}`
    const line = formatJson('info', 'event', [['key', value]])
    assert.match(line, /^[ -~]+$/)
    assert.equal((JSON.parse(line) as Record<string, unknown>)['key'], value)
  }
})

test('a line fits a pipe in one piece: what is too long is cut, what does not fit is counted', () => {
  for (const unit of ['x', '"', '\u202e', '\0']) {
    const fields: LogFields = [
      ['first', 1],
      ...Array.from({ length: 9 }, () => ['long', unit.repeat(3_000)] as const),
    ]
    const line = formatJson('error', 'connection', [...fields, ['number', 123_456]])
    assert.ok(line.length < 4_095, `${line.length}`)
    const { first, long, leftOut } = JSON.parse(line) as Record<string, unknown>
    assert.equal(first, 1)
    const [text = ''] = [long].flat() as string[]
    assert.ok(text.startsWith(unit.repeat(100)))
    assert.equal(typeof leftOut, 'number')
  }
  const whole = parsed([['authority', 'x'.repeat(3_800)]])
  assert.equal(whole['authority'], 'x'.repeat(3_800))
  assert.equal(whole['leftOut'], undefined)
})

test('what has no room even for a part is left out', () => {
  const fields: LogFields = [
    ...Array.from({ length: 700 }, (_, i) => [`k${String(i)}`, true] as const),
    ['s', 'x'.repeat(9)],
  ]
  const object = parsed(fields)
  assert.equal(object['s'], undefined)
  assert.equal(Object.keys(object).length - 4 + Number(object['leftOut']), fields.length)
})
