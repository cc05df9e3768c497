// Replies that a name server must not send, by their kinds: what a client gets for one query, as datagrams and over TCP.

import { randomBytes } from 'node:crypto'
import { decode, encode, TRUNCATED_RESPONSE } from 'dns-packet'
import type { Answer, Packet } from 'dns-packet'

/** What one kind of server does with a query. */
export interface HostileKind {
  /** Datagrams, from the server's own port. */
  readonly datagrams: (query: Buffer) => readonly Uint8Array[]
  /** The same from another port of the server's address. */
  readonly elsewhere?: (query: Buffer) => readonly Uint8Array[]
  /** What is sent over TCP, a byte each millisecond where it drips; nothing listens there when left out. */
  readonly stream?: (query: Buffer) => Uint8Array
  readonly drips?: true
  /** How lookup() ends: the code that the list lists by, or why it does not know. */
  readonly ends: string
}

const HEADER = 12
/** A response to a recursive query from a server that recurses. */
const FLAGS = 0x8180
/** A pointer to the question's name. */
const QUESTION = [0xc0, HEADER]
const LISTED = '127.0.0.2'

/** The header and question of a reply, with the counts of the three sections behind it. */
function head(query: Buffer, answers: number, others = 0): Buffer {
  const bytes = Buffer.from(query)
  bytes.writeUInt16BE(FLAGS, 2)
  bytes.writeUInt16BE(answers, 6)
  bytes.writeUInt16BE(others, 8)
  bytes.writeUInt16BE(others, 10)
  return bytes
}

/** A record whose owner is given as bytes. */
function record(owner: readonly number[], data: readonly number[] = [127, 0, 0, 2], type = 1): Uint8Array {
  return Uint8Array.of(...owner, 0, type, 0, 1, 0, 0, 1, 0, data.length >> 8, data.length & 0xff, ...data)
}

function withRecords(query: Buffer, ...records: readonly Uint8Array[]): Buffer {
  return Buffer.concat([head(query, records.length), ...records])
}

/** A reply by dns-packet. */
function packet(query: Buffer, answers: readonly Answer[], change: Partial<Packet> = {}): Buffer {
  const { id = 0, questions = [] } = decode(query)
  const { flags = 0x0180, ...rest } = change
  return encode({ type: 'response', id, flags, questions, answers: [...answers], ...rest })
}

/** A reply that lists. */
export function listing(query: Buffer, change?: Partial<Packet>): Buffer {
  return packet(query, [{ type: 'A', name: nameOf(query), ttl: 300, data: LISTED }], change)
}

function nameOf(query: Buffer): string {
  return decode(query).questions?.[0]?.name ?? ''
}

/** A reply that says that it is cut short. */
export function truncated(query: Buffer): readonly Uint8Array[] {
  return [packet(query, [], { flags: TRUNCATED_RESPONSE })]
}

/** A message as it is sent over TCP. */
export function framed(message: Uint8Array): Buffer {
  return Buffer.concat([Uint8Array.of(message.length >> 8, message.length & 0xff), message])
}

/** A chain of so many aliases from the question's name to one that has an address. */
function aliases(query: Buffer, count: number): Buffer {
  const names = [nameOf(query), ...Array.from({ length: count }, (_, n) => `a${n}.example`)]
  const chain = names
    .slice(1)
    .map((data, n): Answer => ({ type: 'CNAME', name: names[n] ?? '', ttl: 60, data }))
  return packet(query, [...chain, { type: 'A', name: names[count] ?? '', ttl: 60, data: LISTED }])
}

/** As many pointers as an answer of 4,000 bytes can hold, each to the one before it; the first one to itself. */
function pointers(query: Buffer): Uint8Array {
  const bytes = head(query, 64)
  const chain = Array.from({ length: 1_900 }, (_, n) => bytes.length + Math.max(0, 2 * n - 2))
  return Buffer.concat([bytes, ...chain.map(to => Uint8Array.of(0xc0 | (to >> 8), to & 0xff))])
}

