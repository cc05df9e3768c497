// checkDecoder() against decoders that are right, that say less, and that are wrong in one way each.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decodeHeader } from '../../src/codec/index.ts'
import { checkDecoder, vectorFiles, type CheckedDecoder } from '../../src/vectors/index.ts'
import { outcomeOf } from '../support/outcome.ts'

const total = vectorFiles.flatMap(({ vectors }) => vectors).length
const headers = vectorFiles
  .flatMap(({ vectors }) => vectors)
  .filter(({ expected }) => expected.status === 'header').length

test('checkDecoder() finds no fault with a decoder that agrees in every field', () => {
  assert.deepEqual(checkDecoder(ours), { checked: total, skipped: 0, disagreements: [] })
})

test('checkDecoder() compares nothing that a decoder does not say', () => {
  const { disagreements } = checkDecoder((bytes, vector) => {
    const answer = ours(bytes, vector)
    return answer?.status === 'header' ? { status: 'header' } : answer
  })
  assert.deepEqual(disagreements, [])
})

test('checkDecoder() tells which field differs, and both values', () => {
  const { disagreements } = checkDecoder((bytes, vector) => {
    const answer = ours(bytes, vector)
    return answer?.status === 'header' ? { ...answer, byteLength: 1 } : answer
  })
  assert.equal(disagreements.length, headers)
  const [first] = disagreements
  assert.ok(first?.vector.expected.status === 'header')
  const { input, field, expected, got } = first
  assert.deepEqual(
    { input, field, expected, got },
    { input: 'whole', field: 'byteLength', expected: first.vector.expected.byteLength, got: 1 },
  )
})

test('checkDecoder() counts what a decoder leaves out', () => {
  const { checked, skipped } = checkDecoder((bytes, vector) =>
    vector.options === undefined ? ours(bytes, vector) : undefined,
  )
  assert.equal(skipped, 28)
  assert.equal(checked, total - skipped)
})

test('checkDecoder() takes an error for no answer, and goes on', () => {
  const error = new Error('no')
  const { checked, disagreements } = checkDecoder(() => {
    throw error
  })
  assert.equal(checked, total)
  assert.equal(disagreements.length, total)
  assert.ok(disagreements.every(({ field, got }) => field === 'status' && got === error))
})

test('checkDecoder() takes what is not an object for no answer, as JavaScript may give it', () => {
  for (const nothing of [null, false, '', 1n]) {
    const { checked, disagreements } = checkDecoder(() => nothing as unknown as undefined)
    assert.deepEqual([checked, disagreements.length], [total, total], String(nothing))
    assert.match(
      String(disagreements[0]?.got),
      /^TypeError: a decoder's answer must be an object or undefined, got /,
    )
  }
})

test('checkDecoder() gives payload behind each input: a decoder that takes it for a part of the header is found', () => {
  const { disagreements } = checkDecoder((bytes, vector) => {
    const answer = ours(bytes, vector)
    return answer?.status === 'header' ? { ...answer, byteLength: bytes.length } : answer
  })
  assert.ok(disagreements.some(({ input }) => input === 'with payload behind it'))
})

test('checkDecoder() gives each prefix of a header: a decoder that refuses what is incomplete is found', () => {
  const { disagreements } = checkDecoder((bytes, vector) => {
    const answer = ours(bytes, vector)
    return answer?.status === 'partial' && bytes.length > 0 && vector.expected.status === 'header'
      ? { status: 'refused' }
      : answer
  })
  assert.equal(disagreements.length, headers)
  assert.ok(disagreements.every(({ input, got }) => input === 'cut off at 1' && got === 'refused'))
})

test('checkDecoder() gives bytes that a decoder may write to', () => {
  checkDecoder((bytes, vector) => {
    const answer = ours(bytes, vector)
    bytes.fill(0)
    return answer
  })
  assert.deepEqual(checkDecoder(ours).disagreements, [])
})

/** The decoder of this library, in the words of the vectors. */
function ours(...[bytes, { options }]: Parameters<CheckedDecoder>): ReturnType<CheckedDecoder> {
  const outcome = outcomeOf(decodeHeader(bytes, options))
  if (outcome.status === 'header') return outcome
  return { status: outcome.status === 'partial' ? 'partial' : 'refused' }
}
