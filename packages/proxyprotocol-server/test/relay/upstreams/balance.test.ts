// The strategies by themselves: shares are exact, and no client moves without need.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { balances } from '../../../src/config/index.ts'
import { balancer, seedOf, type Balancer, type Candidate } from '../../../src/relay/upstreams/balance.ts'

interface Counted extends Candidate {
  readonly name: string
  active: number
}

function candidates(weights: Readonly<Record<string, number>>): Counted[] {
  return Object.entries(weights).map(([name, weight]) => {
    return { name, weight, active: 0, seed: seedOf(name), credit: 0 }
  })
}

/** Who gets so many connections, one after the other; all stay open. */
function picks(pick: Balancer, from: readonly Counted[], count: number): string[] {
  return Array.from({ length: count }, () => {
    const picked = pick(from, undefined)
    picked.active++
    return picked.name
  })
}

const weightsOf = fc
  .array(fc.integer({ min: 1, max: 20 }), { minLength: 1, maxLength: 8 })
  .map(weights => candidates(Object.fromEntries(weights.map((weight, at) => [`u${at}`, weight]))))

const address = fc.oneof(fc.ipV4(), fc.ipV6())

test('round robin takes turns', () => {
  const pick = balancer('round-robin')
  assert.equal(picks(pick, candidates({ a: 1, b: 1, c: 1 }), 7).join(''), 'abcabca')
})

test('round robin gives the heavier more, and never all of its share in a row', () => {
  const pick = balancer('round-robin')
  assert.equal(picks(pick, candidates({ a: 5, b: 1, c: 1 }), 14).join(''), 'aabacaaaabacaa')
})

test('round robin gives each exactly its weight in every cycle', () => {
  fc.assert(
    fc.property(weightsOf, fc.integer({ min: 1, max: 3 }), (from, cycles) => {
      const total = from.reduce((sum, { weight }) => sum + weight, 0)
      picks(balancer('round-robin'), from, cycles * total)
      for (const { active, weight } of from) assert.equal(active, cycles * weight)
    }),
  )
})

test('round robin lets the others go on in turn when one is gone, and takes it up again', () => {
  const pick = balancer('round-robin')
  const [a, b, c] = candidates({ a: 1, b: 1, c: 1 })
  assert.ok(a && b && c)
  assert.equal(picks(pick, [a, b, c], 3).join(''), 'abc')
  assert.equal(picks(pick, [a, c], 4).join(''), 'acac')
  assert.equal(picks(pick, [a, b, c], 6).join(''), 'abcabc')
})

test('least connections goes to the least loaded, by weight, and takes turns among equals', () => {
  const pick = balancer('least-connections')
  const [a, b] = candidates({ a: 1, b: 1 })
  assert.ok(a && b)
  a.active = 3
  assert.equal(picks(pick, [a, b], 3).join(''), 'bbb')
  assert.deepEqual(picks(pick, [a, b], 4).sort().join(''), 'aabb')
  const weighted = candidates({ heavy: 3, light: 1 })
  picks(pick, weighted, 400)
  assert.deepEqual(
    weighted.map(({ active }) => active),
    [300, 100],
  )
})

test('least connections leaves no upstream more than one connection above the share of its weight', () => {
  fc.assert(
    fc.property(weightsOf, fc.integer({ min: 1, max: 300 }), (from, count) => {
      picks(balancer('least-connections'), from, count)
      const total = from.reduce((sum, { weight }) => sum + weight, 0)
      for (const { active, weight } of from) assert.ok(active <= (count * weight) / total + from.length)
      const loads = from.map(each => each.active / each.weight)
      for (const each of from) assert.ok((each.active - 1) / each.weight <= Math.min(...loads) + 1)
    }),
  )
})

test('source hash sends a client to the same upstream, in whatever order they stand, and each service alike', () => {
  fc.assert(
    fc.property(weightsOf, address, (from, source) => {
      const first = balancer('source-hash')(from, source)
      assert.equal(balancer('source-hash')(from.toReversed(), source), first)
    }),
  )
})

