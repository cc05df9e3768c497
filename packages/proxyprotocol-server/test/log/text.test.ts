// Log lines: their shape, and that nothing from the network can leave its place in them.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatLine, showAddress, showEndpoint } from '../../src/log/text.ts'

const time = new Date(0)

function valueOf(value: string | Uint8Array): string {
  return formatLine(time, 'event', [['key', value]]).slice('1970-01-01T00:00:00.000Z event key='.length)
}

test('a line is the time, the event and its fields in order; undefined leaves a field out', () => {
  const line = formatLine(time, 'closed', [
    ['peer', '[2001:db8::1]:443'],
    ['bytes', 17],
    ['big', 2n ** 64n],
    ['yes', true],
    ['absent', undefined],
    ['peer', 'again'],
  ])
  assert.equal(
    line,
    '1970-01-01T00:00:00.000Z closed peer=[2001:db8::1]:443 bytes=17 big=18446744073709551616 yes=true peer=again',
  )
})

test('whatever is not a plain word is quoted and escaped', () => {
  const values: Record<string, string> = {
    '': '""',
    'two words': '"two words"',
    'a=b': '"a=b"',
    '"quoted"': String.raw`"\"quoted\""`,
    'back\\slash': String.raw`"back\\slash"`,
    'line\nfeed\r': String.raw`"line\nfeed\r"`,
    '\u001b[31mred': String.raw`"\u001b[31mred"`,
    'nul\0del\u007f': String.raw`"nul\u0000del\u007f"`,
    'c1\u009b31m\u0085': String.raw`"c1\u009b31m\u0085"`,
    'bidi\u202egnp.exe\u2066': String.raw`"bidi\u202egnp.exe\u2066"`,
    'separators\u2028\u2029': String.raw`"separators\u2028\u2029"`,
    'münchen.example': String.raw`"m\u00fcnchen.example"`,
    '😀': String.raw`"\ud83d\ude00"`,
    'lone\ud800': String.raw`"lone\ud800"`,
    'word\n': String.raw`"word\n"`,
  }
  for (const [value, shown] of Object.entries(values)) assert.equal(valueOf(value), shown)
})

test('every single character stays within one line of printable ASCII, and can be read back', () => {
  for (let code = 0; code <= 0xffff; code += code < 0x3000 ? 1 : 251) {
    const value = `x${String.fromCharCode(code)}`
    const shown = valueOf(value)
    assert.match(shown, /^[!-~]+( [!-~]+)?$/)
    assert.equal(shown.startsWith('"') ? JSON.parse(shown) : shown, value)
  }
})

test('bytes are shown in hexadecimal, the first 64 of them', () => {
  assert.equal(valueOf(Uint8Array.of()), '0x')
  assert.equal(valueOf(Uint8Array.of(0, 10, 255)), '0x000aff')
  assert.equal(valueOf(new Uint8Array(64)), `0x${'00'.repeat(64)}`)
  assert.equal(valueOf(new Uint8Array(65)), `0x${'00'.repeat(64)}...(65 bytes)`)
})

test('a line fits a pipe in one piece, line end included, and says when it was cut', () => {
  const line = formatLine(time, 'connection', [['authority', '\u202e'.repeat(60_000)]])
  assert.equal(line.length, 4_095)
  assert.ok(line.endsWith('...'))
  const head = formatLine(time, 'connection', [['authority', '']]).length
  assert.equal(formatLine(time, 'connection', [['authority', 'x'.repeat(4_095 - head + 2)]]).length, 4_095)
})

test('endpoints are shown as they are written elsewhere', () => {
  assert.equal(showEndpoint({ address: '192.0.2.1', port: 443 }), '192.0.2.1:443')
  assert.equal(showEndpoint({ address: '2001:db8::1', port: 443 }), '[2001:db8::1]:443')
  assert.equal(showEndpoint({ path: '/run/app.sock' }), '/run/app.sock')
  assert.deepEqual(showEndpoint({ path: Uint8Array.of(255) }), Uint8Array.of(255))
  assert.equal(showEndpoint(undefined), 'unknown')
  assert.equal(showAddress({ address: '::', family: 'IPv6', port: 80 }), '[::]:80')
  assert.equal(showAddress('/run/app.sock'), '/run/app.sock')
})
