// Work in slices.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bytesOf, inSlices } from '../../src/admin/slices.ts'

/** Numbers that take a millisecond each. */
function* slowly(count: number): Generator<number> {
  for (let i = 0; i < count; i++) {
    for (const end = performance.now() + 1; performance.now() < end;);
    yield i
  }
}

test('items come in order, in several slices if they take long, and the event loop turns between them', async () => {
  let turns = 0
  const count = (): void => {
    turns++
    timer = setImmediate(count)
  }
  let timer = setImmediate(count)
  const slices: (readonly number[])[] = []
  for await (const slice of inSlices(slowly(20))) slices.push(slice)
  clearImmediate(timer)
  assert.deepEqual(slices.flat(), [...slowly(20)])
  assert.ok(slices.length > 2 && turns >= slices.length - 1)
})

test('a short list is one slice, and so is an empty one', async () => {
  for (const items of [[1, 2], []]) {
    const slices: (readonly number[])[] = []
    for await (const slice of inSlices(items)) slices.push(slice)
    assert.deepEqual(slices, [items])
  }
})

test('a text becomes its bytes', async () => {
  assert.equal(String(Buffer.concat(await bytesOf(['a', '\u00e9']))), 'a\u00e9')
})