export const hostileKinds = {
  'counts of 65,535 in 12 bytes': {
    datagrams: query => [head(query, 65_535, 65_535).fill(0, 4, 6).subarray(0, HEADER)],
    ends: 'timeout',
  },
  'counts of 65,535 behind the question': {
    datagrams: query => [head(query, 65_535, 65_535)],
    ends: 'EBADRESP',
  },
  'a count of one record too many': {
    datagrams: query => [Buffer.concat([head(query, 2), record(QUESTION)])],
    ends: 'EBADRESP',
  },
  'counts of 65,535 in the sections behind the answer': {
    datagrams: query => [Buffer.concat([head(query, 1, 65_535), record(QUESTION)])],
    ends: LISTED,
  },
  'a name that points to itself': {
    datagrams: query => [withRecords(query, record([0xc0, query.length]))],
    ends: 'EBADRESP',
  },
  'a name of a label and a pointer back to it': {
    datagrams: query => [withRecords(query, record([1, 97, 0xc0, query.length]))],
    ends: 'EBADRESP',
  },
  'names that are chains of pointers': { datagrams: query => [pointers(query)], ends: 'EBADRESP' },
  'a record that is cut off': {
    datagrams: query => [withRecords(query, record(QUESTION)).subarray(0, -2)],
    ends: 'EBADRESP',
  },
  'an address of five bytes': {
    datagrams: query => [withRecords(query, record(QUESTION, [127, 0, 0, 2, 1]))],
    ends: 'EBADRESP',
  },
  'another id': {
    datagrams: query => [listing(query, { id: query.readUInt16BE(0) ^ 1 })],
    ends: 'timeout',
  },
  'another question': {
    datagrams: query => [
      listing(query, { questions: [{ type: 'A', class: 'IN', name: `x${nameOf(query).slice(1)}` }] }),
    ],
    ends: 'timeout',
  },
  'no question': { datagrams: query => [listing(query, { questions: [] })], ends: 'timeout' },
  'a query': { datagrams: query => [query], ends: 'timeout' },
  garbage: { datagrams: () => [randomBytes(1_400)], ends: 'timeout' },
  'garbage behind the id': {
    datagrams: query => [
      Buffer.concat([query.subarray(0, 2), Uint8Array.of(0x81, 0x80), randomBytes(1_400)]),
    ],
    ends: 'timeout',
  },
  nothing: { datagrams: () => [new Uint8Array()], ends: 'timeout' },
  'a reply from another port': { datagrams: () => [], elsewhere: query => [listing(query)], ends: 'timeout' },
  'a flood of replies to other queries': {
    datagrams: query => Array<Uint8Array>(500).fill(listing(query, { id: query.readUInt16BE(0) ^ 1 })),
    ends: 'ECONNREFUSED',
  },
  'a datagram of 60,000 bytes': {
    datagrams: query => [withRecords(query, ...Array<Uint8Array>(3_745).fill(record(QUESTION)))],
    ends: 'EBADRESP',
  },
  'records by the hundred': {
    datagrams: query => [withRecords(query, ...Array<Uint8Array>(200).fill(record(QUESTION)))],
    ends: 'EBADRESP',
  },
  'sixty aliases': { datagrams: query => [aliases(query, 60)], ends: 'EBADRESP' },
  'aliases in a circle': {
    datagrams: query => [withRecords(query, record(QUESTION, QUESTION, 5))],
    ends: 'EBADRESP',
  },
  'a truncated reply, and no TCP': { datagrams: truncated, ends: 'ECONNREFUSED' },
  'a truncated reply over TCP too': {
    datagrams: truncated,
    stream: query => framed(packet(query, [], { flags: TRUNCATED_RESPONSE })),
    ends: 'EBADRESP',
  },
  'a reply of 65,535 bytes over TCP': {
    datagrams: truncated,
    stream: query =>
      framed(withRecords(query, ...Array<Uint8Array>(5_000).fill(record(QUESTION))).subarray(0, 65_535)),
    ends: 'EBADRESP',
  },
  'a reply that drips over TCP': {
    datagrams: truncated,
    stream: query => framed(withRecords(query, ...Array<Uint8Array>(64).fill(record(QUESTION)))),
    drips: true,
    ends: 'timeout',
  },
  'another id over TCP': {
    datagrams: truncated,
    stream: query => framed(listing(query, { id: query.readUInt16BE(0) ^ 1 })),
    ends: 'EBADRESP',
  },
  'half a reply over TCP, and an end': {
    datagrams: truncated,
    stream: query => framed(listing(query)).subarray(0, -9),
    ends: 'EBADRESP',
  },
} as const satisfies Readonly<Record<string, HostileKind>>

/** What every kind is compared with. */
export const silence: HostileKind = { datagrams: () => [], ends: 'timeout' }
