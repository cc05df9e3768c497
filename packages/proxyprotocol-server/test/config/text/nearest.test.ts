// Each kind of slip leads to the word that was meant, and no further than two edits.

import assert from 'node:assert/strict'
import { test } from 'node:test'

import { nearest } from '../../../src/config/text/nearest.ts'

const WORDS = ['pp', 'cert', 'key', 'verify', 'cafile', 'capath', 'cadata']

test('nearest() finds the word behind a letter too many, too few, wrong, swapped or in the other case', () => {
  const slips = { certt: 'cert', cfile: 'cafile', veryfy: 'verify', capaht: 'capath', KEY: 'key', '': 'pp' }
  for (const [slip, word] of Object.entries(slips)) assert.equal(nearest(slip, WORDS), word, slip)
  assert.equal(nearest('maxsize', ['maxside', 'maxSize']), 'maxSize')
})

test('nearest() prefers fewer edits, then the word that comes first', () => {
  assert.equal(nearest('abd', ['ab', 'abcd', 'abd']), 'abd')
  assert.equal(nearest('abd', ['abx', 'aby']), 'abx')
})

test('nearest() gives nothing when every word is more than two edits away', () => {
  assert.equal(nearest('timeout', WORDS), undefined)
  assert.equal(nearest('kxxx', ['key']), undefined)
  assert.equal(nearest('v'.repeat(100_000), WORDS), undefined)
  assert.equal(nearest('pp', []), undefined)
})
