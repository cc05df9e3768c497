// Queries as dns-packet reads them, and replies that it has written; then whatever else may come.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AUTHORITATIVE_ANSWER, decode, encode } from 'dns-packet'
import type { Answer, Packet } from 'dns-packet'
import fc from 'fast-check'
import { hostileKinds } from 'test-support/hostile-replies'
import { encodeQuery } from '../../../src/dnsbl/dns/query.ts'
import { readReply } from '../../../src/dnsbl/dns/reply.ts'

const NAME = '1.2.0.192.bl.example'
const query = encodeQuery(NAME, 0xbeef)

function replyWith(answers: readonly Answer[], change: Partial<Packet> = {}): Buffer {
  const { questions = [] } = decode(Buffer.from(query))
  return encode({ type: 'response', id: 0xbeef, questions, answers: [...answers], ...change })
}

function a(name: string, data = '127.0.0.2', ttl = 300): Answer {
  return { type: 'A', name, ttl, data }
}

function cname(name: string, data: string, ttl = 300): Answer {
  return { type: 'CNAME', name, ttl, data }
}

function recordsOf(...answers: readonly Answer[]): unknown {
  const reply = readReply(replyWith(answers), query)
  return reply.status === 'records' ? reply.records.map(({ address, ttl }) => `${address} ${ttl}`) : reply
}

function failure(code: string): unknown {
  return { status: 'failure', code }
}

test('a query asks for the IPv4 addresses of the name, by its id, and wants recursion', () => {
  const packet = decode(Buffer.from(query))
  assert.deepEqual(packet.questions, [{ name: NAME, type: 'A', class: 'IN' }])
  assert.deepEqual([packet.type, packet.id, packet.flag_rd, packet.answers], ['query', 0xbeef, true, []])
  const longest = [63, 63, 63, 61].map(length => 'a'.repeat(length)).join('.')
  assert.equal(decode(Buffer.from(encodeQuery(longest, 0))).questions?.[0]?.name, longest)
  assert.equal(decode(Buffer.from(encodeQuery(NAME, 65_535))).id, 65_535)
})

test('a reply has the addresses of the name, each with its TTL', () => {
  assert.deepEqual(recordsOf(a(NAME), a(NAME, '127.0.0.10', 60)), ['127.0.0.2 300', '127.0.0.10 60'])
  assert.deepEqual(recordsOf(a(NAME.toUpperCase())), ['127.0.0.2 300'])
  assert.deepEqual(recordsOf(a(NAME, '127.0.0.2', 0x7fffffff)), ['127.0.0.2 2147483647'])
  assert.deepEqual(recordsOf(a(NAME, '127.0.0.2', 0x80000000)), ['127.0.0.2 0'])
})

test('a reply may say the question in another case, and be that of an authority', () => {
  const reply = replyWith([a(NAME)], {
    flags: AUTHORITATIVE_ANSWER,
    questions: [{ type: 'A', class: 'IN', name: NAME.toUpperCase() }],
  })
  assert.equal(readReply(reply, query).status, 'records')
})

test('a reply has the addresses of other names only where aliases lead to them', () => {
  const [one, two] = ['a.example', 'b.example']
  const chain = [cname(NAME, one, 200), cname(one, two, 100), a(two, '127.0.0.4')]
  assert.deepEqual(recordsOf(...chain), ['127.0.0.4 100'])
  assert.deepEqual(recordsOf(...chain.toReversed()), ['127.0.0.4 100'])
  assert.deepEqual(recordsOf(cname(NAME, one), a(two)), failure('ENODATA'))
  assert.deepEqual(recordsOf(a(one)), failure('ENODATA'))
  assert.deepEqual(recordsOf(a(`x.${NAME}`), a('bl.example'), a('.')), failure('ENODATA'))
  const names = Array.from({ length: 9 }, (_, n) => `a${n}.example`)
  const eight = [NAME, ...names].slice(0, 8).map((name, n) => cname(name, names[n] ?? ''))
  assert.deepEqual(recordsOf(...eight, a('a7.example')), ['127.0.0.2 300'])
  assert.deepEqual(
    recordsOf(...eight, cname('a7.example', 'a8.example'), a('a8.example')),
    failure('EBADRESP'),
  )
})

test('a label with a dot in it is not two labels', () => {
  const dotted = encodeQuery('a.b', 0xbeef)
  // The owner of the record has one label of three characters.
  const record = [3, 97, 46, 98, 0, 0, 1, 0, 1, 0, 0, 0, 9, 0, 4, 127, 0, 0, 2]
  const reply = Uint8Array.of(...dotted, ...record)
  reply.set([0x81, 0x80, 0, 1, 0, 1], 2)
  assert.deepEqual(readReply(reply, dotted), failure('ENODATA'))
})

test('records of other types and classes are left out', () => {
  assert.deepEqual(
    recordsOf(
      { type: 'TXT', name: NAME, ttl: 1, data: ['127.0.0.3'] },
      { type: 'AAAA', name: NAME, ttl: 1, data: '::1' },
      { type: 'A', class: 'CH', name: NAME, ttl: 1, data: '127.0.0.9' },
      a(NAME),
    ),
    ['127.0.0.2 300'],
  )
  assert.deepEqual(recordsOf(), failure('ENODATA'))
})

test('a reply of up to 64 records is read, of more it is not', () => {
  const records = Array.from({ length: 64 }, (_, n) => a(NAME, `127.0.1.${n}`))
  assert.deepEqual((recordsOf(...records) as string[]).length, 64) // or it is a failure
  assert.deepEqual(recordsOf(...records, a(NAME)), failure('EBADRESP'))
})

