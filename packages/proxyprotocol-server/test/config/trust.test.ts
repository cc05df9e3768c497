// What --trust takes, and the library's own words for what it does not.

import assert from 'node:assert/strict'
import { test } from 'node:test'

import { ConfigError, parseTrust } from '../../src/config/index.ts'

test('parseTrust() takes networks, addresses and unix, repeated or with commas between them', () => {
  assert.deepEqual(parseTrust(['10.0.0.0/8, 2001:db8::1', 'unix']), ['10.0.0.0/8', '2001:db8::1', 'unix'])
})

test('parseTrust() takes anyone, alone', () => {
  assert.equal(parseTrust(['anyone']), 'anyone')
  for (const values of [['anyone,10.0.0.1'], ['10.0.0.1', 'anyone'], ['anyone', 'anyone']]) {
    assert.throws(() => parseTrust(values), /^ConfigError: --trust must have "anyone" alone/)
  }
})

test('parseTrust() refuses what is not a network, quoting it and showing a right one', () => {
  const cases: [value: string, problem: RegExp][] = [
    ['', /^--trust must hold addresses, networks such as "10\.0\.0\.0\/8" or "unix", got "";/],
    ['10.0.0.1,', /^--trust must hold addresses, .*, got "";/],
    [
      'localhost',
      /^--trust must hold addresses, .*, got "localhost"; right ones are "10\.0\.0\.0\/8,2001:db8::1", "unix" and "anyone"$/,
    ],
    [
      '10.0.0.1/8',
      /^--trust must hold networks without bits behind their prefix, got "10\.0\.0\.1\/8"; did you mean "10\.0\.0\.0\/8"\?;/,
    ],
    ['10.0.0.0/33', /^--trust must hold prefixes from 0 to 32, got "10\.0\.0\.0\/33";/],
  ]
  for (const [value, problem] of cases) {
    assert.throws(
      () => parseTrust([value]),
      (error: unknown) => error instanceof ConfigError && problem.test(error.message),
    )
  }
})