test('source hash: an upstream that goes away moves its own clients only', () => {
  fc.assert(
    fc.property(
      weightsOf,
      fc.array(address, { minLength: 20, maxLength: 40 }),
      fc.nat(),
      (from, sources, at) => {
        const pick = balancer('source-hash')
        const gone = from[at % from.length]
        const left = from.filter(each => each !== gone)
        fc.pre(left.length > 0)
        for (const source of sources) {
          const before = pick(from, source)
          if (before !== gone) assert.equal(pick(left, source), before)
        }
      },
    ),
  )
})

test('source hash: an upstream with more weight takes clients over, and moves none between others', () => {
  fc.assert(
    fc.property(weightsOf, fc.array(address, { minLength: 20, maxLength: 40 }), (from, sources) => {
      const pick = balancer('source-hash')
      const [first, ...others] = from
      assert.ok(first)
      const heavier = [{ ...first, weight: first.weight + 5 }, ...others]
      for (const source of sources) {
        const [before, after] = [pick(from, source), pick(heavier, source)]
        assert.ok(after.name === before.name || after.name === first.name)
      }
    }),
  )
})

test('source hash gives each the share of its weight, within 1 % of all of 40,000 clients', () => {
  const pick = balancer('source-hash')
  const from = candidates({ a: 1, b: 2, c: 5 })
  const clients = 40_000
  for (let n = 0; n < clients; n++) pick(from, `10.${n >> 16}.${(n >> 8) & 255}.${n & 255}`).active++
  for (const { active, weight } of from) {
    assert.ok(Math.abs(active / clients - weight / 8) < 0.01, `${active} of ${clients} for weight ${weight}`)
  }
})

test('source hash gives 1,000 upstreams even shares of 200,000 clients', () => {
  const pick = balancer('source-hash')
  const from = candidates(Object.fromEntries(Array.from({ length: 1_000 }, (_, at) => [`app-${at}`, 1])))
  for (let n = 0; n < 200_000; n++) {
    pick(from, `10.${n >> 16}.${(n >> 8) & 255}.${n & 255}`).active++
  }
  // 200 each on average; a chance of one in a million is about five standard deviations of 14 away
  for (const { name, active } of from) assert.ok(active > 120 && active < 280, `${active} for ${name}`)
})

test('source hash deals out those without an address in turn', () => {
  assert.equal(picks(balancer('source-hash'), candidates({ a: 1, b: 1 }), 4).join(''), 'abab')
})

test('every strategy gives the only one everything', () => {
  for (const balance of balances) {
    assert.deepEqual(picks(balancer(balance), candidates({ a: 7 }), 3), ['a', 'a', 'a'])
  }
})

for (const balance of balances) {
  test(`${balance} gives a part of its share to an upstream that starts slowly`, () => {
    const from = candidates({ a: 1, b: 0.1 })
    const pick = balancer(balance)
    let got = 0
    for (let client = 0; client < 1_100; client++) {
      const picked = pick(from, `192.0.2.1:${client}`)
      picked.active++
      if (picked.name === 'b') got++
    }
    assert.ok(balance === 'source-hash' ? got > 60 && got < 140 : got === 100, String(got))
  })
}

test('source-hash moves each client once at most while a weight rises, and only to that upstream', () => {
  const pick = balancer('source-hash')
  fc.assert(
    fc.property(address, client => {
      const names = Array.from({ length: 10 }, (_, step) => {
        return pick(candidates({ a: 1, b: 3, slow: (step + 1) / 10 }), client).name
      })
      const before = names.filter(name => name !== 'slow')
      assert.ok(new Set(before).size <= 1)
      assert.deepEqual(names, [...before, ...names.slice(before.length).map(() => 'slow')])
    }),
  )
})