for (const [code, name] of [
  [1, 'EFORMERR'],
  [2, 'ESERVFAIL'],
  [3, 'ENOTFOUND'],
  [4, 'ENOTIMP'],
  [5, 'EREFUSED'],
  [6, 'EBADRESP'],
  [15, 'EBADRESP'],
] as const) {
  test(`the response code ${code} is the failure ${name}`, () => {
    assert.deepEqual(readReply(replyWith([], { flags: code }), query), failure(name))
  })
}

test('a reply cut anywhere is not an answer', () => {
  const whole = replyWith([cname(NAME, 'a.example'), a('a.example')])
  for (let length = 0; length < whole.length; length++) {
    const { status } = readReply(whole.subarray(0, length), query)
    assert.equal(status, length < query.length ? 'stray' : 'failure', `at ${length}`)
  }
})

test('an alias must fill its record', () => {
  const whole = replyWith([cname(NAME, 'a.example'), a('a.example')])
  const at = query.length + NAME.length + 2 + 8
  assert.equal(whole.readUInt16BE(at), 'a.example'.length + 2)
  for (const change of [-1, 1]) {
    const changed = Buffer.from(whole)
    changed.writeUInt16BE(whole.readUInt16BE(at) + change, at)
    assert.deepEqual(readReply(changed, query), failure('EBADRESP'))
  }
})

/** A reply whose one record has this owner, and behind it these bytes. */
function ownedBy(owner: readonly number[], behind: readonly number[] = []): Uint8Array {
  const bytes = Uint8Array.of(...query, ...owner, 0, 1, 0, 1, 0, 0, 0, 9, 0, 4, 127, 0, 0, 2, ...behind)
  bytes.set([0x81, 0x80, 0, 1, 0, 1], 2)
  return bytes
}

test('a name has at most 16 pointers and 255 bytes', () => {
  const label = [1, 97]
  const at = query.length + 2 + 14
  /** A pointer to a chain of so many more, the last of which points to the question. */
  const chain = (count: number): Uint8Array => {
    const pointers = Array.from({ length: count }, (_, n) => (n === count - 1 ? 12 : at + 2 * (n + 1)))
    return ownedBy(
      [0xc0, at],
      pointers.flatMap(to => [0xc0, to]),
    )
  }
  assert.equal(readReply(chain(15), query).status, 'records')
  assert.deepEqual(readReply(chain(16), query), failure('EBADRESP'))
  const long = Array<readonly number[]>(127).fill(label).flat()
  assert.deepEqual(readReply(ownedBy([...long, 0]), query), failure('ENODATA'))
  assert.deepEqual(readReply(ownedBy([...long, ...label, 0]), query), failure('EBADRESP'))
  assert.deepEqual(readReply(ownedBy([64, ...Array<number>(64).fill(97), 0]), query), failure('EBADRESP'))
})

/** Replies to the query that are nearly right: each kind of hostile reply, and good ones. */
const samples: readonly Buffer[] = [
  replyWith([a(NAME), a(NAME, '127.0.0.3')]),
  replyWith([cname(NAME, 'a.example'), cname('a.example', 'b.example'), a('b.example')]),
  ...Object.values(hostileKinds).flatMap(({ datagrams }) =>
    datagrams(Buffer.from(query))
      .slice(0, 1)
      .map(bytes => Buffer.from(bytes)),
  ),
]

/** In milliseconds, ten times what the costliest reply takes on a busy machine. */
const BOUND = 5

function fastest(bytes: Uint8Array, runs: number): number {
  const begin = performance.now()
  readReply(bytes, query)
  const took = performance.now() - begin
  return took < BOUND || runs === 1 ? took : fastest(bytes, runs - 1)
}

test('no bytes make readReply() throw, nor take long', () => {
  const changes = fc.array(fc.tuple(fc.nat(600), fc.nat(255)), { maxLength: 8 })
  const bounded = (bytes: Uint8Array): void => assert.ok(fastest(bytes, 10) < BOUND)
  fc.assert(
    fc.property(fc.constantFrom(...samples), changes, fc.nat(600), (sample, made, cut) => {
      const changed = Buffer.from(sample)
      for (const [at, byte] of made) if (at < changed.length) changed[at] = byte
      bounded(changed)
      bounded(changed.subarray(0, cut))
      // With header and question in order the rest is read, whatever it is.
      bounded(Buffer.concat([samples[0]?.subarray(0, query.length) ?? query, changed.subarray(cut)]))
    }),
    { numRuns: 3_000 },
  )
  fc.assert(fc.property(fc.uint8Array({ maxLength: 5_000 }), bounded))
})

test('the costliest reply, 64 aliases of names of 255 bytes, takes no longer', () => {
  const labels = Array<readonly number[]>(117).fill([1, 97]).flat()
  const alias = [0, 5, 0, 1, 0, 0, 0, 9, 0, 2]
  const long = query.length
  const first = [...labels, 0xc0, 14, ...alias, 0xc0, long]
  const others = Array.from({ length: 63 }, () => [0xc0, long, ...alias, 0xc0, long]).flat()
  const bytes = Uint8Array.of(...query, ...first, ...others)
  bytes.set([0x81, 0x80, 0, 1, 0, 64], 2)
  assert.deepEqual(readReply(bytes, query), failure('ENODATA'))
  assert.ok(fastest(bytes, 10) < BOUND)
})
