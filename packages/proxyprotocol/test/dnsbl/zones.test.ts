import assert from 'node:assert/strict'
import { test } from 'node:test'
import { untyped } from 'test-support/untyped'
import { quote } from '../../src/checks/index.ts'
import { spamhaus, zoneFor } from '../../src/dnsbl/zones.ts'

for (const zone of Object.values(spamhaus)) {
  test(`zoneFor() knows the meanings of a Spamhaus zone by its name: ${zone.name}`, () => {
    assert.deepEqual(zoneFor(zone.name), zone)
  })
}

test('zen means everything that the zones inside of it mean', () => {
  const { sbl, xbl, pbl, zen } = spamhaus
  assert.deepEqual(zen.meanings, { ...sbl.meanings, ...xbl.meanings, ...pbl.meanings })
})

test('zoneFor() takes no notice of case and of a final dot', () => {
  assert.deepEqual(zoneFor('ZEN.Spamhaus.ORG.'), spamhaus.zen)
  const meanings = { '127.0.0.2': 'made up' }
  assert.deepEqual(zoneFor({ name: 'Bl.Example.', meanings }), { name: 'bl.example', meanings })
})

test('zoneFor() keeps the meanings given for a name that is known', () => {
  const zone = { name: 'zen.spamhaus.org', meanings: { '127.0.0.2': 'made up' } }
  assert.deepEqual(zoneFor(zone), zone)
})

test('zoneFor() gives an unknown name no meanings', () => {
  assert.deepEqual(zoneFor('bl.example'), { name: 'bl.example', meanings: {} })
})

const longest = ['a'.repeat(63), 'b'.repeat(63), 'c'.repeat(61)].join('.')

test('zoneFor() accepts the longest name that leaves room for an IPv6 address, and underscores', () => {
  assert.equal(zoneFor(longest).name, longest)
  assert.equal(zoneFor('key_1._bl.example').name, 'key_1._bl.example')
})

const wrongNames = [
  '',
  '.',
  'bl..example',
  '.bl.example',
  '-bl.example',
  'bl-.example',
  'bl example',
  'ä.example',
]

for (const name of [...wrongNames, `${'a'.repeat(64)}.example`, `${longest}c`]) {
  test(`zoneFor() refuses what is not a domain name: "${name}"`, () => {
    const message = `zone must be a domain name of at most 189 characters, got ${quote(name)}`
    assert.throws(() => zoneFor(name), { name: 'TypeError', message })
    assert.throws(() => zoneFor({ name, meanings: {} }), { name: 'TypeError', message })
  })
}

for (const [what, entry] of [
  ['nothing', undefined],
  ['null', null],
  ['a number', 5],
  ['an object without meanings', { name: 'bl.example' }],
  ['null for meanings', { name: 'bl.example', meanings: null }],
  ['an object without a name', { meanings: {} }],
] as const) {
  test(`zoneFor() refuses what is not a zone: ${what}`, () => {
    assert.throws(() => zoneFor(untyped(entry)), {
      name: 'TypeError',
      message: `zone must be a domain name, or an object with name and meanings, got ${quote(entry)}`,
    })
  })
}
