import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { LiveSet } from '../../src/node-internals/index.ts'

interface Member {
  readonly name: string
}

function members(names: string): Member[] {
  return [...names].map(name => ({ name }))
}

function namesOf(set: Iterable<Member>): string {
  return Array.from(set, ({ name }) => name)
    .sort()
    .join('')
}

test('LiveSet holds what was added and has not been deleted, once', () => {
  const set = new LiveSet<Member>()
  const [a, b, c] = members('abc') as [Member, Member, Member]
  for (const member of [a, b, a, c]) set.add(member)
  assert.deepEqual([set.size, namesOf(set)], [3, 'abc'])
  set.delete(a)
  set.delete(a)
  assert.deepEqual([set.size, namesOf(set), set.has(a), set.has(b)], [2, 'bc', false, true])
  set.delete(c)
  set.delete(b)
  assert.deepEqual([set.size, namesOf(set)], [0, ''])
  set.add(a)
  assert.equal(namesOf(set), 'a')
})

test('LiveSet does not take a member of another set for one of its own', () => {
  const [one, other] = [new LiveSet<Member>(), new LiveSet<Member>()]
  const [a, b] = members('ab') as [Member, Member]
  one.add(a)
  other.add(b)
  one.delete(b)
  assert.deepEqual([one.has(b), other.has(a), namesOf(one), namesOf(other)], [false, false, 'a', 'b'])
})

test('LiveSet iterates over its members of that moment, without those that leave meanwhile', () => {
  const set = new LiveSet<Member>()
  const all = members('abcdef')
  for (const member of all) set.add(member)
  const seen: Member[] = []
  for (const member of set) {
    seen.push(member)
    if (member === all[1]) for (const gone of [all[0], all[2], all[5]]) set.delete(gone as Member)
    if (member === all[1]) set.add({ name: 'g' })
  }
  assert.equal(namesOf(seen), 'abde')
})

test('LiveSet has the methods of a ReadonlySet', () => {
  const set: ReadonlySet<Member> & Pick<LiveSet<Member>, 'add'> = new LiveSet<Member>()
  for (const member of members('ab')) set.add(member)
  const each: unknown[] = []
  set.forEach(function (this: unknown, value, key, whole) {
    each.push([this, value === key, whole === set])
  }, 'self')
  assert.deepEqual(each, [
    ['self', true, true],
    ['self', true, true],
  ])
  assert.deepEqual([namesOf(set.keys()), namesOf(set.values())], ['ab', 'ab'])
  assert.deepEqual(
    [...set.entries()].map(([key, value]) => key === value),
    [true, true],
  )
})

test('LiveSet keeps no member that has left, also without a major collection', () => {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as (options?: { readonly type: 'minor' }) => void
  const set = new LiveSet<object>()
  const live: object[] = []
  collect()
  const before = process.memoryUsage().heapUsed
  for (let count = 1; count <= 10_000; count++) {
    const member = { load: new Array<number>(200).fill(count) }
    set.add(member)
    live.push(member)
    if (live.length > 64) set.delete(live.shift() as object)
    if (count % 500 === 0) collect({ type: 'minor' })
  }
  const kept = process.memoryUsage().heapUsed - before // a Set keeps all of them, 17 MB
  assert.ok(kept < 4_000_000, `${kept} bytes`)
})
